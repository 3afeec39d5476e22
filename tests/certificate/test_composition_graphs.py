"""What graphs, operations and settings the composition knows, and what it makes of all others."""

import copy
import operator
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qvm_verify.certificate import compose
from qvm_verify.snn import IFNeuron, IFSettings, QuantizedActivation
from tests.certificate.composed import Around, converted, converted_digits, digits, images, obstacles, put
from tests.certificate.sites import decide, next_up, pair


def branching(x: Tensor) -> Tensor:
    return x + 1 if bool(x.sum() > 0) else x


def twice(x: Tensor) -> Tensor:
    return torch.cat([x, x], 1)


def pooled(x: Tensor) -> Tensor:
    grid = x.view(x.size(0), 1, 2, 2)
    return torch.flatten(nn.functional.max_pool2d(grid, 2) + grid.mean([2, 3], keepdim=True), 1)


def on_a_modules_output(x: Tensor) -> Tensor:
    x += 1  # the site's output is memory of its own
    return x


def in_place(x: Tensor) -> Tensor:
    y = x + 1
    y += x
    return y.reshape(x.shape[0], 2, -1)


@pytest.mark.parametrize(
    "after",
    [
        twice,
        pooled,
        in_place,
        on_a_modules_output,
        lambda x: x[:, 1:],
        lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
        nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Identity(), nn.Flatten(0)),
    ],
    ids=[
        "cat",
        "functions and methods",
        "in place",
        "in place on a module's output",
        "slice",
        "constant",
        "modules",
    ],
)
def test_known_operations_are_no_obstacle(after: Any) -> None:
    ann, snn, certificates = converted(Around(after))
    assert obstacles(ann, snn, certificates) == []
    with torch.no_grad():
        x = torch.randn(8, 4)
        assert torch.equal(ann(x).view(torch.int32), snn(x).view(torch.int32))


def test_max_pool_is_the_same_operation_on_the_same_bits() -> None:
    ann = digits()
    ann.pool = nn.MaxPool2d(2)
    ann, snn, certificates = converted(ann)
    assert obstacles(ann, snn, certificates) == []
    with torch.no_grad():
        for image in images():
            assert torch.equal(ann(image).view(torch.int32), snn(image).view(torch.int32))


def under_autocast(x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return x + 1


def writes_into_an_alias(x: Tensor) -> Tensor:
    y = x.view(-1)
    y += 1
    return x


def multiplies_in_place(x: Tensor) -> Tensor:
    x *= 2
    return x


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(nn.ReLU(), "after: ReLU is not an operation that this check knows", id="ReLU module"),
        pytest.param(torch.relu, "relu: relu is not an operation that this check knows", id="relu function"),
        pytest.param(lambda x: x.sigmoid(), "sigmoid: sigmoid is not an operation", id="unknown method"),
        pytest.param(lambda x: x.T, "getattr_1: getattr is not an operation", id="unknown attribute"),
        pytest.param(lambda x: torch.add(x, x, out=x), "add: add is not an operation", id="a given output"),
        pytest.param(lambda x: x.mean(1, dtype=torch.float64), "mean: mean takes other", id="a dtype"),
        pytest.param(
            lambda x: x + torch.ones(4, dtype=torch.float64),
            "_tensor_constant0: is a constant of dtype torch.float64",
            id="a constant of another dtype",
        ),
        pytest.param(branching, "ANN: cannot be traced by torch.fx: symbolically traced", id="control flow"),
        pytest.param(under_autocast, "ANN: runs under autocast", id="autocast inside"),
        pytest.param(writes_into_an_alias, "iadd: iadd writes into memory", id="an alias written"),
        pytest.param(multiplies_in_place, "imul: imul is not an operation", id="another in-place operator"),
        pytest.param(
            nn.BatchNorm1d(4, track_running_stats=False),
            "after: normalizes by the batch",
            id="batch statistics",
        ),
    ],
)
def test_what_is_not_known_is_an_obstacle_although_both_networks_do_it(after: Any, expected: str) -> None:
    found = obstacles(*converted(Around(after)))
    assert any(sentence.startswith(expected) for sentence in found), found


@pytest.mark.parametrize(
    ("ann_after", "snn_after", "expected"),
    [
        # a + b and b + a are the same sum; this check asks for the same wiring and says UNKNOWN.
        pytest.param(
            lambda x: operator.add(x, twice(x)[:, :4]),
            lambda x: operator.add(*reversed((x, twice(x)[:, :4]))),
            "add: add takes other arguments in the SNN",
            id="swapped operands",
        ),
        pytest.param(lambda x: x + 0.0, lambda x: x + -0.0, "add: add takes other arguments", id="-0.0"),
        pytest.param(lambda x: x + 1, lambda x: x + 1.0, "add: add takes other arguments", id="1 and 1.0"),
        pytest.param(lambda x: x[:, 1:], lambda x: x[:, :3], "getitem: getitem takes other", id="slice"),
        pytest.param(lambda x: x.mean(1), lambda x: x.mean(dim=1), "mean: mean takes other", id="keyword"),
        pytest.param(
            lambda x: x + 1, lambda x: torch.add(x, 1), "add: the graphs part here", id="other function"
        ),
        pytest.param(
            lambda x: x + torch.tensor([1.0]),
            lambda x: x + next_up(torch.tensor([1.0])),
            "_tensor_constant0: it differs in 1 of 1 values",
            id="constant, one ulp",
        ),
        pytest.param(
            nn.Identity(),
            lambda x: x + 1,
            "after: the graphs part here: the ANN runs Identity, the SNN add",
            id="module and function",
        ),
        pytest.param(lambda x: x, lambda x: x + 1, "output: the graphs part here", id="one more operation"),
        pytest.param(lambda x: x + 1, in_place, "iadd", id="in place in one only"),
        pytest.param(twice, branching, "SNN: cannot be traced by torch.fx: symbolically", id="control flow"),
        pytest.param(twice, lambda x: x.nonsense.__nope__, "", id="a forward that fails"),
    ],
)
def test_a_graph_that_differs_is_an_obstacle(
    ann_after: Callable[[Tensor], Tensor], snn_after: Callable[[Tensor], Tensor], expected: str
) -> None:
    ann, snn, certificates = converted(Around(ann_after))
    snn._modules.pop("after", None)
    put("after", snn_after)(snn)
    found = obstacles(ann, snn, certificates)
    assert found
    assert any(expected in sentence for sentence in found), found


def test_in_place_operators_are_told_from_the_others() -> None:
    def out_of_place(x: Tensor) -> Tensor:
        y = x + 1
        y = y + x
        return y.reshape(x.shape[0], 2, -1)

    ann, snn, certificates = converted(Around(in_place))
    put("after", out_of_place)(snn)
    assert "iadd: the graphs part here: the ANN runs iadd, the SNN add" in obstacles(ann, snn, certificates)


def test_writing_into_the_image_is_an_obstacle() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = QuantizedActivation(8, "floor", 2.0)

        def forward(self, x: Tensor) -> Tensor:
            x += 1
            out: Tensor = self.act(x)
            return out

    (found,) = obstacles(*converted(Writes()))
    assert found == "iadd: iadd writes into memory that may be the image or a parameter"


def test_a_shared_site_is_an_obstacle() -> None:
    class Shares(Around):
        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.act(self.linear(self.act(self.linear(x))))
            return out

    (found,) = obstacles(*converted(Shares(None)))
    assert found == "act: is a shared site: its module runs more than once"


def test_dropout_in_training_is_an_obstacle() -> None:
    ann, snn, certificates = converted(Around(nn.Dropout()))
    snn.train()
    assert obstacles(ann, snn, certificates) == ["after: is in training mode in the SNN"]


def test_networks_without_a_site_are_not_called_bit_exact() -> None:
    ann, snn, certificates = converted(nn.Sequential(nn.Linear(4, 4)))
    (found,) = obstacles(ann, snn, certificates)
    assert found.startswith("(network): no activation of the ANN meets a neuron")


def test_a_network_that_is_one_activation_is_composed() -> None:
    activation, neuron = pair(8, "floor", 2.0)
    certificates = {"(network)": decide(activation, neuron, activation, "boundary")}
    assert obstacles(activation, neuron, certificates) == []
    assert obstacles(activation, neuron, {}) == ["(network): has no certificate"]


def test_swapped_certificates_are_an_obstacle_at_both_sites() -> None:
    ann, snn, certificates = converted_digits()
    certificates["act"], certificates["block1.act1"] = certificates["block1.act1"], certificates["act"]
    assert [sentence.split(":")[0] for sentence in obstacles(ann, snn, certificates)] == [
        "act",
        "block1.act1",
    ]


def test_a_neuron_beyond_the_theorem_is_decided_again_by_its_sweep() -> None:
    activation, _ = pair(1, "floor", 2.0, torch.float16)
    v_init = torch.zeros((), dtype=torch.float16)
    neuron = IFNeuron(activation.threshold, v_init, IFSettings(1, reset="reset_to_zero"))
    certificate = decide(activation, neuron, activation, "exhaustive")
    assert certificate.mismatches == 0
    assert obstacles(activation, neuron, {"(network)": certificate}) == []
    other = IFNeuron(activation.threshold, v_init + 1, IFSettings(1, reset="reset_to_zero"))
    (found,) = obstacles(activation, other, {"(network)": certificate})
    assert "is of another activation or neuron" in found


def test_meta_networks_hold_no_bits_to_compare() -> None:
    ann, snn, certificates = converted_digits()
    found = obstacles(ann.to("meta"), snn.to("meta"), certificates)
    assert found == ["(settings): nothing is known of the kernels of a meta device"]


def test_composing_leaves_both_networks_as_they_are() -> None:
    ann, snn, certificates = converted(Around(lambda x: x + torch.ones(4)))
    before = [(set(vars(m)), copy.deepcopy(m.state_dict())) for m in (*ann.modules(), *snn.modules())]
    compose(ann, snn, certificates)
    for module, (names, tensors) in zip((*ann.modules(), *snn.modules()), before, strict=True):
        assert set(vars(module)) == names
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, tensors[name])


def test_autocast_around_is_an_obstacle() -> None:
    ann, snn, certificates = converted_digits()
    with torch.autocast("cpu", torch.bfloat16):
        found = obstacles(ann, snn, certificates)
    assert [sentence.split(":")[0] for sentence in found if "autocast" in sentence] == ["ANN", "SNN"]


def test_a_hook_of_all_modules_is_an_obstacle() -> None:
    ann, snn, certificates = converted_digits()
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        found = obstacles(ann, snn, certificates)
    finally:
        handle.remove()
    assert found == [f"{label}: a hook of all modules runs, which no graph shows" for label in ("ANN", "SNN")]
