"""Revert: changes that are to be turned round (the temporary table `undone`, where `why` is blank) → tables and log.

See `connections.bulk.undoing`, which fills that table. Every statement writes its own rows of the change log, as a
merge does. The parameters of all are `account`, `by_run` (the run that undoes) and `at`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from accounts.models import User
from connections.bulk.entities import (
    ASSIGNMENTS,
    CHILDREN,
    CONNECTION,
    Entity,
    column_type,
    field_of,
    list_table_of,
    quote,
    text_of,
)
from connections.models import Address, Buyer, Change, Connection
from lookups.models import PriceType

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

LOG = quote(Change._meta.db_table)
_INTO_LOG = (
    f"INSERT INTO {LOG} (account_id, customer_code, connection_id, run_id, at, action, record, key, field, before,"
    ' after, "values")'
)
_CREATED, _UPDATED, _DELETED = Change.Action.CREATED, Change.Action.UPDATED, Change.Action.DELETED
_TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'


# -- what the log writes of a row


def code_of(model: Any, row: str) -> str:
    """The code of an entry of a list."""
    return f"{row}.currency || ' ' || {row}.label" if model is PriceType else f"{row}.code"


def values_as_text(entity: Entity, row: str) -> str:
    """Rows of a VALUES list: each field and its value."""
    return ", ".join(f"('{field_of(entity.model, name).name}', {text_of(entity, name, row)})" for name in entity.values)


def values_as_json(entity: Entity, row: str) -> str:
    """All values of a record; blank ones are left out."""
    pairs = (
        f"'{field_of(entity.model, name).name}', nullif({text_of(entity, name, row)}, '')" for name in entity.values
    )
    return f"jsonb_strip_nulls(jsonb_build_object({', '.join(pairs)}))"


def is_keyed(entity: Entity, row: str, key: str) -> str:
    """Whether a record is the one that a key of the log names; of an assignment, `l` is its entry."""
    if entity in ASSIGNMENTS.values():
        return f"{code_of(list_of(entity), 'l')} = {key}"
    if entity.model is Buyer:
        return f'lower({row}.email) = lower({key} COLLATE "C")'
    return f"{entity.log_key.replace('s.', f'{row}.')} = {key}"


def list_of(entity: Entity) -> Any:
    return field_of(entity.model, "lookup_id").related_model


# -- records of connections that stay


def delete_records(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Delete the records that were created."""
    lookup = f", {quote(list_of(entity)._meta.db_table)} l" if entity in ASSIGNMENTS.values() else ""
    joined = " AND l.id = t.lookup_id" if lookup else ""
    cursor.execute(
        f"WITH gone AS (DELETE FROM {entity.table} t USING undone u{lookup} WHERE {_chosen(entity, _CREATED)}"
        f" AND t.connection_id = u.connection_id{joined} AND {is_keyed(entity, 't', 'u.key')}"
        f" RETURNING u.customer_code, u.connection_id, u.key, {values_as_json(entity, 't')} AS said)"
        f" {_INTO_LOG} SELECT %(account)s, customer_code, connection_id, %(by_run)s, %(at)s, '{_DELETED}',"
        f" '{entity.record}', key, '', NULL, NULL, said FROM gone",
        parameters,
    )


def insert_records(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Insert the records that were deleted."""
    gone = _gone(entity)
    cursor.execute(
        f"WITH made AS ({_insertion(entity, gone, 'u.connection_id', 'u.key', 'u.said')})"
        f" {_INTO_LOG} SELECT %(account)s, u.customer_code, u.connection_id, %(by_run)s, %(at)s, '{_CREATED}',"
        f" u.record, u.key, '', NULL, NULL, coalesce(u.said, '{{}}') FROM {gone}",
        parameters,
    )


def _gone(entity: Entity) -> str:
    """The chosen changes by which records went, as `u`, with what the log says: `said`, parsed once (by OFFSET)."""
    return (
        f"(SELECT u.*, c.values::jsonb AS said FROM undone u JOIN {LOG} c ON c.id = u.id"
        f" WHERE {_chosen(entity, _DELETED)} OFFSET 0) u"
    )


def _insertion(entity: Entity, source: str, owner: str, key: str, values: str) -> str:
    """An INSERT of records, from a source that says whose each is, its key and its values."""
    if entity in ASSIGNMENTS.values():
        model = list_of(entity)
        return (
            f"INSERT INTO {entity.table} (connection_id, lookup_id) SELECT {owner}, l.id FROM {source}"
            f" JOIN {quote(model._meta.db_table)} l ON l.account_id = %(account)s AND {code_of(model, 'l')} = {key}"
        )
    keys = [f"left({key}, 1)", f"substr({key}, 3)"] if entity.model is Address else [key]
    cells = [_typed(entity, name, f"{values}->>'{name}'") for name in entity.values]
    names = ", ".join(map(quote, entity.columns))
    given = ", ".join([*keys, *cells])
    return f"INSERT INTO {entity.table} (connection_id, {names}) SELECT {owner}, {given} FROM {source}"


def _typed(entity: Entity, name: str, text: str) -> str:
    """A value of the log as its column takes it."""
    field = field_of(entity.model, name)
    if field.is_relation:
        return f"(SELECT l.id FROM {list_table_of(field)} l WHERE l.account_id = %(account)s AND l.code = {text})"
    if not field.null:
        return f"coalesce({text}, '')"
    return f"nullif({text}, '')::{column_type(entity.model, name)}"


def update_records(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Give changed fields the values that they had before."""
    assignments = ", ".join(
        f"{quote(name)} = CASE WHEN back.said ? {field} THEN {_typed(entity, name, f'(back.said->>{field})')}"
        f" ELSE t.{quote(name)} END"
        for name in entity.values
        for field in [f"'{field_of(entity.model, name).name}'"]
    )
    owner = "t.id" if entity is CONNECTION else "t.connection_id"
    cursor.execute(
        "WITH back AS (SELECT u.connection_id, u.key, jsonb_object_agg(u.field, u.before) AS said"
        f" FROM undone u WHERE {_chosen(entity, _UPDATED)} GROUP BY 1, 2),"
        f" updated AS (UPDATE {entity.table} t SET {assignments} FROM back WHERE {owner} = back.connection_id"
        f" AND {is_keyed(entity, 't', 'back.key')})"
        f" {_INTO_LOG} SELECT %(account)s, u.customer_code, u.connection_id, %(by_run)s, %(at)s, '{_UPDATED}',"
        f" u.record, u.key, u.field, u.now, u.before, NULL FROM undone u WHERE {_chosen(entity, _UPDATED)}",
        parameters,
    )


def _chosen(entity: Entity, action: Change.Action) -> str:
    return f"u.why = '' AND u.record = '{entity.record}' AND u.action = '{action}'"


def touch_connections(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Stamp the connections that changed, and let their next file be looked at."""
    cursor.execute(
        f"UPDATE {CONNECTION.table} t SET source_digest = '', updated_at = %(at)s"
        " WHERE t.id IN (SELECT connection_id FROM undone WHERE why = '')",
        parameters,
    )


# -- whole connections


def delete_connections(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Delete the connections that were created, with all that belongs to them; one row of the log has all of it."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.leaving")
    cursor.execute(
        "CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS SELECT u.connection_id AS id FROM undone u"
        f" WHERE {_chosen(CONNECTION, _CREATED)}"
    )
    cursor.execute("ANALYZE leaving")
    cursor.execute("SELECT count(*) FROM leaving")
    if not cursor.fetchone()[0]:
        return
    cursor.execute(
        f"{_INTO_LOG} SELECT %(account)s, c.customer_code, c.id, %(by_run)s, %(at)s, '{_DELETED}',"
        f" '{CONNECTION.record}', '', '', NULL, NULL, {_review_as_json('c')}"
        f" || jsonb_build_object('values', {values_as_json(CONNECTION, 'c')}, 'records', coalesce(r.records, '[]'))"
        f" FROM {CONNECTION.table} c JOIN leaving ON leaving.id = c.id"
        f" LEFT JOIN (SELECT owner, jsonb_agg(record) AS records FROM ({_records_as_json()}) records GROUP BY owner) r"
        " ON r.owner = c.id",
        parameters,
    )
    for relation in Connection._meta.related_objects:
        field: Any = relation.field
        if not field.db_constraint:
            continue
        table, column = quote(field.model._meta.db_table), quote(field.column)
        if field.remote_field.on_delete is models.CASCADE:
            cursor.execute(f"DELETE FROM {table} t USING leaving WHERE t.{column} = leaving.id")
        else:
            cursor.execute(f"UPDATE {table} t SET {column} = NULL FROM leaving WHERE t.{column} = leaving.id")
    cursor.execute(f"DELETE FROM {CONNECTION.table} t USING leaving WHERE t.id = leaving.id")


def _records_as_json() -> str:
    """A query of the records of the connections that leave: whose each is, and what the log says of it."""
    found = []
    for entity in (*CHILDREN, *ASSIGNMENTS.values()):
        lookup, key = "", entity.log_key.replace("s.", "t.")
        if entity in ASSIGNMENTS.values():
            model = list_of(entity)
            lookup = f" JOIN {quote(model._meta.db_table)} l ON l.id = t.lookup_id"
            key = code_of(model, "l")
        found.append(
            f"SELECT t.connection_id AS owner, jsonb_build_object('record', '{entity.record}', 'key', {key}, 'values',"
            f" {values_as_json(entity, 't')}) AS record FROM {entity.table} t JOIN leaving ON leaving.id ="
            f" t.connection_id{lookup}"
        )
    return " UNION ALL ".join(found)


def _review_as_json(row: str) -> str:
    users = quote(User._meta.db_table)
    times = ", ".join(
        f"'{name}', to_char({row}.{name} AT TIME ZONE 'UTC', '{_TIME}')" for name in ("reviewed_at", "created_at")
    )
    return (
        f"jsonb_strip_nulls(jsonb_build_object('status', {row}.status, 'near_key', nullif({row}.near_key, ''),"
        f" 'review_note', nullif({row}.review_note, ''),"
        f" 'duplicate_of', (SELECT o.customer_code FROM {CONNECTION.table} o WHERE o.id = {row}.duplicate_of_id),"
        f" 'reviewed_by', (SELECT p.username FROM {users} p WHERE p.id = {row}.reviewed_by_id), {times}))"
    )


def insert_connections(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Make the connections again that were deleted, under their old ids, with all that belonged to them."""
    gone = _gone(CONNECTION)
    names = ", ".join(map(quote, CONNECTION.values))
    cells = [
        _typed(CONNECTION, name, f"(u.said->'values'->>'{field_of(Connection, name).name}')")
        for name in CONNECTION.values
    ]
    users = quote(User._meta.db_table)
    cursor.execute(
        f"WITH made AS (INSERT INTO {CONNECTION.table} (id, account_id, customer_code, near_key, review_note,"
        f" status, duplicate_of_id, reviewed_by_id, reviewed_at, source_digest, created_at, updated_at, {names})"
        " SELECT u.connection_id, %(account)s, u.customer_code, coalesce(u.said->>'near_key', ''),"
        " coalesce(u.said->>'review_note', ''), u.said->>'status',"
        f" (SELECT o.id FROM {CONNECTION.table} o WHERE o.account_id = %(account)s"
        " AND o.customer_code = u.said->>'duplicate_of'),"
        f" (SELECT p.id FROM {users} p WHERE p.username = u.said->>'reviewed_by'),"
        " (u.said->>'reviewed_at')::timestamptz, '',"
        " coalesce((u.said->>'created_at')::timestamptz, %(at)s), %(at)s,"
        f" {', '.join(cells)} FROM {gone})"
        f" {_INTO_LOG} SELECT %(account)s, u.customer_code, u.connection_id, %(by_run)s, %(at)s, '{_CREATED}',"
        f" u.record, '', '', NULL, NULL, u.said FROM {gone}",
        parameters,
    )
    records = f"{gone} CROSS JOIN LATERAL jsonb_array_elements(u.said->'records') r"
    for entity in (*CHILDREN, *ASSIGNMENTS.values()):
        insertion = _insertion(entity, records, "u.connection_id", "(r->>'key')", "(r->'values')")
        cursor.execute(f"{insertion} WHERE r->>'record' = '{entity.record}'", parameters)
