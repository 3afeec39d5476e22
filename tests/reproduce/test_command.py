"""The command that runs the paper's accuracy curves again, on a checkpoint of one's own."""

import csv

import pytest
import torch

from qvm_verify import networks, snn
from qvm_verify.reproduce.command import command
from tests.commands import refused

FEW = ["--limit", 20, "--time-steps", 2, "--threads", 1]


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_curve_is_the_accuracy_of_each_conversion(run, model, held_out, tmp_path):
    code, out, err = run(command, "fig4", "fig4", "--model", model, *FEW)
    assert (code, err) == (0, "")
    assert out.count("Figure 4") == 1  # asked for twice, run once
    folder = tmp_path / "reports" / "reproduced"
    assert {path.suffix for path in folder.glob("fig4*")} == {".csv", ".md", ".svg", ".png"}
    rows = rows_of(folder / "fig4.csv")
    assert len(rows) == 3 * 2  # V0 by T
    images, labels = held_out[0][0][:20], held_out[0][1][:20]
    network = networks.load(model)
    for row in rows:
        spiking = snn.convert(network, time_steps=int(row["T"]), v_init=float(row["V0 / θ"]))
        with torch.inference_mode():
            right = int((spiking(images).argmax(1) == labels).sum())
        assert (int(row["correct"]), row["images"]) == (right, "20")


@pytest.mark.parametrize(("name", "picture"), [("fig5", "Figure 5"), ("table4", "Table 4")])
def test_the_other_curves_are_written_too_and_say_what_they_are(run, model, tmp_path, name, picture):
    code, out, _ = run(command, name, "--model", model, *FEW, "--report", "elsewhere")
    assert code == 0
    assert picture in out
    assert rows_of(tmp_path / "elsewhere" / f"{name}.csv")
    assert "images right" in (tmp_path / "elsewhere" / f"{name}.md").read_text(encoding="utf-8")


def test_what_cannot_be_measured_is_refused(run, model, tmp_path):
    refused(run(command, "fig4", "--data", "npz:absent.npz"), "absent.npz", "--model")
    refused(run(command, "fig4", "--model", "absent.pt"), "absent.pt")
    refused(run(command, "fig99"))
    torch.manual_seed(0)
    networks.save(networks.resnet18(levels=2, quantizer="round", classes=10), tmp_path / "large.pt")
    refused(run(command, "fig5", "--model", "large.pt", *FEW), "do not run through the network")
