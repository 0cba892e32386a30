"""Turns: how a pull ended, and when the feed's next turn is."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from accounts.times import iso_utc
from imports.messages.telling import tell_of_feed
from imports.models import Feed, Pull

logger = logging.getLogger(__name__)

ENDING = ("status", "message", "finished_at", "listed", "omitted", "imported")
"""What the end of a pull records."""


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
    """Record the pull's end, unless it has been given up as interrupted meanwhile.

    One that found nothing new stands for the one before too, where that found the same: most pulls do, and a row for
    each would soon be most of the database. The last one stays, because whoever asked for a pull looks for one that is
    newer than those they know.
    """
    pull.status, pull.message, pull.finished_at = status, message, timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH ended AS (SELECT id FROM imports_pull WHERE id = %(id)s AND status = 'running' FOR UPDATE),"
            " before AS (DELETE FROM imports_pull WHERE id ="
            " (SELECT max(p.id) FROM imports_pull p, ended WHERE p.feed_id = %(feed_id)s AND p.id < ended.id)"
            " AND %(status)s = 'succeeded' AND %(imported)s = 0 AND (status, message, listed, omitted, imported) ="
            " (%(status)s, %(message)s, %(listed)s, %(omitted)s, %(imported)s)"
            " RETURNING times, coalesce(first_at, started_at) AS first_at)"
            " UPDATE imports_pull SET status = %(status)s, message = %(message)s, finished_at = %(finished_at)s,"
            " listed = %(listed)s, omitted = %(omitted)s, imported = %(imported)s,"
            " times = coalesce((SELECT times FROM before), 0) + 1, first_at = (SELECT first_at FROM before)"
            " WHERE id = (SELECT id FROM ended) RETURNING times, first_at",
            {name: getattr(pull, name) for name in ("id", "feed_id", *ENDING)},
        )
        ended = cursor.fetchone()
    if ended:
        pull.times, pull.first_at = ended
    return bool(ended)
