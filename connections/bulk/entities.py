"""Entities: the kinds of records of a customer, and how each is staged, merged and named in the change log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, models

from connections.models import Address, Buyer, Change, Connection, Door
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, CONNECTION_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, eq=False)
class Entity:
    """A kind of record and how it is merged: its key within the connection, its values, its place in the log."""

    model: type[models.Model]
    record: Change.Record
    key: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    staged: tuple[str, ...] = ()
    log_key: str = "''"

    @property
    def table(self) -> str:
        return quote(self.model._meta.db_table)

    @property
    def stage(self) -> str:
        return quote(f"staged_{self.record.value}")

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, *self.values)

    @property
    def field_names(self) -> list[str]:
        """The fields that hold the values, as the change log names them."""
        return [field_of(self.model, name).name for name in self.values]

    @property
    def table_columns(self) -> tuple[str, ...]:
        return ("connection_id", *self.columns)

    @property
    def stage_columns(self) -> tuple[str, ...]:
        return ("connection_id", "record_id", "line", *self.columns, *self.staged)


def quote(name: str) -> str:
    return connection.ops.quote_name(name)


def columns(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quote(name)}" for name in names)


CONNECTION = Entity(
    Connection,
    Change.Record.CONNECTION,
    key=("customer_code",),
    values=CONNECTION_FIELDS,
    staged=("near_key", "source_digest", "changed", "version", "snapshot"),
)
CHILDREN = (
    Entity(Address, Change.Record.ADDRESS, ("kind", "code"), ADDRESS_FIELDS, log_key="s.kind || ':' || s.code"),
    Entity(Door, Change.Record.DOOR, ("code",), ("name",), log_key="s.code"),
    Entity(Buyer, Change.Record.BUYER, ("email",), ("name",), log_key="s.email"),
)
_ASSIGNMENT_RECORDS = {
    "price_types": Change.Record.PRICE_TYPE,
    "payment_terms": Change.Record.PAYMENT_TERM,
    "shipping_terms": Change.Record.SHIPPING_TERM,
    "warehouses": Change.Record.WAREHOUSE,
}
ASSIGNMENTS = {
    kind: Entity(model, _ASSIGNMENT_RECORDS[kind], key=("lookup_id",), staged=("lookup_code",), log_key="s.lookup_code")
    for kind, model in ASSIGNMENT_MODELS.items()
}
"""For assignments `record_id` tells new ones (null) from those to be taken away."""

RECORDS: tuple[Entity, ...] = (*CHILDREN, *ASSIGNMENTS.values())
STAGED: tuple[Entity, ...] = (CONNECTION, *RECORDS)

_STAGED_TYPES = {"lookup_code": "text", "changed": "boolean", "version": "bigint", "snapshot": "json"}


def column_type(model: type[models.Model], name: str) -> str:
    if name in _STAGED_TYPES:
        return _STAGED_TYPES[name]
    field: Any = field_of(model, name)
    kind = field.target_field.rel_db_type(connection) if field.is_relation else field.db_type(connection)
    collation = f' COLLATE "{of}"' if (of := getattr(field, "db_collation", None)) else ""
    return f"{kind}{collation}"


def field_of(model: type[models.Model], column: str) -> models.Field[Any, Any]:
    return next(field for field in model._meta.concrete_fields if field.column == column)


def list_table_of(field: Any) -> str:
    """The table of the list that a field names an entry of."""
    return quote(field.related_model._meta.db_table)


def text_of(entity: Entity, name: str, row: str, prefix: str = "") -> str:
    """A row's value as the log writes it: lookups by their code, everything else as text.

    `prefix` stands before the column's name where the row has several of it.
    """
    field, value = field_of(entity.model, name), f"{row}.{quote(prefix + name)}"
    if field.is_relation:
        return f"(SELECT l.code FROM {list_table_of(field)} l WHERE l.id = {value})"
    return f"{value}::text"
