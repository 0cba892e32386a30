"""Sightings: on which day a file last mentioned a connection, without writing to the connections.

A row holds those that files mentioned on one day and on no later one, as ranges of ids: a file of all customers is one
range, and all rows of an account together hold each connection once. So an unchanged customer costs its id in one
array, and nothing has to be pruned.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from accounts.replicas import read_from
from connections.models import Sighting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from django.db.backends.utils import CursorWrapper

SORTED_AT_ONCE = 50_000


def today() -> date:
    """In UTC."""
    return timezone.now().date()


def note_sightings(
    cursor: CursorWrapper, account_id: int, known: Iterable[int], created: str, *, is_full: bool
) -> None:
    """Note that a file mentions these connections today; within the transaction of its run, which holds the account.

    `known` are ids, `created` ranges of ids as PostgreSQL writes them; with `is_full` the file lists all customers.
    """
    table = connection.ops.quote_name(Sighting._meta.db_table)
    parameters: dict[str, Any] = {
        "account": account_id,
        "day": today(),
        "known": _ranges(known),
        "created": created,
        "full": is_full,
    }
    cursor.execute(
        f"INSERT INTO {table} AS today (account_id, day, ids, is_full)"
        " VALUES (%(account)s, %(day)s, %(known)s::int8multirange + %(created)s::int8multirange, %(full)s)"
        " ON CONFLICT (account_id, day)"
        " DO UPDATE SET ids = today.ids + excluded.ids, is_full = today.is_full OR excluded.is_full"
        " WHERE NOT today.ids @> excluded.ids OR today.is_full < excluded.is_full"
        " RETURNING xmax = 0",
        parameters,
    )
    if cursor.fetchone() == (True,):  # the first of a day: what the last day saw leaves the days before it
        cursor.execute(
            f"UPDATE {table} older SET ids = older.ids - last.ids FROM (SELECT day, ids FROM {table}"
            " WHERE account_id = %(account)s AND day < %(day)s ORDER BY day DESC LIMIT 1) last"
            " WHERE older.account_id = %(account)s AND older.day < last.day AND older.ids && last.ids",
            parameters,
        )
        cursor.execute(
            f"DELETE FROM {table} WHERE account_id = %(account)s AND isempty(ids) AND (NOT is_full OR day <"
            f" (SELECT max(day) FROM {table} WHERE account_id = %(account)s AND is_full))",
            parameters,
        )


def _ranges(ids: Iterable[int]) -> str:
    """The ids as ranges that PostgreSQL reads, which joins those that are one and puts them in order.

    Ids come nearly in order, so that it is enough to sort some at once; all of a million would take 40 MB.
    """
    ranges: list[str] = []
    rest = iter(ids)
    while some := sorted(islice(rest, SORTED_AT_ONCE)):
        first = last = some[0]
        for pk in some:
            if pk > last + 1:
                ranges.append(f"[{first},{last}]")
                first = pk
            last = pk
        ranges.append(f"[{first},{last}]")
    return f"{{{','.join(ranges)}}}"


def last_seen(connections: Collection[int]) -> dict[int, date]:
    """The day on which a file last mentioned each of these connections (by id), of those that one ever did."""
    with read_from(Sighting).cursor() as cursor:
        cursor.execute(
            "SELECT c.id, max(s.day) FROM connections_connection c JOIN connections_sighting s"
            " ON s.account_id = c.account_id AND s.ids @> c.id WHERE c.id = ANY(%s) GROUP BY c.id",
            [list(connections)],
        )
        return dict(cursor.fetchall())
