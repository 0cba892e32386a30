"""Claim: one run at a time in an account and one pull at a time of a feed, arbitrated by the database.

A claim is an advisory lock of the database session, so it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import Error, OperationalError, connection, transaction
from django.utils import timezone

from imports.errors import AccountBusy, TryAgainLater
from imports.models import Feed, Pull, Run
from imports.queueing import enqueue_waiting
from imports.telling import tell_of_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.utils import CursorWrapper
    from django.db.models import QuerySet

    from accounts.models import Account

PATIENCE = "60s"
"""How long a person at a terminal waits for the account's other run."""
IMPATIENCE = "1ms"
"""How long a worker does, whom other accounts are waiting for."""
KILLED = "The process ended before the run did."
LEASE = timedelta(hours=1)
"""How long a pull may give no sign of life before its database session is ended. A pull gives one for every file."""

HOLDS_CLAIM = """
    locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0)
"""
"""Of pg_locks: the sessions that hold the claim of a key."""


@contextlib.contextmanager
def claim_account(account: Account, *, patient: bool = True) -> Iterator[None]:
    """Hold the account's claim; runs that a killed process left as running are first brought to an end.

    What waits for the account goes into the queue when it is free again. Raises AccountBusy when another run holds the
    claim: at once, or where `patient` when it still does after PATIENCE.
    """
    key = [_account_key(account.pk)]
    with connection.cursor() as cursor:
        notice_killed_clients(cursor)
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key)
        if not cursor.fetchone()[0]:
            end_silent_session(account.pk)
            _wait_for_claim(cursor, account, PATIENCE if patient else IMPATIENCE)
        try:
            end_killed_runs(account)
            yield
        finally:
            with contextlib.suppress(Error):  # a lost session has given the claim back already
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)
                if not _is_held_here(cursor, key[0]):
                    enqueue_waiting(account)


def _wait_for_claim(cursor: CursorWrapper, account: Account, patience: str) -> None:
    cursor.execute(f"SET lock_timeout = '{patience}'")
    try:
        with transaction.atomic():
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [_account_key(account.pk)])
    except OperationalError as error:
        raise AccountBusy(
            f"Another file is being imported into {account.code}"
            f"{'' if patience == IMPATIENCE else f' for longer than {patience}'}. "
            "Nothing was done; try again when it has ended."
        ) from error
    finally:
        cursor.execute("SET lock_timeout = DEFAULT")


def is_account_claimed(account_id: int) -> bool:
    """Whether another session imports into the account at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM pg_locks WHERE {HOLDS_CLAIM} AND pid <> pg_backend_pid()",  # noqa: S608  (a constant)
            [_account_key(account_id)],
        )
        return cursor.fetchone() is not None


def _is_held_here(cursor: CursorWrapper, key: str) -> bool:
    """Whether this session holds the claim once more: a release claims the account before its import does."""
    cursor.execute(
        f"SELECT 1 FROM pg_locks WHERE {HOLDS_CLAIM} AND pid = pg_backend_pid()",  # noqa: S608  (a constant)
        [key],
    )
    return cursor.fetchone() is not None


def end_silent_session(account_id: int) -> None:
    """End the session that holds the account's claim where its run gives no sign of life.

    Its process is frozen, or behind a network that is gone, and may come back any time: without its session it can
    change nothing any more.
    """
    silent = Run.objects.silent().filter(account=account_id)
    if not silent.exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE {HOLDS_CLAIM}"  # noqa: S608  (a constant)
            " AND pid <> pg_backend_pid()",
            [_account_key(account_id)],
        )


def end_session(account_id: int, session: int) -> None:
    """End a session that may still hold the account's claim; what it had not committed is then not committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE {HOLDS_CLAIM} AND pid = %s",  # noqa: S608  (a constant)
            [_account_key(account_id), session],
        )


def end_killed_runs(account: Account) -> None:
    """Nobody is at work in the account, so whatever still says that it runs was killed.

    An uploaded file is imported again from its copy.
    """
    for run in account.runs.filter(status=Run.Status.RUNNING).select_related("account", "feed", "started_by"):
        if run.is_upload:
            run.status, run.message = Run.Status.QUEUED, f"{KILLED} It is taken up again."
        else:
            run.status, run.finished_at = Run.Status.FAILED, timezone.now()
            run.message = f"{KILLED} Nothing was applied; import the file again."
        with transaction.atomic():
            run.save(update_fields=["status", "finished_at", "message"])
            tell_of_run(run)


def notice_killed_clients(cursor: CursorWrapper) -> None:
    """Let the server look for a killed client even while it works, so that its claim does not outlive it for long."""
    cursor.execute("SET client_connection_check_interval = '1s'")


class PulledAlready(TryAgainLater):
    """Another process pulls the feed at this moment."""


class NotDue(TryAgainLater):
    """It is not the feed's turn any more."""


@contextlib.contextmanager
def claim_feed(feed: Feed, *, only_due: bool = False) -> Iterator[Pull]:
    """Hold the feed's claim and begin a pull, which is the only running one; its feed is read anew.

    The feed's next turn is set first, so that a pull that is killed does not repeat itself without end. A pull that a
    killed process left running is marked as interrupted. Raises PulledAlready while another process holds the claim,
    and NotDue where only a due feed shall be pulled.
    """
    with connection.cursor() as cursor:
        notice_killed_clients(cursor)
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_feed_key(feed.pk)])
        if not cursor.fetchone()[0]:
            raise PulledAlready(f"The feed {feed} is being pulled already.")
        try:
            with transaction.atomic():
                now = timezone.now()
                feed = Feed.objects.select_related("account__sandbox_of", "format").get(pk=feed.pk)
                if only_due and not (feed.enabled and (feed.next_pull_at is None or feed.next_pull_at <= now)):
                    raise NotDue(f"The feed {feed} is not due.")
                mark_interrupted(feed.pulls.filter(status=Pull.Status.RUNNING))
                feed.queued_at, feed.waits_for_account, feed.next_pull_at = None, False, feed.next_slot(now)
                feed.save(update_fields=["queued_at", "waits_for_account", "next_pull_at"])
                pull = Pull.objects.create(feed=feed, worker=worker_name())
            yield pull
        finally:
            with contextlib.suppress(Error):
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_feed_key(feed.pk)])


def mark_interrupted(pulls: QuerySet[Pull]) -> bool:
    """Mark pulls that a killed process left running; whoever calls knows that nobody holds the feed's claim."""
    message = "The process ended before the pull did. What it had imported is in; the rest is pulled again."
    left = pulls.filter(status=Pull.Status.RUNNING)
    return bool(left.update(status=Pull.Status.INTERRUPTED, finished_at=timezone.now(), message=message))


def is_claimed(feed_id: int) -> bool:
    """Whether a process holds the feed's claim; the session of one that gave no sign of life for LEASE is ended first.

    The signs of a run that it imports count too.

    Such a process is frozen, or behind a network that is gone, and may come back any time: without its session it
    can change nothing any more.
    """
    heard = timezone.now() - LEASE
    silent = (
        Pull.objects.filter(feed=feed_id, status=Pull.Status.RUNNING, heartbeat_at__lt=heard).exists()
        and not Run.objects.filter(feed=feed_id, status=Run.Status.RUNNING, heartbeat_at__gte=heard).exists()
    )
    action = "pg_terminate_backend(pid, 5000)" if silent else "true"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {action} FROM pg_locks WHERE {HOLDS_CLAIM}",  # noqa: S608  (one of two constants)
            [_feed_key(feed_id)],
        )
        held = bool(cursor.fetchall())
    return held and not silent


def worker_name() -> str:
    """Machine and process, as people look for it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _account_key(account_id: int) -> str:
    return f"customersync.account.{account_id}"


def _feed_key(feed_id: int) -> str:
    return f"customersync.feed.{feed_id}"
