"""Stamps: the times of changes, such that a program that asks "what since?" misses none, in whatever order they commit.

Whoever writes takes a stamp, and until the end of the transaction everybody can see that stamps from that second on
may still become visible (a shared advisory lock, which waits for nothing and ends with the transaction). A watermark
is a time that no stamp of an open or later transaction lies before, so what is read after it was taken holds every
change from before it. The times are those of the database's clock, so those of other machines play no part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from accounts.replicas import catch_up

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

EPOCH = "'2020-01-01 00:00:00+00'::timestamptz"
"""The seconds since then are the second number of the lock, the account is the first; nothing else uses two numbers."""


def take_stamp(accounts: Iterable[int]) -> datetime:
    """The time to write with changes in these accounts (by id), taken in the transaction that writes them.

    It is taken late, when all that has to be waited for is there: what is stamped holds watermarks back.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A stamp is taken in the transaction that writes it.")
    with connection.cursor() as cursor:
        cursor.execute(  # the clock is read when all locks are counted, so they are there to be seen before
            "SELECT clock_timestamp(), count(pg_advisory_xact_lock_shared(account::integer,"
            f" floor(extract(epoch FROM clock_timestamp() - {EPOCH}))::integer)) FROM unnest(%s::bigint[]) account",
            [sorted(set(accounts))],
        )
        stamp: datetime = cursor.fetchone()[0]
        return stamp


def take_watermark(account_id: int) -> datetime:
    """The time from which on changes in the account may be missing in what is read from now on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")  # before the locks are looked at
        (now,) = cursor.fetchone()
        cursor.execute(
            f"SELECT least(%s, {EPOCH} + min(objid::bigint) * interval '1 second') FROM pg_locks"
            " WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s::bigint::integer::oid"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [now, account_id],
        )
        watermark: datetime = cursor.fetchone()[0]
    catch_up()
    return watermark
