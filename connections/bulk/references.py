"""References: the foreign keys of many new rows, checked by a statement for each key instead of one for each row.

PostgreSQL checks every reference of every row by a query of its own, which is nearly half of its work for a first load.
A role that may set `session_replication_role` inserts without that; what is staged is compared with what it refers to
beforehand, under the same locks.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import IntegrityError

from connections.bulk.entities import CONNECTION, Entity, field_of, list_table_of, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
def checked_at_once(cursor: CursorWrapper, entities: Iterable[Entity]) -> Iterator[None]:
    """Check what the new rows of these staged entities refer to, and let the block insert them.

    The known connections are locked, and so is the account. Raises IntegrityError for an entry of a list that is gone.
    """
    entities = list(entities)
    _check_owners(cursor, [entity for entity in entities if entity is not CONNECTION])
    for entity in entities:
        for name in entity.columns:
            if field_of(entity.model, name).is_relation:
                _check_entries(cursor, entity, name)
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")  # an error rolls it back


def _check_owners(cursor: CursorWrapper, entities: list[Entity]) -> None:
    """Each record belongs to a connection that is staged too: a known one, which is locked, or one that is inserted.

    Of all kinds at once, and by EXCEPT, which works by hashes whatever the planner takes staged tables for.
    """
    if not entities:
        return
    owners = " UNION ALL ".join(
        f"SELECT connection_id FROM {entity.stage} WHERE record_id IS NULL" for entity in entities
    )
    cursor.execute(f"({owners}) EXCEPT SELECT connection_id FROM {CONNECTION.stage}")
    _refuse("record", "connection", cursor.fetchall())


def _check_entries(cursor: CursorWrapper, entity: Entity, name: str) -> None:
    """Lock the entries of a list that new rows refer to, as long as the transaction lasts; each must be there."""
    column, table = quote(name), list_table_of(field_of(entity.model, name))
    named = f"SELECT DISTINCT {column} FROM {entity.stage} WHERE record_id IS NULL AND {column} IS NOT NULL"
    cursor.execute(
        f"WITH named AS MATERIALIZED ({named}), locked AS MATERIALIZED"
        f" (SELECT l.id FROM {table} l WHERE l.id IN (SELECT {column} FROM named) FOR KEY SHARE)"
        f" SELECT {column} FROM named EXCEPT SELECT id FROM locked"
    )
    _refuse(entity.record.label, name, cursor.fetchall())


def _refuse(record: str, name: str, missing: list[tuple[int]]) -> None:
    if missing:
        raise EntryDeleted(f"{record}: {name} {missing[0][0]} was deleted meanwhile.")
