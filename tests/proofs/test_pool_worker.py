"""What a worker of the pool does, looked at from within: the pool kills it in the end, with all it knows."""

from threading import Thread

import pytest

from qvm_verify.proofs import pool


def half(number):
    return number // 0 if number == 13 else number / 2


@pytest.fixture
def worker(monkeypatch):
    """Return our end of the connection to a worker that is a thread of this process, and the thread."""
    monkeypatch.setattr(pool, "_end_with_parent", lambda: None)  # or this process ended with its own
    ours, theirs = pool.SPAWN.Pipe()
    thread = Thread(target=pool._serve, args=(theirs, half))
    thread.start()
    yield ours, theirs, thread
    ours.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_worker_answers_call_after_call_says_what_was_raised_and_leaves_with_its_caller(worker):
    connection, *_ = worker
    for number, reply in (
        (4, (2.0, None)),
        (13, (None, "ZeroDivisionError: integer division or modulo by zero")),
        (6, (3.0, None)),
    ):
        connection.send((number,))
        assert connection.recv() == reply


def test_a_worker_whose_reply_nobody_hears_leaves(worker):
    connection, theirs, thread = worker
    theirs.send = lambda reply: (_ for _ in ()).throw(BrokenPipeError)
    connection.send((4,))
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.parametrize(("time_limit", "workers"), [(0, 1), (-1.0, 1), (1.0, 0)])
def test_limits_are_positive(time_limit, workers):
    with pytest.raises(ValueError, match="must be positive"):
        list(pool.call_all(half, [(4,)], time_limit=time_limit, workers=workers))
