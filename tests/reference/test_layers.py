import numpy as np
import pytest
import torch
from torch.nn import functional as F

from qvm_verify import reference
from tests.arithmetics import ARITHMETICS, assert_equals, numbers

IMAGE = [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]  # [1, 1, 3, 3]


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_dense_is_x_times_w_transposed_plus_b(dtype):
    x, w, b = numbers([[1, 2]], dtype), numbers([[3, "1/2"], [-1, 1]], dtype), numbers([1, "1/4"], dtype)
    assert_equals(reference.Dense(weight=w)(x), [[4, 1]], dtype)
    assert_equals(reference.Dense(weight=w, bias=b)(x), [[5, "5/4"]], dtype)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_convolution_slides_without_flipping_the_kernel(dtype):
    w = numbers([[[[1, 0], [0, -1]]]], dtype)
    y = reference.Conv2d(weight=w, bias=numbers(["1/2"], dtype))(numbers(IMAGE, dtype))
    assert_equals(y, [[[["-7/2", "-7/2"], ["-7/2", "-7/2"]]]], dtype)  # x[i,j] - x[i+1,j+1] + 1/2


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_convolution_strides_pads_and_dilates(dtype):
    w, image = numbers([[[[1, 2], [3, 4]]]], dtype), numbers(IMAGE, dtype)
    y = reference.Conv2d(weight=w, stride=(2, 2), padding=(1, 1))(image)
    # the windows start at rows and columns -1 and 1: [0 0; 0 1], [0 0; 2 3], [0 4; 0 7], [5 6; 8 9]
    assert_equals(y, [[[[4, 18], [36, 77]]]], dtype)
    dilated = reference.Conv2d(weight=w, dilation=(2, 2))(image)
    assert_equals(dilated, [[[[1 + 6 + 21 + 36]]]], dtype)  # the four corners


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_grouped_convolution_keeps_the_groups_apart(dtype):
    x = numbers([[[[1]], [[2]]]], dtype)
    y = reference.Conv2d(weight=numbers([[[[3]]], [[[5]]]], dtype), groups=2)(x)
    assert_equals(y, [[[[3]], [[10]]]], dtype)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_batch_norm_works_channel_by_channel_on_images_and_vectors(dtype):
    norm = reference.BatchNorm(
        mean=numbers([1, 0], dtype), scale=numbers([2, "1/2"], dtype), shift=numbers([0, 1], dtype)
    )
    assert_equals(norm(numbers([[3, 4]], dtype)), [[4, 3]], dtype)
    assert_equals(norm(numbers([[[[3]], [[4]]]], dtype)), [[[[4]], [[3]]]], dtype)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_pools_take_the_mean_and_the_maximum_of_their_windows(dtype):
    image = numbers([[[[1, 2, 5, 6], [3, 4, 7, 8]]]], dtype)
    assert_equals(reference.AvgPool2d(kernel=(2, 2))(image), [[[["5/2", "13/2"]]]], dtype)
    assert_equals(reference.MaxPool2d(kernel=(2, 2))(image), [[[[4, 8]]]], dtype)
    assert_equals(reference.MaxPool2d(kernel=(2, 2), stride=(1, 1))(image), [[[[4, 7, 8]]]], dtype)
    assert_equals(
        reference.AvgPool2d(kernel=(2, 2), stride=(2, 1))(image), [[[["5/2", "9/2", "13/2"]]]], dtype
    )


def test_flatten_keeps_the_batch():
    x = np.arange(12).reshape(2, 3, 2)
    assert reference.Flatten()(x).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_padding_adds_zeros_on_every_side():
    padded = reference.pad_images(np.ones((1, 1, 1, 1)), (1, 2))
    assert padded[0, 0].tolist() == [[0] * 5, [0, 0, 1, 0, 0], [0] * 5]


@pytest.mark.parametrize(
    ("image", "kernel", "dilation", "sizes"),
    [
        ((1, 1), (2, 2), (2, 2), "1x1 are smaller than a window of 3x3"),
        ((2, 9), (3, 4), (1, 1), "2x9 are smaller than a window of 3x4"),
        ((9, 2), (4, 3), (1, 1), "9x2 are smaller than a window of 4x3"),
        ((9, 4), (1, 3), (1, 2), "9x4 are smaller than a window of 1x5"),
    ],
)
def test_a_window_larger_than_the_image_in_either_direction_is_refused(image, kernel, dilation, sizes):
    with pytest.raises(ValueError, match=f"images of {sizes}"):
        reference.sliding_windows(np.ones((1, 1, *image)), kernel, (1, 1), dilation=dilation)


def test_a_window_that_is_not_two_dimensional_is_refused():
    for kernel in ((2,), (2, 2, 2)):
        with pytest.raises(ValueError, match="zip"):
            reference.sliding_windows(np.ones((1, 1, 3, 3)), kernel, (1, 1))


@pytest.mark.parametrize(("image", "kernel"), [((2, 4), (2, 3)), ((4, 2), (3, 2)), ((2, 2), (2, 2))])
def test_a_window_as_large_as_the_image_is_its_only_one_in_that_direction(image, kernel):
    windows = reference.sliding_windows(np.ones((1, 1, *image)), kernel, (1, 1))
    assert windows.shape == (1, 1, *(i - k + 1 for i, k in zip(image, kernel, strict=True)), *kernel)


def test_weights_that_do_not_fit_the_groups_are_refused():
    with pytest.raises(ValueError, match="equal division"):
        reference.Conv2d(weight=np.ones((3, 1, 1, 1)), groups=2)(np.ones((1, 2, 1, 1)))


def random(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape)


def agrees(ours, theirs):
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 2)])
@pytest.mark.parametrize(("groups", "dilation"), [(1, (1, 1)), (2, (2, 1)), (4, (1, 2))])
def test_convolution_agrees_with_torch_in_float64(stride, padding, groups, dilation):
    x, w, b = random(2, 4, 7, 8), random(8, 4 // groups, 3, 2), random(8)
    place = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    agrees(
        reference.Conv2d(weight=w, bias=b, **place)(x),
        F.conv2d(*map(torch.from_numpy, (x, w, b)), **place),
    )


@pytest.mark.parametrize(("kernel", "stride"), [((2, 2), None), ((3, 2), (1, 2)), ((2, 3), (2, 1))])
def test_pools_agree_with_torch_in_float64(kernel, stride):
    x = random(2, 3, 7, 8)
    ours = {"kernel": kernel, "stride": stride}
    agrees(reference.AvgPool2d(**ours)(x), F.avg_pool2d(torch.from_numpy(x), kernel, stride))
    agrees(reference.MaxPool2d(**ours)(x), F.max_pool2d(torch.from_numpy(x), kernel, stride))


def test_batch_norm_and_dense_agree_with_torch_in_float64():
    x, mean, variance, gain, shift = random(2, 3, 4, 4), random(3), random(3) ** 2 + 0.1, random(3), random(3)
    norm = reference.BatchNorm(mean=mean, scale=gain / np.sqrt(variance + 1e-5), shift=shift)
    agrees(norm(x), F.batch_norm(*map(torch.from_numpy, (x, mean, variance, gain, shift)), eps=1e-5))
    v, w, b = random(5, 7), random(3, 7), random(3)
    agrees(reference.Dense(weight=w, bias=b)(v), F.linear(*map(torch.from_numpy, (v, w, b))))
