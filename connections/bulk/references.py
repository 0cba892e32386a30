"""References: the foreign keys of many new rows, checked by a statement for each key instead of one for each row.

PostgreSQL checks every reference of every row by a query of its own, which is nearly half of its work for a first load.
A role that may set `session_replication_role` inserts without that; what new customers refer to is looked for when all
of them are there, under the same locks.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError

from connections.bulk.entities import CONNECTION, Entity, field_of, list_table_of, quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from django.db.backends.utils import CursorWrapper


FEW = 1000
"""Up to so many new customers, what they refer to is checked as quickly one by one."""


class EntryDeleted(IntegrityError):
    """What new rows refer to is gone: an entry of a list, since the file was checked."""


def may_check_at_once(cursor: CursorWrapper, new: int) -> bool:
    """Whether that is worth it for so many new customers, and the role may insert what the database does not check."""
    if new <= FEW:
        return False
    cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
    (may,) = cursor.fetchone()
    return bool(may)


@contextmanager
def unchecked(cursor: CursorWrapper) -> Iterator[None]:
    """Let the block insert rows without a look at what they refer to."""
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")  # an error rolls it back


def check_new(cursor: CursorWrapper, given: Mapping[Entity, Collection[int]]) -> None:
    """Check what new customers refer to, those staged and their records: entries of lists, those `given` by entity.

    The account is locked. Whose the records are need not be checked: they come with their customers (`bulk.rows`).
    Raises EntryDeleted for an entry of a list that is gone.
    """
    for name in CONNECTION.columns:
        if field_of(CONNECTION.model, name).is_relation:
            column = quote(name)
            named = f"SELECT DISTINCT {column} FROM {CONNECTION.stage} WHERE record_id IS NULL AND {column} IS NOT NULL"
            _lock_entries(cursor, CONNECTION, name, named, [])
    for entity, ids in given.items():
        _lock_entries(cursor, entity, "lookup_id", "SELECT unnest(%s::bigint[])", [list(ids)])


def _lock_entries(cursor: CursorWrapper, entity: Entity, name: str, named: str, parameters: list[Any]) -> None:
    """Lock the entries of a list that a query names, as long as the transaction lasts; each must be there."""
    table = list_table_of(field_of(entity.model, name))
    cursor.execute(
        f"WITH named (id) AS MATERIALIZED ({named}), locked AS MATERIALIZED"
        f" (SELECT l.id FROM {table} l WHERE l.id IN (SELECT id FROM named) FOR KEY SHARE)"
        " SELECT id FROM named EXCEPT SELECT id FROM locked",
        parameters,
    )
    if missing := cursor.fetchone():
        raise EntryDeleted(f"{entity.record.label}: {name} {missing[0]} was deleted meanwhile.")
