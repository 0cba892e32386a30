"""Weigh: which changes of a run can be turned round, and why not the others.

The temporary table `undone` (see `connections.bulk.undoing`) has a row for each; what is said of it here is its `why`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connections.bulk.entities import ASSIGNMENTS, CHILDREN, CONNECTION, Entity, field_of, quote
from connections.bulk.reverting import LOG, code_of, is_keyed, list_of, values_as_json, values_as_text
from connections.models import Change, Connection
from connections.rules import STATE_REQUIRED_COUNTRIES

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_CREATED, _UPDATED, _DELETED = Change.Action.CREATED, Change.Action.UPDATED, Change.Action.DELETED
_WRITES = ", ".join(f"'{action}'" for action in Change.WRITES)
_WHOLE = f"{{0}}.record = '{CONNECTION.record}' AND {{0}}.field = ''"
LATER = (
    f"d.action IN ({_WRITES}) AND ("
    f"{_WHOLE.format('u')} OR {_WHOLE.format('d')} OR d.record = u.record AND (d.key = u.key OR"
    f' u.record = \'{Change.Record.BUYER}\' AND lower(d.key COLLATE "C") = lower(u.key COLLATE "C"))'
    " AND (u.field = '' OR d.field IN ('', u.field)))"
)
"""Whether a change `d` of the same customer is of what `u` changed: the field, its record, or the connection."""


def weigh(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Say of every change why it is left; blank for those to be turned round, 'done' where nothing is to be done.

    The parameters are `account`, `run` and `cancelled`.
    """
    parameters = {**parameters, "countries": sorted(STATE_REQUIRED_COUNTRIES)}
    _mark_touched(cursor, parameters)
    for entity in (*CHILDREN, *ASSIGNMENTS.values()):
        _look_at_records(cursor, entity, parameters)
    for entity in (CONNECTION, *CHILDREN):
        _look_at_fields(cursor, entity, parameters)
    _look_at_connections(cursor, parameters)
    _mark_left(cursor)
    _mark_lost_entries(cursor, parameters)
    _keep_rules(cursor, parameters)


def _mark_touched(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Mark what was changed since: a field, its record, or the connection; of a whole connection, anything of it.

    What neither a run nor a person did, an approval by the account's setting, is no change by anybody.
    """
    cursor.execute("DROP TABLE IF EXISTS pg_temp.later")
    cursor.execute(
        "CREATE TEMPORARY TABLE later ON COMMIT DROP AS SELECT d.id, d.customer_code, d.action, d.record, d.key,"
        f" d.field FROM {LOG} d WHERE d.account_id = %(account)s AND d.id > (SELECT min(id) FROM undone)"
        " AND (d.user_id IS NOT NULL OR d.run_id <> %(run)s AND d.run_id <> ALL(%(cancelled)s::bigint[]))"
        " AND d.customer_code IN (SELECT customer_code FROM undone)",
        parameters,
    )
    cursor.execute("ANALYZE later (customer_code)")
    cursor.execute(
        "UPDATE undone u SET is_touched = true WHERE EXISTS (SELECT FROM later d"
        f" WHERE d.customer_code = u.customer_code AND d.id > u.id AND {LATER})"
    )


def _look_at_records(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Of records that came or went, whether there is one now, and with the values that it came with."""
    cursor.execute(
        "UPDATE undone u SET is_there = true, is_same = c.values IS NULL"
        f" OR c.values::jsonb = {values_as_json(entity, 't')}"
        f" FROM {LOG} c, {entity.table} t{_lookup_of(entity)}"
        f" WHERE u.record = '{entity.record}' AND u.action IN ('{_CREATED}', '{_DELETED}') AND c.id = u.id"
        f" AND t.connection_id = u.connection_id AND {is_keyed(entity, 't', 'u.key')}",
        parameters,
    )


def _lookup_of(entity: Entity) -> str:
    if entity not in ASSIGNMENTS.values():
        return ""
    return f" JOIN {quote(list_of(entity)._meta.db_table)} l ON l.id = t.lookup_id"


def _look_at_fields(cursor: CursorWrapper, entity: Entity, parameters: dict[str, Any]) -> None:
    """Of changed fields, what stands there now."""
    owner = "t.id" if entity is CONNECTION else "t.connection_id"
    cursor.execute(
        f"UPDATE undone u SET is_there = true, now = v.now FROM {entity.table} t"
        f" CROSS JOIN LATERAL (VALUES {values_as_text(entity, 't')}) v(field, now)"
        f" WHERE u.record = '{entity.record}' AND u.action = '{_UPDATED}' AND {owner} = u.connection_id"
        f" AND {is_keyed(entity, 't', 'u.key')} AND v.field = u.field",
        parameters,
    )


def _look_at_connections(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Of connections that came or went, whether there is one now; and what cannot be turned round without its own."""
    cursor.execute(
        f"UPDATE undone u SET is_there = true FROM {CONNECTION.table} t WHERE u.record = '{CONNECTION.record}'"
        f" AND (u.action = '{_CREATED}' AND t.id = u.connection_id"
        f" OR u.action = '{_DELETED}' AND t.account_id = %(account)s AND t.customer_code = u.customer_code)",
        parameters,
    )
    cursor.execute(
        f"UPDATE undone u SET why = 'gone' WHERE (u.record <> '{CONNECTION.record}' OR u.field <> '')"
        f" AND NOT EXISTS (SELECT FROM {CONNECTION.table} t WHERE t.id = u.connection_id)"
    )


def _mark_left(cursor: CursorWrapper) -> None:
    """Say why what was changed since is left; what stands already as it did before needs nothing ('done')."""
    assigned = ", ".join(f"'{entity.record}'" for entity in ASSIGNMENTS.values())
    cursor.execute(
        "UPDATE undone SET why = CASE"
        f" WHEN action = '{_CREATED}' AND NOT is_there OR action = '{_DELETED}' AND is_there AND record IN ({assigned})"
        " THEN 'done'"
        f" WHEN action = '{_DELETED}' AND is_there THEN 'there'"
        " WHEN is_touched OR NOT is_same THEN 'changed'"
        f" WHEN action = '{_UPDATED}' AND (NOT is_there OR now IS DISTINCT FROM after) THEN 'changed'"
        " ELSE '' END WHERE why = ''"
    )


def _mark_lost_entries(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Leave what names entries of lists that are gone, and connections whose original is; or that became originals."""
    for name, codes in _codes_of_lists().items():
        update, assigned = f"u.record = '{CONNECTION.record}' AND u.field = '{name}'", f"u.record = '{name}'"
        value, of = ("u.before", update) if _fields_with_entries().get(name) else ("u.key", assigned)
        action = _UPDATED if value == "u.before" else _DELETED
        cursor.execute(
            f"UPDATE undone u SET why = 'entry' WHERE u.why = '' AND u.action = '{action}' AND {of}"
            f" AND {value} <> '' AND {value} NOT IN ({codes})",
            parameters,
        )
        inside = (
            f"c.values->'values'->>'{name}' NOT IN ({codes})"
            if value == "u.before"
            else "EXISTS (SELECT FROM json_array_elements(c.values->'records') r"
            f" WHERE r->>'record' = '{name}' AND r->>'key' NOT IN ({codes}))"
        )
        cursor.execute(
            f"UPDATE undone u SET why = 'entry' FROM {LOG} c WHERE c.id = u.id AND u.why = ''"
            f" AND u.record = '{CONNECTION.record}' AND u.action = '{_DELETED}' AND {inside}",
            parameters,
        )
    cursor.execute(
        f"UPDATE undone u SET why = 'original' FROM {LOG} c WHERE c.id = u.id AND u.why = ''"
        f" AND u.record = '{CONNECTION.record}' AND u.action = '{_DELETED}' AND c.values->>'duplicate_of' <> ''"
        f" AND NOT EXISTS (SELECT FROM {CONNECTION.table} t WHERE t.account_id = %(account)s"
        f" AND t.customer_code = c.values->>'duplicate_of' AND t.status <> '{Connection.Status.REJECTED}')",
        parameters,
    )
    cursor.execute(
        f"UPDATE undone u SET why = 'stands' WHERE u.why = '' AND u.record = '{CONNECTION.record}'"
        f" AND u.action = '{_CREATED}' AND EXISTS (SELECT FROM {CONNECTION.table} t"
        " WHERE t.duplicate_of_id = u.connection_id)"
    )


def _fields_with_entries() -> dict[str, Any]:
    """The fields of a connection that hold an entry of a list, and the model of that list."""
    fields = (field_of(Connection, name) for name in CONNECTION.values)
    return {field.name: field.related_model for field in fields if field.is_relation}


def _codes_of_lists() -> dict[str, str]:
    """Queries of the codes that the account's lists have, by the field or record of the log that names them."""
    lists = {**_fields_with_entries()}
    lists |= {str(entity.record): list_of(entity) for entity in ASSIGNMENTS.values()}
    return {
        name: f"SELECT {code_of(model, 'l')} FROM {quote(model._meta.db_table)} l WHERE l.account_id = %(account)s"
        for name, model in lists.items()
    }


def _keep_rules(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    """Leave all of a customer whose rest would break a rule that it keeps now."""
    for found in (_without_level(), _without_state(), _without_price_type()):
        cursor.execute(f"UPDATE undone SET why = 'rule' WHERE why = '' AND connection_id IN ({found})", parameters)


def _without_level() -> str:
    """Connections that would have a discount, and not say of what."""
    discount, level = _result("discount"), _result("discount_line_item_level")
    return (
        f"SELECT u.connection_id FROM undone u JOIN {CONNECTION.table} t ON t.id = u.connection_id WHERE"
        f" {_updated(CONNECTION)} AND u.field IN ('discount', 'discount_line_item_level')"
        " GROUP BY u.connection_id, t.discount, t.discount_line_item_level"
        f" HAVING {discount} IS NOT NULL AND {level} IS NULL"
    )


def _without_state() -> str:
    """Connections with an address that would lack the state which its country needs."""
    address, country = CHILDREN[0], _result("country")
    return (
        f"SELECT u.connection_id FROM undone u JOIN {address.table} t ON t.connection_id = u.connection_id"
        f" AND {is_keyed(address, 't', 'u.key')} WHERE {_updated(address)} AND u.field IN ('country', 'state')"
        " GROUP BY u.connection_id, u.key, t.country, t.state"
        f" HAVING {country} = ANY(%(countries)s) AND coalesce({_result('state')}, '') = ''"
        " AND (t.state <> '' OR t.country <> ALL(%(countries)s))"
    )


def _without_price_type() -> str:
    """Connections that would lose the last of their price types."""
    entity = ASSIGNMENTS["price_types"]
    return (
        f"SELECT u.connection_id FROM undone u WHERE u.why = '' AND u.record = '{entity.record}'"
        f" GROUP BY u.connection_id HAVING bool_and(u.action = '{_CREATED}') AND count(*) >="
        f" (SELECT count(*) FROM {entity.table} t WHERE t.connection_id = u.connection_id)"
    )


def _updated(entity: Entity) -> str:
    return f"u.why = '' AND u.record = '{entity.record}' AND u.action = '{_UPDATED}'"


def _result(field: str) -> str:
    """What would stand in a field: what it was before, if that is to be turned round, or what stands there."""
    is_it = f"u.field = '{field}'"
    return f"CASE WHEN bool_or({is_it}) THEN max(u.before) FILTER (WHERE {is_it}) ELSE t.{field}::text END"
