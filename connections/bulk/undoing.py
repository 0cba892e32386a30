"""Undo: what a run changed is turned round by its rows of the change log, as far as nobody changed it since.

Set-based: the run's rows are copied into a temporary table, each is marked with why it cannot be turned round, and the
others are (see `connections.bulk.reverting`). What counts as changed since are later rows of the log, but for those of
runs that were taken back themselves and of the runs that did so; and whatever stands there now must be what the run
left.

One row of the log is one decision, but where the rest of a customer would break a rule (no price type left, a discount
without its level, an address without its state), nothing of that customer is turned round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.models import Account
from connections.bulk.entities import ASSIGNMENTS, CHILDREN, CONNECTION, quote
from connections.bulk.merging import PATIENCE
from connections.bulk.reverting import (
    LOG,
    delete_connections,
    delete_records,
    insert_connections,
    insert_records,
    touch_connections,
    update_records,
)
from connections.bulk.weighing import LATER, weigh
from connections.history.authors import source_of
from connections.history.stamping import take_stamp
from connections.models import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.backends.utils import CursorWrapper

REASONS = {
    "changed": "was changed since by {by}",
    "gone": "is gone, with the connection that it belonged to",
    "there": "is there again, made by {by}",
    "entry": "named an entry that is in no list any more",
    "original": "is a duplicate of a connection that cannot stand for it any more",
    "stands": "stands for duplicates",
    "rule": "stays, because the rest of the customer could not stand without it",
}
"""Why something is left."""
_CREATED, _DELETED = Change.Action.CREATED, Change.Action.DELETED


@dataclass(frozen=True, slots=True)
class Left:
    """What an undo leaves: a field of a record, or without a field the whole record, and who changed it last."""

    customer_code: str
    record: str
    key: str
    field: str
    value: str | None
    changed_by: str
    reason: str

    @property
    def message(self) -> str:
        what = f"{Change.Record(self.record).label} {self.key}".strip()
        what = f"{what}, {self.field}," if self.field else what
        return f"{what} {REASONS[self.reason].format(by=self.changed_by or 'somebody')}."


@dataclass
class Undone:
    """What came of an undo, in customers: those with values restored, made again, deleted, and with anything left.

    `spared` are those of whom nothing at all was turned round.
    """

    restored: int = 0
    created: int = 0
    deleted: int = 0
    spared: int = 0
    left_in_all: int = 0
    left: list[Left] = field(default_factory=list)
    """The first of what is left, in the order of the log."""


def undo_changes(
    cursor: CursorWrapper, account_id: int, run_id: int, by_run: int, cancelled: Collection[int], most_left: int
) -> Undone:
    """Turn the changes of a run round as changes of another one; within a transaction that holds the account's claim.

    `cancelled` are the later runs (by id) that were taken back, and those that did so. Raises the database's errors
    when others write the same at this moment (see `merging.is_race`).
    """
    parameters = {
        "account": account_id,
        "run": run_id,
        "by_run": by_run,
        "cancelled": list(cancelled),
    }
    _collect(cursor, parameters)
    _lock(cursor, parameters)
    weigh(cursor, parameters)
    parameters["at"] = take_stamp([account_id])
    _write(cursor, parameters)
    return _count(cursor, most_left)


def _collect(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """The run's rows of the log. What it did to a connection that it made goes with that."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.undone")
    cursor.execute(
        "CREATE TEMPORARY TABLE undone ON COMMIT DROP AS SELECT id, connection_id, customer_code, action, record, key,"
        " field, before, after, NULL::text AS now, false AS is_there, true AS is_same, false AS is_touched,"
        f" ''::text AS why FROM {LOG} WHERE run_id = %(run)s AND account_id = %(account)s",
        parameters,
    )
    cursor.execute(
        f"DELETE FROM undone u USING undone c WHERE c.record = '{CONNECTION.record}' AND c.action = '{_CREATED}'"
        " AND c.connection_id = u.connection_id AND u.id <> c.id"
    )
    cursor.execute("CREATE INDEX ON undone (connection_id); ANALYZE undone")


def _lock(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """The account's lists, then the connections by id, as every writer does."""
    cursor.execute(f"SET LOCAL work_mem = '128MB'; SET LOCAL jit = off; SET LOCAL lock_timeout = '{PATIENCE}'")
    cursor.execute(f"SELECT 1 FROM {quote(Account._meta.db_table)} WHERE id = %(account)s FOR SHARE", parameters)
    cursor.execute(
        f"SELECT count(*) FROM (SELECT t.id FROM {CONNECTION.table} t"
        " WHERE t.id IN (SELECT connection_id FROM undone) ORDER BY t.id FOR UPDATE OF t) locked"
    )


def _write(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    delete_connections(cursor, parameters)
    insert_connections(cursor, parameters)
    for entity in (*CHILDREN, *ASSIGNMENTS.values()):
        delete_records(cursor, entity, parameters)
        insert_records(cursor, entity, parameters)
    for entity in (*CHILDREN, CONNECTION):
        update_records(cursor, entity, parameters)
    touch_connections(cursor, parameters)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def _count(cursor: CursorWrapper, most_left: int) -> Undone:
    cursor.execute(
        "SELECT count(*) FILTER (WHERE is_restored), count(*) FILTER (WHERE is_created),"
        " count(*) FILTER (WHERE is_deleted), count(*) FILTER (WHERE is_spared), coalesce(sum(left_here), 0) FROM ("
        "SELECT bool_or(why = '' AND NOT is_whole) AS is_restored,"
        f" bool_or(why = '' AND is_whole AND action = '{_DELETED}') AS is_created,"
        f" bool_or(why = '' AND is_whole AND action = '{_CREATED}') AS is_deleted,"
        " bool_and(why NOT IN ('', 'done')) AS is_spared, count(*) FILTER (WHERE why NOT IN ('', 'done')) AS left_here"
        f" FROM (SELECT *, record = '{CONNECTION.record}' AND field = '' AS is_whole FROM undone) u"
        " GROUP BY connection_id) customers"
    )
    undone = Undone(*cursor.fetchone())
    undone.left_in_all = int(undone.left_in_all)
    undone.left = list(_read_left(cursor, most_left)) if undone.left_in_all else []
    return undone


def _read_left(cursor: CursorWrapper, most: int) -> Iterator[Left]:
    """What is left, with the last change of it, whoever made that."""
    cursor.execute(
        "SELECT u.customer_code, u.record, u.key, u.field, u.now, u.why, d.id FROM (SELECT * FROM undone"
        " WHERE why NOT IN ('', 'done') ORDER BY id LIMIT %s) u"
        f" LEFT JOIN LATERAL (SELECT max(d.id) AS id FROM {LOG} d JOIN {LOG} o ON o.id = u.id"
        " WHERE d.account_id = o.account_id AND d.customer_code = u.customer_code AND d.id > u.id"
        " AND d.run_id IS DISTINCT FROM o.run_id"
        f" AND {LATER}) d ON true ORDER BY u.id",
        [most],
    )
    rows = cursor.fetchall()
    by = {
        change.pk: source_of(change)
        for change in Change.objects.filter(pk__in={row[-1] for row in rows}).select_related("user")
    }
    for customer_code, record, key, name, value, why, change in rows:
        yield Left(customer_code, record, key, name, value, by.get(change, ""), why)
