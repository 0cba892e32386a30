"""Signs: what is at work, and what only looks like it."""

import os

import pytest

from imports.workers import signs as module
from imports.workers.signs import BUSY, DONE, GUARDING, IDLE, Signs, give_sign


@pytest.fixture
def signs(monkeypatch):
    """Those of a lane whose two workers are this process and its parent; the clock stands still but for `wait`."""
    signs = Signs()
    monkeypatch.setattr(module, "_pipe", signs.writing)
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    signs.done_at = signs.guarded_at = 1000.0
    yield signs
    signs.close()


ME, OTHER, GONE = os.getpid(), os.getppid(), 4_194_300
STORIES = {
    "nothing was told at all": ([], True),
    "an idle worker takes no task": ([(0, IDLE, ME)], True),
    "a task came to its end": ([(0, IDLE, ME), (8, DONE, 1)], False),
    "the only worker is busy": ([(0, IDLE, ME), (1, BUSY, ME)], False),
    "one is busy, and an idle one takes no task": ([(0, IDLE, ME), (0, IDLE, OTHER), (1, BUSY, ME)], True),
    "one was busy until a moment ago": ([(0, BUSY, ME), (9, IDLE, ME)], False),
    "an idle worker has only begun": ([(9, IDLE, ME)], False),
    "the busy one is gone": ([(0, BUSY, GONE)], True),
    "a gone one was idle, and the other is busy": ([(0, IDLE, GONE), (0, BUSY, ME)], False),
}


@pytest.mark.parametrize(("told", "silent"), STORIES.values(), ids=STORIES)
def test_silence_is_told_from_work(signs, monkeypatch, told, silent):
    for second in range(11):
        monkeypatch.setattr("time.monotonic", lambda second=second: 1000.0 + second)
        give_sign(GUARDING, 1)
        for at, what, process in told:
            if at == second:
                give_sign(what, process)
        signs.read()
    assert signs.is_silent(5) is silent


@pytest.mark.parametrize("error", [None, PermissionError], ids=["by one of ours", "by one of somebody else"])
def test_the_number_of_a_worker_that_is_gone_may_be_used_again(signs, monkeypatch, error):
    def kill(process, what):
        if error:
            raise error

    give_sign(BUSY, ME)
    give_sign(IDLE, GONE)
    signs.read()
    monkeypatch.setattr("os.kill", kill)
    monkeypatch.setattr("time.monotonic", lambda: 1010.0)
    give_sign(GUARDING, 1)
    give_sign(IDLE, OTHER)
    signs.read()
    assert signs.is_silent(5) is bool(error)  # where no worker is left
    assert signs.idle_since.keys() == (set() if error else {OTHER})


def test_workers_that_nobody_guards_are_given_up(signs, monkeypatch):
    give_sign(BUSY, ME)
    signs.read()
    monkeypatch.setattr("time.monotonic", lambda: 1010.0)
    assert signs.is_silent(5)


def test_whoever_gives_a_sign_never_waits_for_its_reader(signs):
    for _ in range(10_000):  # more than a pipe holds
        give_sign(DONE, 1)
    signs.read()
    assert signs.told
