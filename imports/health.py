"""Health: whether what runs by itself runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.timesince import timesince
from django_q.models import Schedule

from imports.models import Feed, Heartbeat, Message, Run
from imports.querysets import LEASE
from imports.tasks import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SILENCE = timedelta(minutes=10)
"""The schedule gives a sign of life every minute, unless all workers are busy with long files."""
LONGEST_DELAY = timedelta(minutes=30)
"""How long after its turn a feed may still wait for a worker."""


def is_at_work() -> bool:
    """Whether a worker was seen lately."""
    return Heartbeat.objects.filter(name=WORKERS, at__gte=timezone.now() - LONGEST_SILENCE).exists()


def find_problems() -> Iterator[str]:
    """What is wrong with runs, feeds and workers, each with what to do."""
    now = timezone.now()
    silent = Run.objects.silent().count()
    if silent:
        yield (
            f"{silent} runs gave no sign of life for {int(LEASE.total_seconds() // 60)} minutes: their processes were "
            "killed or are frozen. A worker ends such runs within a minute; if none does, start manage.py qcluster."
        )
    feeds = Feed.objects.filter(enabled=True)
    uploads = Run.objects.for_workers()
    if not (feeds.exists() or uploads.exists() or Message.objects.due().exists()):
        return
    if not Schedule.objects.filter(func="imports.tasks.enqueue_due").exists():
        yield "The schedule of imports.tasks.enqueue_due is missing: run manage.py migrate."
    heartbeat = Heartbeat.objects.filter(name=WORKERS).first()
    if heartbeat is None:
        yield "No worker was ever seen at work: start manage.py qcluster."
    elif heartbeat.at < now - LONGEST_SILENCE:
        silence = timesince(heartbeat.at, now).replace("\xa0", " ")
        yield f"No worker was seen at work for {silence}: restart manage.py qcluster."
    minutes = int(LONGEST_DELAY.total_seconds() // 60)
    late_uploads = Run.objects.filter(status=Run.Status.QUEUED, started_at__lt=now - LONGEST_DELAY).count()
    if late_uploads:
        yield f"{late_uploads} uploads wait for more than {minutes} minutes: raise Q_WORKERS or run more clusters."
    late = feeds.filter(next_pull_at__lt=now - LONGEST_DELAY).count()
    if late:
        yield f"{late} feeds wait for more than {minutes} minutes for a worker: raise Q_WORKERS or run more clusters."
