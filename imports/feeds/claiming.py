"""Claim a feed: one pull of it at a time, arbitrated by the database.

Most pulls find nothing, so each asks the database little: one statement claims the feed and reads it, one begins the
pull, one ends it (see `turns`), and one gives the claim back.
"""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error, connection
from django.db.models import BigIntegerField, JSONField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.suspending import say_suspended
from imports.errors import AccountBusy, Suspended, TryAgainLater
from imports.feeds.sessions import Sessions, give_back
from imports.models import Feed, Pull, Run
from imports.pipeline.claiming import (
    HOLDS_CLAIM,
    account_key,
    end_holder,
    end_silent_session,
    is_account_claimed,
    worker_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from imports.querysets import FeedQuerySet

CLAIMS = f"""
    SELECT json_build_object('account', account.busy, 'place', host.place, 'held', feed.held)::text
    FROM (SELECT %s AND EXISTS (SELECT FROM pg_locks WHERE {HOLDS_CLAIM} AND pid <> pg_backend_pid()) AS busy OFFSET 0)
        account
    LEFT JOIN LATERAL (SELECT %s || number AS place FROM generate_series(1, %s) number WHERE
        CASE WHEN account.busy THEN false ELSE pg_try_advisory_lock(hashtextextended(%s || number, 0)) END LIMIT 1
    ) host ON true
    LEFT JOIN LATERAL (SELECT CASE WHEN account.busy OR %s AND host.place IS NULL THEN false
        ELSE pg_try_advisory_lock(hashtextextended(%s, 0)) END AS held,
        set_config('client_connection_check_interval', '1s', false)
    ) feed ON true
"""  # noqa: S608  (a constant)
"""Whether another file goes into the account, which place on the host was free, and whether the feed's claim is held
now; each only where what stands before it is as it should be. The server looks for a killed client even while it works,
so that no claim outlives it for long.
"""
VERSION = "imports_feed.xmin::text::bigint"
"""The transaction that wrote the row last, as the row says itself."""
BEGIN = f"""
    WITH feed AS (
        UPDATE imports_feed SET queued_at = NULL, pull_asked = false, waits_for_account = false, next_pull_at = %s
        WHERE id = %s AND {VERSION} = %s RETURNING id
    )
    INSERT INTO imports_pull
        (feed_id, status, worker, started_at, heartbeat_at, listed, omitted, imported, message, times)
    SELECT id, 'running', %s, %s, %s, 0, 0, 0, '', 1 FROM feed RETURNING id
"""  # noqa: S608  (a constant)
"""Nothing where the feed was written since it was read."""
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
def claim_feed(feed: Feed, sessions: Sessions, *, only_due: bool = False, patient: bool = True) -> Iterator[Pull]:
    """Hold the feed's claim, and for its `sessions` a place on its host, and begin a pull, which is the only running
    one; its feed is read anew.

    The feed's next turn is set first, so that a pull that is killed does not repeat itself without end. A pull that a
    killed process left running is marked as interrupted. Raises PulledAlready while another process holds the claim,
    NotDue where only a due feed shall be pulled, Suspended, HostBusy, and AccountBusy where another file goes into the
    account and the caller is not `patient`.
    """
    try:
        found = _hold(feed, sessions, patient=patient)
    except Error:
        give_back(_feed_key(feed.pk))  # which may have been held by then
        raise
    try:
        while (pull := _begin(found, only_due=only_due)) is None:
            found = _find().get(pk=feed.pk)
        yield pull
    finally:
        give_back(_feed_key(feed.pk), *([] if sessions.keeps else sessions.leave()))


def _hold(feed: Feed, sessions: Sessions, *, patient: bool) -> Any:
    """Hold what a pull needs, and read the feed. What was read may be of the moment before: its `version` tells."""
    began, is_second = time.monotonic(), False
    while True:
        places = sessions.name_places(feed)
        most = settings.FEED_SESSIONS_PER_HOST if places else 0
        parameters = [not patient, account_key(feed.account_id), places, most, places, bool(places), _feed_key(feed.pk)]
        claims = RawSQL(CLAIMS, parameters, JSONField())  # noqa: S611  (a constant)
        found: Any = _find().annotate(claims=claims).get(pk=feed.pk)
        sessions.hold(found.claims["place"])
        if found.claims["held"]:
            return found
        if found.claims["account"]:
            give_way(feed)
        elif places and not found.claims["place"]:
            sessions.wait_for_place(feed, began, patient=patient)
        elif is_second or is_claimed(feed.pk):
            raise PulledAlready(f"The feed {feed} is being pulled already.")
        else:
            is_second = True  # whoever held it was frozen, and holds it no more


def _begin(feed: Any, *, only_due: bool) -> Pull | None:
    """Begin a pull of a feed as it was read; None where somebody wrote it since."""
    if feed.is_suspended:
        raise Suspended(say_suspended())
    if only_due and not (feed.enabled and (feed.next_pull_at is None or feed.next_pull_at <= feed.clock)):
        raise NotDue(f"The feed {feed} is not due.")
    if feed.is_running:
        mark_interrupted(feed.pulls.filter(status=Pull.Status.RUNNING))
    now = timezone.now()
    pull = Pull(feed=feed, worker=worker_name(), started_at=now, heartbeat_at=now)
    pull.asked, pull.claimed_at = feed.pull_asked, feed.clock
    pull.has_left_overs, pull.has_outbox = feed.has_left_overs, feed.has_outbox
    feed.queued_at, feed.pull_asked, feed.waits_for_account = None, False, False
    feed.next_pull_at = feed.next_slot(now)
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [feed.next_pull_at, feed.pk, feed.version, pull.worker, now, now])
        begun = cursor.fetchone()
    if begun is None:
        return None
    (pull.pk,), pull._state.adding = begun, False
    return pull


@cache
def _find() -> FeedQuerySet:
    """Feeds as pulls find them. What is asked never changes, and to compose it takes as long as to ask it."""
    version = RawSQL(VERSION, [], BigIntegerField())  # noqa: S611  (a constant)
    return Feed.objects.with_work().annotate(version=version).select_related("account__sandbox_of", "format")


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
