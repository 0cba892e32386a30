"""Turns: how a pull ended, and when the feed's next turn is."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from accounts.times import iso_utc
from imports.messages.telling import tell_of_feed
from imports.models import Feed, Pull

logger = logging.getLogger(__name__)


def record_success(pull: Pull, again_at: datetime | None, message: str = "", *, asked: bool = False) -> None:
    """A pull that went well; the feed waits in the queue where it is to be pulled again before its next turn.

    `asked` says that somebody waits for that. How the feed was doing is known from its claim: nobody else writes that.
    """
    feed, now = pull.feed, timezone.now()
    with transaction.atomic():
        if not _end(pull, Pull.Status.SUCCEEDED, message):
            return
        if feed.alerted_at and feed.failing_since:
            tell_of_feed(feed, "feed.recovered", feed.failing_since, {"failing_since": iso_utc(feed.failing_since)})
        changes: dict[str, Any] = {
            "failures": 0, "failing_since": None, "alerted_at": None, "problem": "", "pulled_at": now,
        }  # fmt: skip
        if again_at:
            changes |= {name: Least(F(name), again_at) for name in ("next_pull_at", "queued_at")}
        if asked:
            changes["pull_asked"] = True
        Feed.objects.filter(pk=feed.pk).update(**changes)


def record_failure(pull: Pull, message: str, *, passing: bool) -> None:
    """A failed pull. One that time may mend is tried again after minutes, any other at the feed's next turn.

    The contacts are told once: at once where somebody must act, else after as many failures as the feed says.
    """
    with transaction.atomic():
        if _end(pull, Pull.Status.FAILED, message):
            count_failure(pull.feed, message, passing=passing)


def count_failure(feed: Feed, message: str, *, passing: bool) -> None:
    now = timezone.now()
    state = Feed.objects.select_for_update().get(pk=feed.pk)
    state.failures += 1
    state.problem = message
    state.failing_since = state.failing_since or now
    state.next_pull_at = state.next_slot(now)
    if passing:
        wait = timedelta(minutes=2 ** min(state.failures - 1, 6))
        state.next_pull_at = min(state.next_pull_at, now + wait)
    if state.alerted_at is None and (not passing or state.failures >= state.alert_after):
        state.alerted_at = now
        tell_of_feed(
            state,
            "feed.failing",
            state.failing_since,
            {"problem": message, "failures": state.failures, "passing": passing},
        )
    state.save(
        update_fields=["failures", "problem", "failing_since", "next_pull_at", "alerted_at"],
    )
    logger.warning("The feed %s of %s failed: %s", feed.name, feed.account.code, message)


def _end(pull: Pull, status: Pull.Status, message: str) -> bool:
    """Record the pull's end, unless it has been given up as interrupted meanwhile."""
    pull.status, pull.message, pull.finished_at = status, message, timezone.now()
    running = Pull.objects.filter(pk=pull.pk, status=Pull.Status.RUNNING)
    return bool(
        running.update(
            status=status,
            message=message,
            finished_at=pull.finished_at,
            listed=pull.listed,
            omitted=pull.omitted,
            imported=pull.imported,
        )
    )
