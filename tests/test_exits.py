"""What a command says and returns when something befalls it that is nobody's input and no defect."""

import os
import signal
import sys

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from qvm_verify.exits import Exit, InputError, mishap, run_command, run_module
from tests.commands import refused


class Lost(Dataset):
    """Images that the kernel's killer of processes finds too large."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        os.kill(os.getpid(), signal.SIGKILL)


def too_large():
    return torch.empty(2**45)


def too_large_for_a_gpu():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def too_large_for_python():
    return bytearray(2**62)


def too_large_for_a_library():
    raise RuntimeError("std::bad_alloc")


def too_large_for_a_convolution():
    raise RuntimeError("could not create a primitive")  # oneDNN gives no other reason


def lost():
    return list(DataLoader(Lost(), num_workers=1))


@pytest.mark.parametrize(
    ("befall", "sentence"),
    [
        (too_large, "not enough memory"),
        (too_large_for_a_gpu, "not enough memory"),
        (too_large_for_python, "not enough memory"),
        (too_large_for_a_library, "not enough memory"),
        (too_large_for_a_convolution, "not enough memory"),
        (lost, "a process that loads images was lost"),
    ],
)
def test_what_befalls_a_command_is_told_in_one_sentence_and_is_no_defect(befall, sentence, run):
    refused(run(lambda arguments: befall()), sentence)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("bad_alloc"), OSError(12, "no")])
def test_what_is_wrong_with_the_work_itself_is_no_mishap(error):
    assert mishap(error) is None


@pytest.fixture
def full():
    with open("/dev/full", "w", encoding="utf-8") as file:
        yield file


def test_an_output_on_a_full_disk_is_told_and_returns_no_verdict(full, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", full)

    def command(arguments):
        print("REPRODUCED")
        return Exit.COUNTEREXAMPLE

    assert run_command(command, []) == Exit.BAD_INPUT
    assert capsys.readouterr().err == "qvm-verify: [Errno 28] No space left on device\n"


def test_a_complaint_on_a_full_disk_leaves_the_exit_code_to_say_it(full, monkeypatch):
    monkeypatch.setattr(sys, "stderr", full)

    def command(arguments):
        raise InputError("absent.json: cannot be read")

    assert run_command(command, []) == Exit.BAD_INPUT


def test_an_interrupt_while_the_command_is_imported_is_told_as_any_other(tmp_path, monkeypatch, capsys):
    (tmp_path / "slow_to_import.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert run_module("slow_to_import", []) == 130
    assert capsys.readouterr().err == "qvm-verify: interrupted\n"


def test_a_defect_of_the_tool_passes_for_no_verdict(monkeypatch, capsys):
    def command(arguments):
        raise ZeroDivisionError("one over\nzero")

    monkeypatch.delenv("QVM_TRACEBACK", raising=False)
    assert run_command(command, []) == Exit.CONTRADICTION
    sentence = "qvm-verify: defect of this tool, please report it: ZeroDivisionError: one over zero\n"
    assert capsys.readouterr().err == sentence
    monkeypatch.setenv("QVM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run_command(command, [])
