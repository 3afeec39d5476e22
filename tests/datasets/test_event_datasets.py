import pytest
import torch

from qvm_verify import datasets
from tests.datasets.files import (
    aedat2,
    aedat3,
    dvs128_address,
    needs_real_data,
    nmnist,
    packet,
    polarity,
    put,
    real,
    refusal,
)

# N-MNIST


@needs_real_data
def test_the_real_sample_of_n_mnist_is_read_by_its_lists():
    test = datasets.nmnist(real("nmnist-small"))
    assert (len(test), test.missing, test.classes) == (100, 0, 10)
    assert [test[index][1] for index in range(2)] == [7, 2]
    train = datasets.nmnist(real("nmnist-small"), split="train", frames=2)
    assert (len(train), train.missing) == (800, 600)
    assert [train[index][1] for index in range(3)] == [5, 5, 0]
    frame, _ = train[0]
    assert frame.sum() == 4681 // 2  # 23,405 bytes of 5 an event, in two frames


def test_n_mnist_is_read_from_its_class_folders(tmp_path):
    for label, name in [(7, "2.bin"), (7, "1.bin"), (0, "9.bin")]:
        put(tmp_path / "Test" / str(label) / name, nmnist((label, 1, 1, 5)))
    put(tmp_path / "Train" / "3" / "1.bin", nmnist((1, 1, 1, 5)))
    dataset = datasets.nmnist(tmp_path)
    assert [label for _, label in dataset] == [0, 7, 7]
    assert [recording.path.name for recording in dataset.recordings] == ["9.bin", "1.bin", "2.bin"]
    assert dataset[1][0][1, 1, 7] == 1
    assert len(datasets.nmnist(tmp_path, split="train")) == 1


def test_a_folder_that_is_no_n_mnist_is_refused(tmp_path):
    assert "must hold a folder Test, or one list test*.txt of recordings (found: none)" in refusal(
        datasets.nmnist, tmp_path
    )
    put(tmp_path / "Train" / "ten" / "1.bin", b"")
    assert "no such folder" in refusal(datasets.nmnist, tmp_path)
    assert "ten: the class must be one of 0..9" in refusal(datasets.nmnist, tmp_path, split="train")
    (tmp_path / "Test" / "1").mkdir(parents=True)
    assert "holds no recording 0..9/*.bin" in refusal(datasets.nmnist, tmp_path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1\t10", "line 2: class 10, and must be 0..9"),
        ("1", "line 2 is '1', and must be a sample and its class"),
        ("one\t1", "line 2 is 'one\\t1'"),
        ("9" * 5000 + "\t1", "must be a sample and its class"),
        ("../1\t1", "line 2 is '../1\\t1'"),
        ("2\t1", "holds none of the 1 recordings *.bs2 that test.txt lists"),
    ],
)
def test_a_wrong_list_of_recordings_is_refused_with_its_line(line, reason, tmp_path):
    put(tmp_path / "1.bs2", nmnist((1, 1, 1, 1)))
    put(tmp_path / "test.txt", f"#sample #class\r\n{line}\r\n".encode())
    assert reason in refusal(datasets.nmnist, tmp_path)
    put(tmp_path / "test.txt", b"#sample #class\r\n1\t4\r\n5\t4\r\n")
    assert datasets.nmnist(tmp_path).missing == 1
    put(tmp_path / "test2.txt", b"1\t4\r\n")
    assert "(found: test.txt, test2.txt)" in refusal(datasets.nmnist, tmp_path)


# CIFAR10-DVS


def dvs_folder(folder):
    for name, number, column in [
        ("truck", 3, 1),
        ("airplane", 0, 2),
        ("airplane", 100, 3),
        ("airplane", 99, 4),
    ]:
        events = aedat2((dvs128_address(column, 0, 0), 5), (dvs128_address(column, 0, 1), 9))
        put(folder / name / f"cifar10_{name}_{number}.aedat", events)
    return folder


def test_cifar10_dvs_is_read_from_its_class_folders_and_split_by_number(tmp_path):
    test = datasets.cifar10dvs(dvs_folder(tmp_path))
    assert test.classes == 10
    assert [label for _, label in test] == [0, 0, 9]
    assert len(datasets.cifar10dvs(tmp_path, split="train")) == 1
    assert len(datasets.cifar10dvs(tmp_path, split="all")) == 4
    frame, _ = test[0]
    assert frame.shape == (2, 128, 128)
    assert (frame[1, 127, 125], frame[0, 127, 125], frame.sum()) == (1, 1, 2)
    transposed, _ = datasets.cifar10dvs(tmp_path, orientation="spikingjelly")[0]
    assert torch.equal(transposed, frame.transpose(1, 2))
    assert datasets.cifar10dvs(tmp_path, size=48, frames=2)[5][0].shape == (2, 48, 48)


def test_a_folder_that_is_no_cifar10_dvs_is_refused(tmp_path):
    assert "holds no recording CLASS/*.aedat of the split 'test'" in refusal(datasets.cifar10dvs, tmp_path)
    path = put(tmp_path / "ship" / "one.aedat", aedat2((0, 0)))
    assert f"{path}: the name must end with _NUMBER.aedat" in refusal(datasets.cifar10dvs, tmp_path)
    put(tmp_path / "plane" / "cifar10_plane_1.aedat", aedat2((0, 0)))
    assert "plane: the class must be one of airplane, " in refusal(datasets.cifar10dvs, tmp_path)


def test_a_corrupt_recording_is_refused_when_it_is_asked_for(tmp_path):
    path = dvs_folder(tmp_path) / "airplane" / "cifar10_airplane_0.aedat"
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path}: event 1 at byte" in refusal(datasets.cifar10dvs(tmp_path).__getitem__, 0)
    assert f"{path}: event 1 at byte" in refusal(datasets.cifar10dvs, tmp_path, duration=1000)


# DVS128 Gesture

LABELS = b"class,startTime_usec,endTime_usec\n"


def gestures(folder, labels=LABELS + b"1,10,20\n11,20,31\n", trials=b"user24_led.aedat\n"):
    events = [polarity(time, 7, 1, time) for time in (9, 10, 19, 20, 30, 31)]
    put(folder / "user24_led.aedat", aedat3(packet(*events[:3]), packet(*events[3:])))
    put(folder / "user24_led_labels.csv", labels)
    put(folder / "trials_to_test.txt", trials)
    return folder


def test_a_gesture_is_what_happens_from_its_start_to_before_its_end(tmp_path):
    dataset = datasets.dvs128gesture(gestures(tmp_path))
    assert (len(dataset), dataset.classes) == (2, 11)
    (first, label), (second, last) = dataset
    assert (label, last) == (0, 10)
    assert first[1, 7].nonzero().flatten().tolist() == [10, 19]
    assert second[1, 7].nonzero().flatten().tolist() == [20, 30]
    assert second[0].sum() == 0
    assert [int(frame.sum()) for frame, _ in datasets.dvs128gesture(tmp_path, frames=2)] == [1] * 4
    assert [int(frame.sum()) for frame, _ in datasets.dvs128gesture(tmp_path, duration=5)] == [1, 1, 1, 1]


def test_gestures_may_overlap_and_lines_end_as_they_like(tmp_path):
    gestures(tmp_path, LABELS + b"9,10,31\r\n10,19,31\r\n\r\n", b"user24_led.aedat\r\n\r\n")
    assert [int(frame.sum()) for frame, _ in datasets.dvs128gesture(tmp_path)] == [4, 3]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (b"", "line 1 is '', and must be 'class,startTime_usec,endTime_usec'"),
        (b"1,10,20\n", "line 1 is '1,10,20', and must be"),
        (LABELS, "lists no trial with a gesture"),
        (LABELS + b"0,10,20\n", "line 2: class 0, and must be 1..11"),
        (LABELS + b"1,10,20\n12,10,20\n", "line 3: class 12, and must be 1..11"),
        (LABELS + b"1,20,20\n", "line 2: from 20 to 20 us is no stretch of time"),
        (LABELS + b"1,20\n", "line 2 is '1,20', and must be three numbers"),
        (LABELS + b"1,-1,5\n", "must be three numbers"),
        (LABELS + b"1,1.5,5\n", "must be three numbers"),
        (LABELS + "1,²,5\n".encode(), "must be three numbers"),
        (LABELS + b"\xff\xfe\n", "must be three numbers"),
        (LABELS + b"1,1,9999999999999999999\n", "no stretch of time"),
        (LABELS + b"1,1," + b"9" * 5000, "must be three numbers"),
    ],
)
def test_wrong_labels_of_a_trial_are_refused_with_the_line(labels, reason, tmp_path):
    assert reason in refusal(datasets.dvs128gesture, gestures(tmp_path, labels))


def test_wrong_lists_of_trials_are_refused(tmp_path):
    assert "trials_to_train.txt: cannot be read" in refusal(datasets.dvs128gesture, tmp_path, split="train")
    gestures(tmp_path, trials=b"user99_lab.aedat\n")
    assert "user99_lab.aedat: no such file, and trials_to_test.txt lists it" in refusal(
        datasets.dvs128gesture, tmp_path
    )
    for name in (b"../user24_led.aedat", b"user24_led"):
        gestures(tmp_path, trials=name)
        assert "must be the name of an .aedat file" in refusal(datasets.dvs128gesture, tmp_path)


def test_a_gesture_without_an_event_is_refused_with_its_time(tmp_path):
    dataset = datasets.dvs128gesture(gestures(tmp_path, LABELS + b"1,40,50\n"))
    assert "0 events with 40 <= t < 50 us, too few for 1 frame(s)" in refusal(dataset.__getitem__, 0)
