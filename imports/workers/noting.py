"""Noting: a process of its own notes who is at work, so that whoever watches the lanes never waits for the database."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error, connections

from imports.pipeline.beating import note_heartbeats

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

MOST_BYTES = 65_536
"""More than a pipe holds."""


class NotingProcess:
    """Is told through a pipe who is at work, and may wait for the database as long as that takes."""

    def __init__(self) -> None:
        self.process: int | None = None
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        self.told_at = -settings.WORKERS_BEAT_SECONDS

    def tell(self, names: Iterable[str]) -> None:
        """Have the heartbeats of these noted, and start the process where it does not run."""
        now = time.monotonic()
        if now - self.told_at < settings.WORKERS_BEAT_SECONDS:
            return
        self.told_at = now
        if self.process is None:
            self._start()
        with contextlib.suppress(BlockingIOError):  # it has waited for hours
            os.write(self.writing, (" ".join(names) + "\n").encode())

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)

    def _start(self) -> None:
        connections.close_all()  # no session may be shared with a child
        self.process = os.fork()
        if not self.process:
            try:
                for one in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(one, signal.SIG_DFL)
                os.close(self.writing)
                self._note()
            except BaseException:
                logger.critical("Nobody notes heartbeats until this is begun anew.", exc_info=True)
                raise
            finally:
                os._exit(0)

    def _note(self) -> None:
        """Until nobody is left who could tell. Of what was told while the database was away the last counts."""
        while told := os.read(self.reading, MOST_BYTES):
            try:
                note_heartbeats(*told.decode().splitlines()[-1].split())
            except Error as error:
                connections.close_all()
                logger.error("No heartbeat could be noted.", exc_info=error)
