"""Turns: how a pull ended, and when the feed's next turn is."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.times import iso_utc
from imports.messages.telling import tell_of_feed
from imports.models import Feed, Pull

logger = logging.getLogger(__name__)

ENDING = ("status", "message", "finished_at", "listed", "omitted", "imported")
"""What the end of a pull records."""
END = """
    WITH ended AS (SELECT id, feed_id FROM imports_pull WHERE id = %(id)s AND status = 'running' FOR UPDATE),
    before AS (
        DELETE FROM imports_pull
        WHERE id = (SELECT max(p.id) FROM imports_pull p, ended WHERE p.feed_id = %(feed_id)s AND p.id < ended.id)
        AND %(status)s = 'succeeded' AND %(imported)s = 0
        AND (status, message, listed, omitted, imported)
            = (%(status)s, %(message)s, %(listed)s, %(omitted)s, %(imported)s)
        RETURNING times, coalesce(first_at, started_at) AS first_at
    ),
    works AS (
        UPDATE imports_feed SET failures = 0, failing_since = NULL, alerted_at = NULL, problem = '',
            pulled_at = %(finished_at)s, pull_asked = pull_asked OR %(asked)s,
            next_pull_at = least(next_pull_at, %(again_at)s), queued_at = least(queued_at, %(again_at)s)
        WHERE id = (SELECT feed_id FROM ended) AND %(status)s = 'succeeded'
    )
    UPDATE imports_pull SET status = %(status)s, message = %(message)s, finished_at = %(finished_at)s,
        listed = %(listed)s, omitted = %(omitted)s, imported = %(imported)s,
        times = coalesce((SELECT times FROM before), 0) + 1, first_at = (SELECT first_at FROM before)
    WHERE id = (SELECT id FROM ended) RETURNING times, first_at
"""
"""A pull's end, and what it means to its feed, which the least of a time and none leaves as it is.

A pull that found nothing new stands for the one before too, where that found the same: most pulls do, and a row for
each would soon be most of the database. The last one stays, because whoever asked for a pull looks for one that is
newer than those they know.
"""


def record_success(pull: Pull, again_at: datetime | None, message: str = "", *, asked: bool = False) -> None:
    """A pull that went well; the feed waits in the queue where it is to be pulled again before its next turn.

    `asked` says that somebody waits for that. How the feed was doing is known from its claim: nobody else writes that.
    """
    feed = pull.feed
    tells = feed.alerted_at and feed.failing_since
    with transaction.atomic() if tells else nullcontext():
        ended = _end(pull, Pull.Status.SUCCEEDED, message, again_at=again_at, asked=asked)
        if ended and feed.failing_since and tells:
            tell_of_feed(feed, "feed.recovered", feed.failing_since, {"failing_since": iso_utc(feed.failing_since)})


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


def _end(
    pull: Pull, status: Pull.Status, message: str, again_at: datetime | None = None, *, asked: bool = False
) -> bool:
    """Record the pull's end, unless it has been given up as interrupted meanwhile, and that its feed works."""
    pull.status, pull.message, pull.finished_at = status, message, timezone.now()
    found = {name: getattr(pull, name) for name in ("id", "feed_id", *ENDING)}
    with connection.cursor() as cursor:
        cursor.execute(END, {**found, "again_at": again_at, "asked": asked})
        ended = cursor.fetchone()
    if ended:
        pull.times, pull.first_at = ended
    return bool(ended)
