"""Signs: what a lane's processes tell whoever watches them, through a pipe that needs neither disk nor database."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from django_q.signals import post_execute, post_execute_in_worker, post_spawn, pre_execute

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE, BUSY, DONE, GUARDING = "idle", "busy", "done", "guarding"
"""A worker waits for a task; it has one; the result of one has come to its end; the workers are guarded."""

_pipe: int | None = None
"""Of the lane to which this process belongs."""


def give_sign(what: str, process: int) -> None:
    """Tell it, where anybody watches; one sign is lost rather than a worker kept."""
    if _pipe is not None:
        with contextlib.suppress(OSError):
            os.write(_pipe, f"{what} {process}\n".encode())


def give_signs(pipe: int) -> None:
    """Let this process and its children tell what they do. Called before there are any."""
    global _pipe
    _pipe = pipe
    for signal, what in ((post_spawn, IDLE), (pre_execute, BUSY), (post_execute_in_worker, IDLE), (post_execute, DONE)):
        signal.connect(_teller(what), weak=False, dispatch_uid=f"sign of {what} {id(signal)}")


def _teller(what: str) -> Callable[..., None]:
    return lambda **_: give_sign(what, os.getpid())


class Signs:
    """What was told of a lane, and what follows from it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        for end in (self.reading, self.writing):
            os.set_blocking(end, False)
        self.done_at = self.guarded_at = time.monotonic()
        self.told = False
        """Whether a task was ever taken."""
        self.idle_since: dict[int, float] = {}
        self.busy: set[int] = set()

    def read(self) -> None:
        """Take what was told, and forget who is gone, before another process gets the number."""
        now = time.monotonic()
        with contextlib.suppress(BlockingIOError):
            while text := os.read(self.reading, 65_536):
                for line in text.decode().splitlines():
                    self._note(*line.split(), now=now)
        self.idle_since = {process: since for process, since in self.idle_since.items() if _is_alive(process)}
        self.busy = {process for process in self.busy if _is_alive(process)}

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)

    def is_silent(self, patience: float) -> bool:
        """Whether nobody guards the workers any more, or no task comes to its end although a worker is idle.

        A lane whose workers are all busy takes no task, and is at work.
        """
        long_ago = time.monotonic() - patience
        if self.guarded_at < long_ago:
            return True
        nobody = not self.idle_since and not self.busy
        return self.done_at < long_ago and (nobody or any(since < long_ago for since in self.idle_since.values()))

    def _note(self, what: str, process: str, *, now: float) -> None:
        if what == GUARDING:
            self.guarded_at = now
        elif what == DONE:
            self.done_at, self.told = now, True
        elif what == BUSY:
            self.idle_since.pop(int(process), None)
            self.busy.add(int(process))
        else:
            self.busy.discard(int(process))
            self.idle_since[int(process)] = now


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # gone, or its number is that of somebody else's process
        return False
    return True
