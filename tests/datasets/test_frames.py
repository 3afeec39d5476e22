import pickle
from functools import partial

import numpy as np
import pytest
import torch

from qvm_verify.datasets.events import Events, Sensor
from qvm_verify.datasets.frames import EventFrames, Recording, count_bounds, duration_frames, integrate
from qvm_verify.datasets.nmnist import read_nmnist
from tests.datasets.files import nmnist, put, refusal

SENSOR = Sensor(34, 34)


def events_at(*times):
    zeros = np.zeros(len(times), dtype=np.int64)
    return Events(t=np.array(times, dtype=np.int64), x=zeros, y=zeros, p=zeros)


def frames_of(tmp_path, times, **options):
    """Return the number of events in each frame of a recording at these times."""
    path = put(tmp_path / "a.bin", nmnist(*[(1, 2, 1, time) for time in times]))
    dataset = EventFrames([Recording(path=path, label=3)], read_nmnist, sensor=SENSOR, classes=10, **options)
    assert all(label == 3 for _, label in dataset)
    return [int(frame.sum()) for frame, _ in dataset]


def test_a_frame_counts_events_by_polarity_row_and_column():
    x, y, p = np.array([[3, 3, 0, 33], [1, 1, 0, 32], [1, 1, 0, 1]])
    frame = integrate(Events(t=x, x=x, y=y, p=p), SENSOR)
    assert frame.dtype == torch.float32
    assert frame.shape == (2, 34, 34)
    assert (frame[1, 1, 3], frame[0, 0, 0], frame[1, 32, 33]) == (2, 1, 1)
    assert frame.sum() == 4


def test_a_smaller_frame_sums_the_pixels_of_its_cells():
    generator = np.random.default_rng(0)
    x, y, p, t = generator.integers(0, [[128], [128], [2], [1]], (4, 5000))
    events = Events(t=t, x=x, y=y, p=p)
    full = integrate(events, Sensor(128, 128))
    assert torch.equal(
        integrate(events, Sensor(128, 128), size=64), 4 * torch.nn.functional.avg_pool2d(full, 2)
    )
    small = integrate(events, Sensor(128, 128), size=48)
    assert small.shape == (2, 48, 48)
    assert small.sum() == 5000
    assert small[0, 0, 0] == full[0, :3, :3].sum()  # rows and columns 0, 1, 2 of 128 fall on cell 0 of 48


@pytest.mark.parametrize(
    ("events", "frames", "sizes"),
    [(10, 3, [3, 3, 4]), (9, 3, [3, 3, 3]), (5, 1, [5]), (4, 4, [1] * 4), (7, 4, [1, 1, 1, 4])],
)
def test_frames_of_a_fixed_count_hold_equally_many_events_and_the_last_the_rest(
    events, frames, sizes, tmp_path
):
    bounds = [count_bounds(events, frames, frame) for frame in range(frames)]
    assert [right - left for left, right in bounds] == sizes
    assert [left for left, _ in bounds[1:]] == [right for _, right in bounds[:-1]]
    assert frames_of(tmp_path, range(events), frames=frames) == sizes


@pytest.mark.parametrize(
    ("times", "duration", "sizes"),
    [
        ([7, 8, 16, 17, 36], 10, [3, 1, 1]),  # from the first event; 17 begins the second frame
        ([0, 9, 10, 19, 20], 10, [2, 3]),  # the last frame takes the event on its end
        ([0, 50], 10, [1, 0, 0, 0, 1]),  # silence is a frame too
        ([5, 5, 5], 10, [3]),
        ([0, 3], 10, [2]),
    ],
)
def test_frames_of_a_fixed_duration_are_counted_from_the_first_event(times, duration, sizes, tmp_path):
    assert duration_frames(events_at(*times), duration) == len(sizes)
    assert frames_of(tmp_path, times, duration=duration) == sizes


def test_frames_of_many_recordings_follow_each_other_with_their_labels(tmp_path):
    lasting = [12, 0, 25]
    recordings = [
        Recording(path=put(tmp_path / f"{label}.bin", nmnist((0, 0, 0, 0), (label, 0, 1, end))), label=label)
        for label, end in enumerate(lasting)
    ]
    dataset = EventFrames(recordings, read_nmnist, sensor=SENSOR, classes=10, duration=10)
    assert [label for _, label in dataset] == [0, 0, 1, 2, 2, 2]
    assert torch.equal(dataset[-1][0], dataset[5][0])
    assert dataset[5][0][1, 0, 2] == 1
    with pytest.raises(IndexError):
        dataset[6]
    again = pickle.loads(pickle.dumps(dataset))  # for a loader's workers
    assert torch.equal(again[3][0], dataset[3][0])


def test_the_order_of_asking_changes_nothing(tmp_path):
    recordings = [
        Recording(
            path=put(tmp_path / f"{label}.bin", nmnist(*[(label, t, 0, t) for t in range(9)])), label=label
        )
        for label in range(3)
    ]
    dataset = EventFrames(
        recordings, partial(read_nmnist, unsorted="sort"), sensor=SENSOR, classes=10, frames=3
    )
    forward = [dataset[index][0] for index in range(9)]
    backward = [dataset[index][0] for index in reversed(range(9))]
    assert all(torch.equal(a, b) for a, b in zip(forward, reversed(backward), strict=True))


def test_a_recording_of_too_few_events_is_refused(tmp_path):
    assert "0 events, too few for 1 frame(s)" in refusal(frames_of, tmp_path, [])
    assert "0 events, too few" in refusal(frames_of, tmp_path, [], duration=10)
    assert f"{tmp_path / 'a.bin'}: 2 events, too few for 3 frame(s)" in refusal(
        frames_of, tmp_path, [1, 2], frames=3
    )


def test_frames_that_cannot_be_are_refused(tmp_path):
    assert "exclude each other" in refusal(frames_of, tmp_path, [1], frames=1, duration=1)
    assert "size=35: the sensor has only 34 x 34 pixels" in refusal(frames_of, tmp_path, [1], size=35)


def test_two_events_far_apart_make_no_endless_recording(tmp_path):
    path = put(tmp_path / "a.bin", b"")
    recordings = [Recording(path=path, label=3)] * 3

    def read(path):
        return events_at(0, 2**62)

    said = refusal(EventFrames, recordings, read, sensor=SENSOR, classes=10, duration=1)
    assert f"lasts {2**62} frames of 1 us, and up to 16777216 are made" in said
