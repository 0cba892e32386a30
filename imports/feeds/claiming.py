"""Claim a feed: one pull of it at a time, arbitrated by the database."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.suspending import say_suspended
from imports.errors import AccountBusy, Suspended, TryAgainLater
from imports.models import Feed, Pull, Run
from imports.pipeline.claiming import (
    HOLDS_CLAIM,
    end_holder,
    end_silent_session,
    is_account_claimed,
    try_to_hold,
    worker_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

LEASE = timedelta(hours=1)
"""How long a pull may give no sign of life before its database session is ended. A pull gives one for every file."""


class PulledAlready(TryAgainLater):
    """Another process pulls the feed at this moment."""


class NotDue(TryAgainLater):
    """It is not the feed's turn any more."""


def give_way(feed: Feed) -> None:
    """Raise AccountBusy while another file goes into the feed's account. A note is left before one looks for the last
    time, so that whoever frees the account finds it.
    """
    if not is_account_claimed(feed.account_id):
        return
    end_silent_session(feed.account_id)
    Feed.objects.filter(pk=feed.pk).update(queued_at=None, waits_for_account=True)
    if is_account_claimed(feed.account_id):
        raise AccountBusy(f"Another file is being imported into {feed.account.code}. The feed is pulled after it.")


@contextlib.contextmanager
def claim_feed(feed: Feed, *, only_due: bool = False) -> Iterator[Pull]:
    """Hold the feed's claim and begin a pull, which is the only running one; its feed is read anew.

    The feed's next turn is set first, so that a pull that is killed does not repeat itself without end. A pull that a
    killed process left running is marked as interrupted. Raises PulledAlready while another process holds the claim,
    NotDue where only a due feed shall be pulled, and Suspended.
    """
    with connection.cursor() as cursor:
        key = _feed_key(feed.pk)
        if not try_to_hold(cursor, key) and (is_claimed(feed.pk) or not try_to_hold(cursor, key)):
            raise PulledAlready(f"The feed {feed} is being pulled already.")
        try:
            with transaction.atomic():
                now = timezone.now()
                found: Any = Feed.objects.with_work().select_related("account__sandbox_of", "format").get(pk=feed.pk)
                feed = found
                if found.is_suspended:
                    raise Suspended(say_suspended())
                if only_due and not (feed.enabled and (feed.next_pull_at is None or feed.next_pull_at <= now)):
                    raise NotDue(f"The feed {feed} is not due.")
                if found.is_running:
                    mark_interrupted(feed.pulls.filter(status=Pull.Status.RUNNING))
                asked = feed.pull_asked
                feed.queued_at, feed.pull_asked, feed.waits_for_account = None, False, False
                feed.next_pull_at = feed.next_slot(now)
                feed.save(update_fields=["queued_at", "pull_asked", "waits_for_account", "next_pull_at"])
                pull = Pull.objects.create(feed=feed, worker=worker_name())
                pull.asked, pull.claimed_at = asked, found.clock
                pull.has_left_overs, pull.has_outbox = found.has_left_overs, found.has_outbox
            yield pull
        finally:
            with contextlib.suppress(Error):
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def mark_interrupted(pulls: QuerySet[Pull]) -> bool:
    """Mark pulls that a killed process left running; whoever calls knows that nobody holds the feed's claim."""
    message = "The process ended before the pull did. What it had imported is in; the rest is pulled again."
    left = pulls.filter(status=Pull.Status.RUNNING)
    return bool(left.update(status=Pull.Status.INTERRUPTED, finished_at=timezone.now(), message=message))


def is_claimed(feed_id: int) -> bool:
    """Whether a process holds the feed's claim; the session of one that gave no sign of life for LEASE is ended first.

    The signs of a run that it imports count too, and without a pull at work, what it asks of the database.

    Such a process is frozen, or behind a network that is gone, and may come back any time: without its session it
    can change nothing any more.
    """
    heard, key = timezone.now() - LEASE, _feed_key(feed_id)
    pulls = Pull.objects.filter(feed=feed_id, status=Pull.Status.RUNNING)
    if not pulls.exists():
        end_holder(key, idle_for=LEASE)
    elif (
        pulls.filter(heartbeat_at__lt=heard).exists()
        and not Run.objects.filter(feed=feed_id, status=Run.Status.RUNNING, heartbeat_at__gte=heard).exists()
    ):
        end_holder(key)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT true FROM pg_locks WHERE {HOLDS_CLAIM}", [key])  # noqa: S608  (a constant)
        return cursor.fetchone() is not None


def _feed_key(feed_id: int) -> str:
    return f"customersync.feed.{feed_id}"
