"""The plugin, in a real pytest of its own: it fails a bad conversion and passes a good one."""

import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
import torch

from qvm_verify import networks, pytest_plugin
from qvm_verify.audit import verify
from qvm_verify.snn import QuantizedActivation, convert

INSTALLED = any(point.value == "qvm_verify.pytest_plugin" for point in entry_points(group="pytest11"))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Return the path of a checkpoint of a network that nobody trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("plugin") / "model.pt"
    networks.save(networks.digits_cnn(levels=4, quantizer="floor"), path)
    return path


def pytest_in(folder, *arguments):
    """Run pytest in a folder and return its exit code and what it printed."""
    plugin = [] if INSTALLED else ["-p", "qvm_verify.pytest_plugin"]
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return process.returncode, process.stdout + process.stderr


def test_a_good_conversion_passes_with_an_item_for_each_layer_and_property(network, tmp_path):
    code, out = pytest_in(tmp_path, "--qvm-model", network, "--qvm-limit", 4, "-v")
    assert code == 0, out
    for site in ("act", "block1.act1", "block2.act2"):
        assert f"qvm-verify::{site}::shadow PASSED" in out
        assert f"qvm-verify::{site}::end-to-end PASSED" in out
        assert f"qvm-verify::{site}::certificate " in out
    assert "qvm-verify::(network)::outputs PASSED" in out
    assert not list(tmp_path.iterdir())


def test_a_bare_state_dict_is_audited_with_what_it_does_not_hold(network, tmp_path):
    bare = tmp_path / "bare.pt"
    torch.save(networks.load(network).state_dict(), bare)
    given = ("--qvm-model", bare, "--qvm-limit", 4, "-k", "act1 and shadow")
    code, out = pytest_in(tmp_path, *given, "--qvm-levels", 4, "--qvm-quantizer", "floor")
    assert code == 0, out
    assert "2 passed" in out
    code, out = pytest_in(tmp_path, *given, "--qvm-levels", "four")
    assert code == 4
    assert "must be an integer from 1 to 2^31 - 1, got 'four'" in out
    code, out = pytest_in(tmp_path, *given, "--qvm-levels", 4)
    assert code == 4
    assert "give --quantizer" in out


def test_a_bad_conversion_fails_with_the_trace(network, tmp_path):
    code, out = pytest_in(tmp_path, "--qvm-model", network, "--qvm-limit", 4, "--qvm-v-init", "0.5", "-v")
    assert code == 1
    assert "qvm-verify::act::shadow FAILED" in out
    assert "qvm-verify::(network)::reference PASSED" in out
    assert "spike counts differ from their levels (shadow)" in out
    assert "cause: v-init (with V0 matched to the quantizer: M = " in out
    assert "  t = 4: q = " in out
    assert "Traceback" not in out


def test_items_are_selected_like_any_other_and_stand_beside_ordinary_tests(network, tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import qvm_verify as qvm\n"
        "import torch\n"
        "def test_own():\n"
        f"    ann = qvm.load({str(network)!r})\n"
        "    images = [torch.ones(1, 1, 8, 8)]\n"
        "    qvm.assert_lossless(ann, qvm.convert(ann, v_init=0.5), images, certify='off')\n",
        encoding="utf-8",
    )
    flags = ("--qvm-model", network, "--qvm-limit", 2, "-k", "own or (block1 and shadow)", "-v")
    code, out = pytest_in(tmp_path, *flags)
    assert code == 1
    assert "1 failed, 2 passed, " in out
    assert "E       AssertionError: not-lossless: REFUTED: " in out
    assert "cause: v-init" in out


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--qvm-model", "absent.pt"], "absent.pt"),
        (["--qvm-v-init", "much", "--qvm-model"], "--v-init: must be a finite number, got 'much'"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(flags, reason, network, tmp_path):
    code, out = pytest_in(
        tmp_path, *flags, *([network] if flags[-1] == "--qvm-model" else []), "-k", "outputs"
    )
    assert code == (4 if "absent.pt" in flags else 1)
    assert reason in out
    assert "Traceback" not in out


def test_without_a_model_the_plugin_loads_nothing_heavy_and_adds_no_item(tmp_path):
    (tmp_path / "test_light.py").write_text(
        "import sys\n"
        "def test_light():\n"
        "    assert 'qvm_verify.pytest_plugin' in sys.modules\n"
        "    assert not {'torch', 'numpy', 'qvm_verify.audit'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    others = ("-p", "no:hypothesispytest", "-p", "no:randomly")  # which load NumPy themselves
    code, out = pytest_in(tmp_path, *others, "-q")
    assert code == 0, out
    assert "1 passed" in out


def test_what_was_not_looked_at_fails_and_what_was_not_decided_is_skipped():
    activation = QuantizedActivation(4, "floor")
    ann = torch.nn.Sequential(activation).eval()
    report = verify(ann, convert(ann), [torch.ones(1, 1)], certify="off")
    pytest_plugin.check_shadow(report, "0")
    with pytest.raises(pytest.fail.Exception, match="elsewhere was not looked at"):
        pytest_plugin.check_end_to_end(report, "elsewhere")
    with pytest.raises(pytest.skip.Exception, match="not decided beyond the data"):
        pytest_plugin.check_certificate(report, "0")
    with pytest.raises(pytest.skip.Exception, match="nothing to judge it by"):
        pytest_plugin.check_claim(report, "audit.no-such-claim")


def test_a_site_that_some_number_refutes_is_expected_to_fail_until_the_data_hit_that_number():
    ann = torch.nn.Sequential(QuantizedActivation(6, "floor")).eval()
    missed = verify(ann, convert(ann), [torch.ones(1, 1)])
    with pytest.raises(pytest.xfail.Exception, match="1 float32 numbers, which no image hit"):
        pytest_plugin.check_certificate(missed, "0")
    hit = verify(ann, convert(ann), [torch.full((1, 1), float.fromhex("0x1.aaaaaap-1"))])
    with pytest.raises(pytest.fail.Exception, match="the data hit 1 of them"):
        pytest_plugin.check_certificate(hit, "0")
    with pytest.raises(pytest.fail.Exception, match="not-lossless: 1 of 1 spike counts differ"):
        pytest_plugin.check_shadow(hit, "0")
