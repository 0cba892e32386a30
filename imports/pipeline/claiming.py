"""Claim an account: one run at a time, arbitrated by the database.

A claim is an advisory lock of the database session, so it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from django.db import Error, OperationalError, connection, transaction
from django.utils import timezone

from imports.errors import AccountBusy
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.querysets import LEASE
from imports.queueing import enqueue_waiting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import timedelta

    from django.db.backends.utils import CursorWrapper

    from accounts.models import Account

PATIENCE = "60s"
"""How long a person at a terminal waits for the account's other run."""
IMPATIENCE = "1ms"
"""How long a worker does, whom other accounts are waiting for."""
KILLED = "The process ended before the run did."
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
    key = [account_key(account.pk)]
    with connection.cursor() as cursor:
        if not try_to_hold(cursor, key[0]):
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
    try:
        with transaction.atomic():
            cursor.execute(f"SET LOCAL lock_timeout = '{patience}'")
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [account_key(account.pk)])
    except OperationalError as error:
        raise AccountBusy(
            f"Another file is being imported into {account.code}"
            f"{'' if patience == IMPATIENCE else f' for longer than {patience}'}. "
            "Nothing was done; try again when it has ended."
        ) from error


def claim_free_accounts(account_ids: Collection[int]) -> set[int]:
    """Those of the accounts that nobody has claimed; they are this transaction's until it ends.

    For work of a few milliseconds: a worker who meets it leaves the account for the schedule's next minute.
    """
    free = set()
    with connection.cursor() as cursor:
        for account_id in account_ids:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [account_key(account_id)])
            if cursor.fetchone()[0]:
                free.add(account_id)
    return free


def is_account_claimed(account_id: int) -> bool:
    """Whether another session imports into the account at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM pg_locks WHERE {HOLDS_CLAIM} AND pid <> pg_backend_pid()",  # noqa: S608  (a constant)
            [account_key(account_id)],
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
    """End the session that holds the account's claim where its run gives no sign of life, or it has no run and is idle.

    Its process is frozen, or behind a network that is gone, and may come back any time: without its session it can
    change nothing any more.
    """
    running = Run.objects.filter(account=account_id, status=Run.Status.RUNNING)
    if running.silent().exists():
        end_holder(account_key(account_id))
    elif not running.exists():
        end_holder(account_key(account_id), idle_for=LEASE)


def end_session(account_id: int, session: int) -> None:
    """End a session that may still hold the account's claim; what it had not committed is then not committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE {HOLDS_CLAIM} AND pid = %s",  # noqa: S608  (a constant)
            [account_key(account_id), session],
        )


def end_holder(key: str, *, idle_for: timedelta | None = None) -> None:
    """End another session that holds the claim of a key; given `idle_for`, if it asked nothing for longer than that."""
    seconds = None if idle_for is None else idle_for.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_stat_activity USING (pid)"  # noqa: S608  (a constant)
            f" WHERE {HOLDS_CLAIM} AND pid <> pg_backend_pid() AND (%s::float IS NULL"
            " OR state <> 'active' AND state_change < clock_timestamp() - make_interval(secs => %s))",
            [key, seconds, seconds],
        )


def end_killed_runs(account: Account) -> None:
    """Nobody is at work in the account, so whatever still says that it runs was killed.

    An uploaded file is imported again from its copy.
    """
    killed = account.runs.filter(status=Run.Status.RUNNING)
    if not killed.exists():  # nearly always, and quickly said
        return
    for run in killed.select_related("account", "feed", "started_by"):
        if run.is_upload:
            run.status, run.message = Run.Status.QUEUED, f"{KILLED} It is taken up again."
        else:
            run.status, run.finished_at = Run.Status.FAILED, timezone.now()
            again = "undo" if run.undoes_id else "import the file"
            run.message = f"{KILLED} Nothing was applied; {again} again."
        with transaction.atomic():
            run.save(update_fields=["status", "finished_at", "message"])
            tell_of_run(run)


def try_to_hold(cursor: CursorWrapper, key: str) -> bool:
    """Hold the claim of a key, unless another session does; the server looks for a killed client even while it works,
    so that no claim outlives it for long.
    """
    cursor.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)), "
        "set_config('client_connection_check_interval', '1s', false)",
        [key],
    )
    return bool(cursor.fetchone()[0])


def worker_name() -> str:
    """Machine and process, as people look for it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def account_key(account_id: int) -> str:
    return f"customersync.account.{account_id}"
