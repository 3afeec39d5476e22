"""What befalls a process: actions, each done by the process to itself."""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import resource
import signal
from pathlib import Path

import torch

CAPABILITY_VERSION = 0x20080522  # of capset(2): 64 bits of capabilities, in two halves


def nothing() -> None:
    """Do nothing: what befalls the process lies around it."""


def send_itself(number: signal.Signals) -> None:
    """Send this process a signal."""
    os.kill(os.getpid(), number)


def find_the_disk_full() -> None:
    """Fail as a step on a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def let_no_file_grow_over(size: int) -> None:
    """Let the writes of this process fall short where a file would grow over `size` bytes, and then fail."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def fill_stdout() -> None:
    """Put the output of this process on a disk that is full."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def make_read_only(folder: Path) -> None:
    """Let nobody write into a folder, this process not even if it is root's."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def lack_memory(more: int) -> None:
    """Let this process have no more than so many bytes beside what it uses now."""
    ctypes.CDLL(None).malloc_trim(0)  # what it has, but does not use
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def ask_for_too_much() -> None:
    """Ask PyTorch for more memory than there can be."""
    torch.empty(2**45)


def lack_memory_of_a_gpu() -> None:
    """Fail as PyTorch does where a GPU has no more memory."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def lack_memory_of_python() -> None:
    """Fail as Python does where there is no more memory."""
    raise MemoryError


def lose_the_loaders() -> None:
    """Kill the processes that load images."""
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
