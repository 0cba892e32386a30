"""Shortening: of old changes, those that a later one replaced go, so that a log does not grow for ever.

What stays is the newest old change of each field of each record, and what its records came and went by. So the log
comes to what stands, as before, and says where each value is from; what stood in between is gone, and with it the undo
of what changed it. No row is written anew, so each that stays says what it always did.

The changes of an account are gone through once, in the order in which followers are told them (see `following`), and
each lets go what it replaced. How far that is stands beside the account, and is committed with what went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection, transaction

from accounts.zones import short_time
from connections.history.following import BEGINNING, Place, read_on
from connections.models import Change, LogStart

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from accounts.models import Account

_TABLE = Change._meta.db_table


def _list(actions: Iterable[str]) -> str:
    return ", ".join(f"'{action}'" for action in actions)


_WHOLE = _list([Change.Action.CREATED, Change.Action.DELETED])
REPLACES = f"""
    d.account_id = c.account_id AND d.customer_code = c.customer_code AND d.id > c.id AND c.at <= d.at AND (
        d.record = '{Change.Record.CONNECTION}' AND d.action IN ({_WHOLE})
        OR d.record = c.record AND d.key = c.key AND (
            c.action IN ({_list(Change.WRITES)}) AND d.action IN ({_WHOLE})
            OR c.action = '{Change.Action.UPDATED}' AND d.action = '{Change.Action.UPDATED}' AND d.field = c.field
            OR c.action IN ({_list(Change.DECISIONS)}) AND d.action IN ({_list(Change.DECISIONS)}) AND d.field = c.field
        )
    )
"""
"""Whether, once there was the change `d`, nothing of what stands is from `c` any more."""


class Shortened(NamedTuple):
    """How many changes went, and whether more of the account are old enough to be looked at."""

    gone: int
    has_more: bool


def find_whole_since(account: Account) -> datetime | None:
    """From when on the log of an account is whole; None where all of it is. Its `log_start` may be read with it."""
    start: LogStart | None = getattr(account, "log_start", None)
    return None if start is None else start.at


def say_loss(account: Account, begun: datetime) -> str:
    """What became of changes of what began then, as a sentence that follows a colon; blank where all are kept."""
    since = find_whole_since(account)
    if since is None or begun > since:
        return ""
    return f"of changes from before {short_time(since)}, those that later ones replaced are kept no longer."


def find_long_logs(before: datetime) -> list[int]:
    """The accounts (by id) with changes from before that were not looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.id FROM accounts_account a LEFT JOIN {LogStart._meta.db_table} s ON s.account_id = a.id"  # noqa: S608  (constants)
            f" WHERE EXISTS (SELECT FROM {_TABLE} c WHERE c.account_id = a.id AND c.at < %s"
            " AND (c.at, c.id) > (coalesce(s.at, '-infinity'), coalesce(s.number, 0))) ORDER BY a.id",
            [before],
        )
        return [account for (account,) in cursor.fetchall()]


def count_replaced(account_id: int, before: datetime) -> int:
    """How many changes of an account would go."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {_TABLE} c WHERE c.account_id = %(account)s AND c.at < %(before)s"  # noqa: S608  (constants)
            f" AND EXISTS (SELECT FROM {_TABLE} d WHERE d.at < %(before)s AND {REPLACES})",
            {"account": account_id, "before": before},
        )
        (count,) = cursor.fetchone()
        return int(count)


def shorten_log(account_id: int, before: datetime, most: int) -> Shortened:
    """Look at the next changes of an account from before, so many at once, and let go what they replaced.

    Nobody may undo anything in the account meanwhile.
    """
    changes = Change.objects.filter(account=account_id).only("at")
    start = LogStart.objects.filter(account=account_id).first()
    with transaction.atomic(), connection.cursor() as cursor:
        found, place, has_more = read_on(changes, Place(start.at, start.number) if start else BEGINNING, before, most)
        cursor.execute(
            f"DELETE FROM {_TABLE} c USING {_TABLE} d WHERE d.id = ANY(%s) AND {REPLACES}",  # noqa: S608  (constants)
            [[change.pk for change in found]],
        )
        gone = cursor.rowcount
        LogStart.objects.update_or_create(account_id=account_id, defaults={"at": place.at, "number": place.number})
    return Shortened(gone, has_more)
