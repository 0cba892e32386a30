"""Merge: staged customers → tables, changes, counts, by set-based SQL generated from the models.

Temporary tables take the customers by COPY, one table per kind of record, in the order of `STAGED`. What is staged
is what shall stand after the merge; the statements insert the new records, update those that differ, and write the
change log in the same breath. Ids of new connections are reserved beforehand, so nothing is joined by code.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.db import Error, IntegrityError, connection, models

from accounts.models import Account
from accounts.waiting import DEADLOCK, sqlstate_of
from connections.bulk.entities import (
    ASSIGNMENTS,
    CHILDREN,
    CONNECTION,
    RECORDS,
    STAGED,
    Entity,
    column_type,
    columns,
    field_of,
    quote,
    text_of,
)
from connections.bulk.references import EntryDeleted, check_new, may_check_at_once, unchecked
from connections.bulk.texts import CopyText
from connections.models import Change
from connections.stored import VERSION
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from django.db.backends.utils import CursorWrapper

    from connections.bulk.rows import Rows, Some

FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION = "23503", "23505"
PATIENCE = "60s"
"""How long a merge waits for each lock; people write in less."""

MANY = 10_000
"""From this many new rows on, a table's statistics are refreshed with them."""


class Stage:
    """The temporary tables of one merge; each is there when its first rows come, and empty when the transaction ends.

    They stay in the session, for its next merge: to make and to drop one takes as long as a hundred rows.
    """

    def __init__(self, cursor: CursorWrapper, status: str) -> None:
        """New connections get the status. To compile statements or start workers takes longer than a small merge."""
        self.cursor = cursor
        self.status = status
        self.new: Counter[Entity] = Counter()
        self.known: Counter[Entity] = Counter()
        self.added: Counter[Entity] = Counter()
        self.entries: defaultdict[Entity, set[int]] = defaultdict(set)
        self.checks_at_once = False
        cursor.execute("SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0")

    def expect(self, new: int) -> None:
        """At most so many customers are new, and come with all their records."""
        self.checks_at_once = may_check_at_once(self.cursor, new)

    def take(self, rows: Rows) -> None:
        """Stage what has to be compared or decided on, and add the records of new customers to their tables."""
        for entity, some, new in zip(STAGED, rows.staged, rows.new, strict=True):
            if count := len(some):
                if not self.new[entity] and not self.known[entity]:
                    self._create(entity)
                self.new[entity] += new
                self.known[entity] += count - new
                copy_some(self.cursor, entity.stage, entity.stage_columns, some)
        with self._inserting():
            for entity, some in zip(RECORDS, rows.added, strict=True):
                if count := len(some):
                    self.added[entity] += count
                    copy_some(self.cursor, entity.table, entity.table_columns, some)
        for entity, ids in rows.entries.items():
            self.entries[entity] |= ids

    def _inserting(self) -> AbstractContextManager[None]:
        return unchecked(self.cursor) if self.checks_at_once else nullcontext()

    def _create(self, entity: Entity) -> None:
        names = (*entity.columns, *entity.staged)
        types = ", ".join(f"{quote(name)} {column_type(entity.model, name)}" for name in names)
        self.cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {entity.stage}"
            f" (connection_id bigint, record_id bigint, line integer, {types}) ON COMMIT DELETE ROWS;"
            f" DELETE FROM {entity.stage}"
        )

    def _analyze(self, entity: Entity) -> None:
        """Tell the planner of the staged rows of known records: it takes a table without statistics for a large one."""
        if self.known[entity]:
            self.cursor.execute(f"ANALYZE {entity.stage} (record_id, connection_id)")

    @property
    def counts(self) -> tuple[Counter[Entity], Counter[Entity], Counter[Entity]]:
        """How many rows were staged of each kind, new and known, or added; what a rollback has to set back."""
        return self.new.copy(), self.known.copy(), self.added.copy()

    @counts.setter
    def counts(self, counts: tuple[Counter[Entity], Counter[Entity], Counter[Entity]]) -> None:
        self.new, self.known, self.added = counts

    def lock(self, account_id: int) -> list[str]:
        """Lock what the merge will touch: the account's lists, then the known connections by id, as every writer does.

        Returns the codes of customers that are not as they were when they were read: changed, deleted, or made by
        somebody else. Whoever writes a record of a connection writes its row too, so that its version tells of it.
        """
        cursor = self.cursor
        cursor.execute(f"SET LOCAL work_mem = '128MB'; SET LOCAL lock_timeout = '{PATIENCE}'")
        cursor.execute(f"SELECT 1 FROM {quote(Account._meta.db_table)} WHERE id = %s FOR SHARE", [account_id])
        if cursor.fetchone() is None:
            raise IntegrityError("The account was deleted meanwhile.")
        changed: list[str] = []
        if self.known[CONNECTION]:
            self._analyze(CONNECTION)
            cursor.execute(
                f"SELECT count(*) FROM (SELECT t.id FROM {CONNECTION.table} t JOIN {CONNECTION.stage} s"
                " ON s.record_id = t.id ORDER BY t.id FOR NO KEY UPDATE OF t) locked"
            )
            cursor.execute(
                f"SELECT s.customer_code FROM {CONNECTION.stage} s LEFT JOIN {CONNECTION.table} t ON t.id = s.record_id"
                f" WHERE s.record_id IS NOT NULL AND {VERSION.format('t')} IS DISTINCT FROM s.version"
            )
            changed += [code for (code,) in cursor.fetchall()]
        if self.new[CONNECTION]:
            cursor.execute(
                f"SELECT s.customer_code FROM {CONNECTION.stage} s JOIN {CONNECTION.table} t"
                " ON t.account_id = %s AND t.customer_code = s.customer_code WHERE s.record_id IS NULL",
                [account_id],
            )
            changed += [code for (code,) in cursor.fetchall()]
        return changed

    def remove(self, codes: list[str]) -> list[tuple[bool, bool]]:
        """Take staged customers back; of each, whether it was new and whether it would have changed."""
        self.cursor.execute(
            f"DELETE FROM {CONNECTION.stage} WHERE customer_code = ANY(%s)"
            " RETURNING connection_id, record_id IS NULL, changed",
            [codes],
        )
        removed = self.cursor.fetchall()
        owners = [owner for owner, _, _ in removed]
        for entity in RECORDS:
            if self.new[entity] or self.known[entity]:
                self.cursor.execute(f"DELETE FROM {entity.stage} WHERE connection_id = ANY(%s)", [owners])
            if self.added[entity]:
                new = [owner for owner, is_new, _ in removed if is_new]
                self.cursor.execute(f"DELETE FROM {entity.table} WHERE connection_id = ANY(%s)", [new])
        return [(is_new, changes) for _, is_new, changes in removed]

    def take_back(self) -> None:
        """Delete the records that were added, where the customers whose they are do not come after all."""
        for entity, count in self.added.items():
            if count:
                self.cursor.execute(
                    f"DELETE FROM {entity.table} t USING {CONNECTION.stage} s"
                    " WHERE s.record_id IS NULL AND t.connection_id = s.connection_id"
                )

    def find_created(self) -> str:
        """The ids of the new connections, as ranges."""
        if not self.new[CONNECTION]:
            return "{}"
        self.cursor.execute(
            "SELECT coalesce(range_agg(int8range(connection_id, connection_id, '[]')), '{}')::text"
            f" FROM {CONNECTION.stage} WHERE record_id IS NULL"
        )
        (ranges,) = self.cursor.fetchone()
        return str(ranges)

    def merge(self, *, account_id: int, run_id: int, at: datetime) -> None:
        """Apply what is staged: insert, update and delete, each with its rows of the log.

        `lock` comes before. Foreign keys are checked here and not only at the commit, so that a failure is one of the
        merge.
        """
        cursor = self.cursor
        parameters = {"account": account_id, "run": run_id, "at": at, "status": self.status}
        for entity in RECORDS:
            self._analyze(entity)
        if self.new[CONNECTION]:
            if self.checks_at_once:
                check_new(cursor, self.entries)
            with self._inserting():
                _insert_connections(cursor, parameters)
        for entity in RECORDS:
            if self.new[entity]:
                _insert_records(cursor, entity, parameters)
        for entity in (*CHILDREN, CONNECTION):
            if self.known[entity]:
                _update_records(cursor, entity, parameters)
        for entity in ASSIGNMENTS.values():
            if self.known[entity]:
                _delete_assignments(cursor, entity, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        for entity, count in (self.new + self.added).items():
            if count >= MANY:
                refresh_statistics(cursor, entity)
        if self.new[CONNECTION] >= MANY:
            cursor.execute(f"ANALYZE {quote(Change._meta.db_table)} (account_id, run_id)")


def is_race(error: Error) -> bool:
    """Whether a merge failed only because somebody else wrote the same at this moment."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return sqlstate_of(error) == DEADLOCK or constraint == "unique_customer_code"


def is_race_for_lists(error: Error) -> bool:
    """Whether a merge failed because an entry of a list that it gives or makes was deleted, or made, meanwhile.

    The database is asked, so what failed must be taken back before.
    """
    if isinstance(error, EntryDeleted):
        return True
    diagnosis, tables = getattr(error.__cause__, "diag", None), [model._meta.db_table for model in LISTS.values()]
    if sqlstate_of(error) == UNIQUE_VIOLATION:
        return getattr(diagnosis, "table_name", None) in tables
    if sqlstate_of(error) != FOREIGN_KEY_VIOLATION or diagnosis is None:
        return False
    with connection.cursor() as cursor:  # the name of a constraint is cut off before that of the other table
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid"
            " WHERE c.conname = %s AND t.relname = ANY(%s))",
            [diagnosis.constraint_name, tables],
        )
        (is_of_list,) = cursor.fetchone()
    return bool(is_of_list)


def copy_rows(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows to a table by COPY."""
    with connection.wrap_database_errors, cursor.copy(_copy(table, columns)) as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def copy_some(cursor: CursorWrapper, table: str, columns: Sequence[str], some: Some) -> None:
    """The same of rows that may be a text already."""
    if isinstance(some, CopyText):
        with connection.wrap_database_errors, cursor.copy(_copy(table, columns)) as copy:
            copy.write(some.text)
    else:
        copy_rows(cursor, table, columns, some)


def _copy(table: str, columns: Sequence[str]) -> str:
    return f"COPY {table} ({', '.join(map(quote, columns))}) FROM STDIN"


def reserve_ids(cursor: CursorWrapper, model: type[models.Model], count: int) -> list[int]:
    """Ids for records to come."""
    cursor.execute(
        "SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) s,"
        " generate_series(1, %s)",
        [model._meta.db_table, count],
    )
    return [pk for (pk,) in cursor.fetchall()]


def _log(action: Change.Action, entity: Entity, condition: str) -> str:
    """Change rows for whole records of known customers, those staged that meet a condition on `s`."""
    values = ", ".join(
        f"'{field_of(entity.model, name).name}', nullif({text_of(entity, name, 's')}, '')" for name in entity.values
    )
    return (
        f"INSERT INTO {quote(Change._meta.db_table)}"
        ' (account_id, customer_code, connection_id, run_id, line, at, action, record, key, field, "values")'
        f" SELECT %(account)s, c.customer_code, s.connection_id, %(run)s, s.line, %(at)s, '{action}',"
        f" '{entity.record}', {entity.log_key}, '', json_strip_nulls(json_build_object({values}))"
        f" FROM {entity.stage} s {_customer('s')} WHERE c.record_id IS NOT NULL AND {condition}"
    )


def _customer(staged: str) -> str:
    """Joins `c`, the connection that a staged record belongs to; each has one that is staged too."""
    return f"JOIN {CONNECTION.stage} c ON c.connection_id = {staged}.connection_id"


def _insert_connections(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Insert the new customers; one row of the log tells of each with all its records (`history.snapshots`)."""
    names = (*CONNECTION.columns, "near_key", "source_digest")
    cursor.execute(
        f"WITH created AS (INSERT INTO {CONNECTION.table}"
        f" (id, account_id, status, created_at, updated_at, {columns(names)})"
        f" SELECT connection_id, %(account)s, %(status)s, %(at)s, %(at)s, {columns(names)}"
        f" FROM {CONNECTION.stage} WHERE record_id IS NULL)"
        f" INSERT INTO {quote(Change._meta.db_table)}"
        ' (account_id, customer_code, connection_id, run_id, line, at, action, record, key, field, "values")'
        " SELECT %(account)s, customer_code, connection_id, %(run)s, line, %(at)s,"
        f" '{Change.Action.CREATED}', '{CONNECTION.record}', '', '', snapshot"
        f" FROM {CONNECTION.stage} WHERE record_id IS NULL",
        parameters,
    )


def _insert_records(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Insert the new records of known customers, which are logged one by one."""
    names = ("connection_id", *entity.columns)
    cursor.execute(
        f"WITH created AS (INSERT INTO {entity.table} ({columns(names)}) SELECT {columns(names)} FROM {entity.stage}"
        f" WHERE record_id IS NULL) {_log(Change.Action.CREATED, entity, 's.record_id IS NULL')}",
        parameters,
    )


def _delete_assignments(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    cursor.execute(
        f"WITH deleted AS (DELETE FROM {entity.table} t USING {entity.stage} s"
        " WHERE s.record_id IS NOT NULL AND t.connection_id = s.connection_id AND t.lookup_id = s.lookup_id) "
        + _log(Change.Action.DELETED, entity, "s.record_id IS NOT NULL"),
        parameters,
    )


def _update_records(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Write the records that differ, and each differing field to the log.

    Of a known connection the digest is new even where it does not differ itself.
    """
    values = entity.values
    fields = ", ".join(
        f"('{field_of(entity.model, name).name}', {text_of(entity, name, 'd', 'old_')}, {text_of(entity, name, 'd')})"
        for name in values
    )
    changes, source = [f"{quote(name)} = s.{quote(name)}" for name in values], "d"
    if entity is CONNECTION:
        changes += [
            "source_digest = s.source_digest", "updated_at = CASE WHEN s.changed THEN %(at)s ELSE t.updated_at END",
        ]  # fmt: skip
        source = entity.stage
    cursor.execute(
        f"WITH d AS MATERIALIZED (SELECT s.*, {', '.join(f't.{quote(name)} AS old_{name}' for name in values)}"
        f" FROM {entity.stage} s JOIN {entity.table} t ON t.id = s.record_id"
        f" WHERE ({columns(values, 't.')}) IS DISTINCT FROM ({columns(values, 's.')})),"
        f" updated AS (UPDATE {entity.table} t SET {', '.join(changes)} FROM {source} s WHERE t.id = s.record_id)"
        f" INSERT INTO {quote(Change._meta.db_table)}"
        " (account_id, customer_code, connection_id, run_id, line, at, action, record, key, field, before, after)"
        " SELECT %(account)s, c.customer_code, d.connection_id, %(run)s, d.line, %(at)s,"
        f" '{Change.Action.UPDATED}', '{entity.record}',"
        f" {entity.log_key.replace('s.', 'd.')}, v.field, v.before, v.after"
        f" FROM d {_customer('d')} CROSS JOIN LATERAL (VALUES {fields}) v(field, before, after)"
        " WHERE v.before IS DISTINCT FROM v.after",
        parameters,
    )


def refresh_statistics(cursor: CursorWrapper, entity: Entity) -> None:
    """Tell the planner of a freshly filled table; it knows nothing of it until the server gets round to that."""
    names = ("account_id", "customer_code", "near_key", "status") if entity is CONNECTION else ("connection_id",)
    cursor.execute(f"ANALYZE {entity.table} (id, {columns(names)})")
