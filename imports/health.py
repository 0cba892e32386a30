"""Health: whether what runs by itself runs."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.timesince import timesince
from django_q.models import Schedule

from accounts.health import MOST_SKEW, read_clock
from accounts.suspending import is_suspended
from accounts.times import say_utc
from imports import storage
from imports.copies import lacks_copies
from imports.lanes import Lane
from imports.models import Feed, Heartbeat, Message, Run
from imports.querysets import LEASE
from imports.storage import CopyGone, StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SILENCE = timedelta(minutes=3)
"""Whoever watches the workers notes every few seconds that they are at work."""
LONGEST_DELAY = timedelta(minutes=30)
"""How long after its turn a feed may still wait for a worker."""
SLOW_MAIL = timedelta(minutes=10)
"""How long e-mails may wait for a mail server; it is tried again after one minute and after five."""


TRIED_EVERY = 60
"""Seconds for which it is known how a trial of the storage ended: anybody may ask, and each trial writes a file."""


def is_at_work() -> bool:
    """Whether workers of what people wait for were seen lately."""
    return Heartbeat.objects.filter(name=Lane.PROMPT.heartbeat, at__gte=Now() - LONGEST_SILENCE).exists()


def find_problems() -> Iterator[str]:
    """What is wrong with runs, feeds and workers, each with what to do."""
    now = timezone.now()
    silent = Run.objects.silent().count()
    if silent:
        yield (
            f"{silent} runs gave no sign of life for {int(LEASE.total_seconds() // 60)} minutes: their processes were "
            "killed or are frozen. A worker ends such runs within a minute; if none does, start manage.py run_workers."
        )
    feeds = Feed.objects.filter(enabled=True)
    uploads = Run.objects.for_workers()
    if not (feeds.exists() or uploads.exists() or Message.objects.due().exists()):
        return
    if not Schedule.objects.filter(func="imports.tasks.enqueue_due").exists():
        yield "The schedule of imports.tasks.enqueue_due is missing: run manage.py migrate."
    yield from _find_silent_lanes()
    minutes = int(LONGEST_DELAY.total_seconds() // 60)
    late_uploads = Run.objects.filter(status=Run.Status.QUEUED, started_at__lt=now - LONGEST_DELAY).count()
    if late_uploads:
        yield f"{late_uploads} uploads wait for more than {minutes} minutes: raise Q_WORKERS or run more workers."
    late = feeds.filter(next_pull_at__lt=now - LONGEST_DELAY).count()
    if late and not is_suspended():
        yield (
            f"{late} feeds wait for more than {minutes} minutes for a worker: raise Q_WORKERS or run more workers; "
            "where they are of one host, which has so many sessions and no more, raise FEED_SESSIONS_PER_HOST."
        )


@lru_cache(maxsize=1)
def _try_storage(_minute: int) -> str:
    """What is wrong with the storage, without saying where it is; "" for nothing."""
    try:
        storage.probe()
        is_another = lacks_copies()
    except (StorageUnreachable, StorageRefused, CopyGone) as error:
        return f"Files cannot be kept ({type(error).__name__}): manage.py check --deploy says why, and who must act."
    if is_another:
        return (
            "The storage has no copies, and the database knows some, so no file is taken: mount its folder, or let "
            "STORAGE_URL name the storage of this database."
        )
    return ""


def find_problems_of_others() -> Iterator[str]:
    """What is wrong with the storage, senders' servers, the mail server, and machines that work: for monitors.

    People find failing feeds on the home page.
    """
    if problem := _try_storage(int(time.monotonic() // TRIED_EVERY)):
        yield problem
    if failing := Feed.objects.failing().filter(failures__gte=F("alert_after")).count():
        yield f"{failing} feeds fail again and again: their pages say why, and what to do."
    yield from _find_mail_problem()
    yield from _find_wrong_clocks()


def _find_mail_problem() -> Iterator[str]:
    if is_suspended():
        return
    mails = Message.objects.filter(kind="email")
    waiting = mails.pending().filter(attempts__gt=0, created_at__lt=timezone.now() - SLOW_MAIL).order_by("pk")
    oldest = waiting.first()
    if oldest is not None and not mails.filter(pk__gt=oldest.pk, delivered_at__isnull=False).exists():
        yield (
            f"No e-mail was delivered since {say_utc(oldest.created_at)}, and {waiting.count()} wait: look "
            "at EMAIL_URL and the mail server. Their pages say what it answered."
        )


def _find_wrong_clocks() -> Iterator[str]:
    clocks = Heartbeat.objects.clocks().filter(at__gte=Now() - LONGEST_SILENCE)
    if wrong := [clock.skew for clock in clocks if abs(clock.skew) > MOST_SKEW]:
        worst = max(wrong, key=abs)
        yield (
            f"{len(wrong)} machines of workers or drop boxes have clocks that are not the database's, one by "
            f"{abs(worst):.0f} seconds: let a time service keep them right. /metrics names the machines."
        )


def _find_silent_lanes() -> Iterator[str]:
    now = read_clock()
    seen = dict(Heartbeat.objects.filter(name__in=[lane.heartbeat for lane in Lane]).values_list("name", "at"))
    if not seen:
        yield "No worker was ever seen at work: start manage.py run_workers."
        return
    silent = {lane: seen.get(lane.heartbeat) for lane in Lane}
    silent = {lane: at for lane, at in silent.items() if at is None or at < now - LONGEST_SILENCE}
    last = max(seen.values())
    if len(silent) == len(Lane):
        silence = timesince(last, now).replace("\xa0", " ")
        yield f"No worker was seen at work for {silence}: restart manage.py run_workers."
        return
    for lane, at in silent.items():
        since = f"for {timesince(at, now)}".replace("\xa0", " ") if at else "ever"
        yield f"No worker of the lane {lane} was seen at work {since}: restart manage.py run_workers."
