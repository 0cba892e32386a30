"""Run: a cluster of django-q2 for each lane, watched, so that it goes on whatever becomes of its processes."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connections
from django_q.cluster import Cluster
from django_q.conf import Conf

from imports.lanes import Lane, closed, share_workers
from imports.workers.noting import NotingProcess
from imports.workers.signs import Signs, give_signs

if TYPE_CHECKING:
    from types import FrameType

logger = logging.getLogger(__name__)

SILENT_BEATS = 6
"""How many proofs of being at work may be missing until a lane's processes are ended and started anew."""
STARTING = 2
"""How many times as long a lane may be silent that has only begun, so that a slow machine does not begin for ever."""
GRACE = 30.0
"""Seconds that what is at work gets to come to its end; then it is ended, and done again by the next workers."""
LOOK = 0.2
LONGEST_PAUSE = 60.0
"""Seconds between two starts of a lane that ends again and again."""


@dataclass
class LaneProcess:
    """The processes of a lane: a group of their own."""

    lane: Lane
    workers: int
    pause: float = 1.0
    process: int | None = None
    started_at: float = 0.0
    starts_at: float = 0.0
    signs: Signs = field(default_factory=Signs)

    def start(self) -> None:
        connections.close_all()  # no session may be shared with a child
        self.signs.close()
        self.signs = Signs()
        self.started_at = time.monotonic()
        watcher = os.getpid()
        self.process = os.fork()
        if not self.process:
            _serve(self.lane, self.workers, self.signs, watcher)
        with contextlib.suppress(OSError):  # the child does the same; whoever is first
            os.setpgid(self.process, self.process)

    def look(self) -> None:
        """Start it where it does not run, and end it where it runs and does nothing."""
        if self.process is None:
            if time.monotonic() >= self.starts_at:
                self.start()
            return
        self.signs.read()
        if not self.is_at_work:
            logger.error("The workers of the lane %s take no tasks any more: they are started anew.", self.lane)
            self.kill()

    @property
    def is_at_work(self) -> bool:
        patience = SILENT_BEATS * settings.WORKERS_BEAT_SECONDS * (1 if self.signs.told else STARTING)
        return self.process is not None and not self.signs.is_silent(patience)

    def note_end(self, code: int) -> None:
        """Its first process has ended, by itself or not; so must the others. It is started anew after a pause."""
        self.signal_group(signal.SIGKILL)
        self.process = None
        now = time.monotonic()
        self.pause = 1.0 if now - self.started_at > LONGEST_PAUSE else min(self.pause * 2, LONGEST_PAUSE)
        self.starts_at = now + (0 if code == -signal.SIGKILL else self.pause)

    def kill(self) -> None:
        self.signal_group(signal.SIGKILL)

    def ask_to_end(self) -> None:
        """Take no further task, and end."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGTERM)

    def signal_group(self, what: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process, what)


class Watch:
    """Starts the lanes, keeps them at work, and ends them when it is told to."""

    def __init__(self, workers: int) -> None:
        self.lanes = [LaneProcess(lane, count) for lane, count in share_workers(workers).items()]
        self.told_to_end = 0
        self.code = 0
        self.noting = NotingProcess()

    def run(self) -> int:
        """Until SIGTERM or SIGINT, a second of which ends at once. Returns 1 where anything had to be killed."""
        before = {one: signal.signal(one, self._on_signal) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self.told_to_end:
                for lane in self.lanes:
                    lane.look()
                self.noting.tell(one.lane.heartbeat for one in self.lanes if one.is_at_work and one.signs.told)
                self._reap()
                time.sleep(LOOK)
            self._end()
        finally:
            self.noting.kill()
            for lane in self.lanes:
                lane.kill()
            for one, handler in before.items():
                signal.signal(one, handler)
        return self.code

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.told_to_end += 1

    def _end(self) -> None:
        for lane in self.lanes:
            lane.ask_to_end()
        until = time.monotonic() + GRACE
        while any(lane.process for lane in self.lanes):
            if time.monotonic() > until or self.told_to_end > 1:
                self.code = 1
                for lane in self.lanes:
                    lane.kill()
            time.sleep(LOOK / 4)
            self._reap()

    def _reap(self) -> None:
        """Note which lanes have ended; as the first process of a container it is also left other processes."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                code = os.waitstatus_to_exitcode(ended[1])
                if ended[0] == self.noting.process:
                    self.noting.process = None
                for lane in self.lanes:
                    if lane.process == ended[0]:
                        lane.note_end(code)
                        if not self.told_to_end:
                            logger.error("The workers of the lane %s ended with code %s.", lane.lane, code)
                        elif code:
                            self.code = 1


def _serve(lane: Lane, workers: int, signs: Signs, watcher: int) -> None:
    """Be the first process of a lane: never returns."""
    code = 1
    try:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        give_signs(signs.writing)
        Conf.CLUSTER_NAME, Conf.WORKERS = lane.value, workers
        closed.value = 0
        cluster = Cluster()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, partial(_close, cluster))
        cluster.start()
        while cluster.sentinel.is_alive():
            if os.getppid() != watcher:
                os.killpg(0, signal.SIGKILL)  # nobody would notice when it hangs, or end it
            time.sleep(LOOK)
        code = abs(cluster.sentinel.exitcode or 0)
    except RuntimeError as error:
        logger.error("The workers of the lane %s could not be started: %s", lane, error)
    except BaseException:
        logger.critical("The workers of the lane %s ended.", lane, exc_info=True)
        raise
    finally:
        os._exit(code)


def _close(cluster: Cluster, number: int, frame: FrameType | None) -> None:
    closed.value = 1
    cluster.sig_handler(number, frame)
