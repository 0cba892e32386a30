"""Beat: while a run is at work, others see that it lives and how far it is.

A thread writes both in a session beside the run's own, which is in a transaction or waits for a long statement. A
process that is frozen writes nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import Error, connection
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.functions import Extract, Now
from django.utils import timezone

from accounts.tallies import add_counted
from imports.models import Heartbeat, Run
from imports.pipeline.claiming import worker_name
from imports.querysets import CLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

TOLD_EVERY = 0.5
"""Seconds after which progress is written, if there is any; a run that is over before has no need of it."""
BEATS_EVERY = 10
"""Seconds after which a sign of life is written whether there is progress or not."""
LONGEST_GOODBYE = 5
"""Seconds that the end of a run waits for the thread."""
MACHINES_KEPT = timedelta(days=1)
"""How long a machine is remembered that is not seen any more."""


@contextmanager
def beating(run: Run, progress: Progress) -> Iterator[Progress]:
    """Give signs of life of the run until the block ends; what the block is given passes its progress on."""
    beat = _Beat(run)

    def record(stage: str, done: int, total: int) -> None:
        beat.progress = (stage, done, total)
        progress(stage, done, total)

    thread = threading.Thread(target=copy_context().run, args=[beat.go], name=f"beat of {run.pk}", daemon=True)
    thread.start()
    try:
        yield record
    finally:
        beat.is_over.set()
        thread.join(LONGEST_GOODBYE)


def note_heartbeats(*names: str) -> None:
    """Note that these are at work, and how far this machine's clock is from the database's."""
    ahead = Value(timezone.now(), output_field=DateTimeField()) - Now()
    seen: dict[str, Any] = {"at": Now(), "worker": worker_name()}
    skew = Extract(ExpressionWrapper(ahead, output_field=DurationField()), "epoch")
    for name in names:
        Heartbeat.objects.update_or_create(name=name, defaults=seen)
    clock = f"{CLOCK}{socket.gethostname()}"[:40]
    if Heartbeat.objects.update_or_create(name=clock, defaults={**seen, "skew": skew})[1]:
        Heartbeat.objects.clocks().filter(at__lt=timezone.now() - MACHINES_KEPT).delete()
    add_counted()


class _Beat:
    def __init__(self, run: Run) -> None:
        self.mine = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, started_at=run.started_at)
        self.is_over = threading.Event()
        self.progress: tuple[str, int, int] = ("", 0, 0)
        self.stage, self.stage_at = "", timezone.now()

    def go(self) -> None:
        told, silent = self.progress, 0.0
        try:
            while not self.is_over.wait(TOLD_EVERY):
                silent += TOLD_EVERY
                now = self.progress
                if now == told and silent < BEATS_EVERY:
                    continue
                with contextlib.suppress(Error):  # nobody waits for it; the next one comes soon
                    self._write(now)
                    told, silent = now, 0.0
        finally:
            connection.close()

    def _write(self, progress: tuple[str, int, int]) -> None:
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        stage, done, total = progress
        now = timezone.now()
        if stage != self.stage:
            self.stage, self.stage_at = stage, now
        self.mine.update(heartbeat_at=now, stage=stage, stage_at=self.stage_at, stage_done=done, stage_total=total)
