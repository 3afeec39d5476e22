"""Every pair of network and dataset of the paper: its real loader, its real graph, audited end to end.

The files are written here in their official formats, because a test cannot hold the datasets; where the
real samples are at hand, `tests/datasets` reads those.
"""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import qvm_verify as qvm
from qvm_verify.calibration import calibrate
from qvm_verify.datasets import classes_of, open_dataset
from tests.datasets.files import aedat2, aedat3, cifar_record, dvs128_address, packet, polarity, put


def cifar100_files(folder):
    records = b"".join(cifar_record(k % 20, k, seed=k) for k in range(3))
    put(folder / "test.bin", records)
    return f"cifar100:{folder}"


def imagenet_files(folder):
    pixels = np.random.default_rng(0)
    for label in ("n01440764", "n01443537"):
        picture = io.BytesIO()
        Image.fromarray(pixels.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(picture, "JPEG")
        put(folder / "val" / label / "one.JPEG", picture.getvalue())
    return f"imagenet:{folder}?size=32"


def random_events(seed, count=400):
    draw = np.random.default_rng(seed)
    places, bits = draw.integers(0, 128, (count, 2)).tolist(), draw.integers(0, 2, count).tolist()
    return [(x, y, bit, 1000 + time) for time, ((x, y), bit) in enumerate(zip(places, bits, strict=True))]


def cifar10_dvs_files(folder):
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    for label, name in enumerate(names):
        events = [(dvs128_address(x, y, bit), time) for x, y, bit, time in random_events(label)]
        put(folder / name / f"cifar10_{name}_0.aedat", aedat2(*events))
    return f"cifar10dvs:{folder}?split=all&frames=2&size=16"


def gesture_files(folder):
    events = [polarity(x, y, bit, time) for x, y, bit, time in random_events(0)]
    put(folder / "user01_led.aedat", aedat3(packet(*events)))
    rows = b"class,startTime_usec,endTime_usec\n1,1000,1200\n11,1200,1400\n"
    put(folder / "user01_led_labels.csv", rows)
    put(folder / "trials_to_test.txt", b"user01_led.aedat\n")
    return f"dvs128gesture:{folder}?frames=1&size=16"


PAIRS = [
    ("vgg16", {}, cifar100_files, 15),
    ("resnet18", {}, cifar100_files, 17),
    ("resnet20", {}, cifar100_files, 19),
    ("vgg16", {"variant": "imagenet"}, imagenet_files, 15),
    ("resnet34", {"variant": "imagenet"}, imagenet_files, 33),
    ("resnet18", {"channels": 2}, cifar10_dvs_files, 17),
    ("resnet18", {"channels": 2}, gesture_files, 17),
]


@pytest.mark.parametrize(
    ("name", "keywords", "files", "sites"),
    PAIRS,
    ids=[f"{name}-{files.__name__.removesuffix('_files')}" for name, _, files, _ in PAIRS],
)
def test_a_pair_of_the_paper_is_audited(name, keywords, files, sites, tmp_path, monkeypatch):
    monkeypatch.setattr("qvm_verify.audit.reference_check.SUMS_PER_LAYER", 1)
    torch.manual_seed(0)
    data = open_dataset(files(tmp_path))
    images = torch.stack([data[k][0] for k in range(2)])
    labels = torch.tensor([data[k][1] for k in range(2)])
    ann = getattr(qvm.networks, name)(levels=4, quantizer="floor", classes=classes_of(data), **keywords)
    ann = ann.eval()
    calibrate(ann, [images], method="max")
    report = qvm.verify(ann, qvm.convert(ann), [(images, labels)])
    assert report.findings == ()
    assert report.latency.sites == len(report.certificate) == sites
    assert report.output.labelled == 2
    assert report.reference.neuron_mismatches == report.reference.sums_outside_bound == 0
    reached = sum(entry.reached for entry in report.certificate)
    counted = sum(row.spike_count_mismatches for row in report.layers if row.mode == "shadow")
    assert reached == counted
    # What differs is what the certificates name, and where they name nothing of this data nothing may differ.
    assert report.verdict == ("lossless" if reached == 0 else "not-lossless")
    if reached == 0:
        assert report.output.ann_correct == report.output.snn_correct
    wrong = qvm.verify(ann, qvm.convert(ann, v_init=0.5), [images], certify="off")
    assert wrong.verdict == "not-lossless"
