"""Customers as they are stored, many at once, as plain values: what a file is judged against and exported from."""

from __future__ import annotations

from collections import defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.replicas import read_from
from connections.given import given_fields
from connections.models import (
    Address,
    Buyer,
    Change,
    Connection,
    ConnectionPaymentTerm,
    ConnectionPriceType,
    ConnectionShippingTerm,
    ConnectionWarehouse,
    Door,
    KeptValue,
)
from lookups.validators import lower_ascii

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model, QuerySet


GIVEN_OF_CONNECTION = given_fields(Connection)
GIVEN_OF_ADDRESS = given_fields(Address)
CONNECTION_FIELDS = tuple(field.column for field in GIVEN_OF_CONNECTION)
ADDRESS_FIELDS = tuple(field.column for field in GIVEN_OF_ADDRESS)


def _tuple_of(fields: tuple[str, ...]) -> Any:
    """A type of tuples with these names; what each of them holds is known to the model alone, and not to mypy."""
    return namedtuple("Values", fields)


_ConnectionValues: Any = _tuple_of(CONNECTION_FIELDS)
_AddressValues: Any = _tuple_of(ADDRESS_FIELDS)


class ConnectionValues(_ConnectionValues):
    """What stands of a connection, by the columns of the fields that files give."""

    __slots__ = ()


class AddressValues(_AddressValues):
    """What stands of an address beside its kind and code."""

    __slots__ = ()


NO_CONNECTION = ConnectionValues(*[field.nothing for field in GIVEN_OF_CONNECTION])
NO_ADDRESS = AddressValues(*[field.nothing for field in GIVEN_OF_ADDRESS])


class StoredAddress(NamedTuple):
    id: int
    values: AddressValues


class StoredDoor(NamedTuple):
    id: int
    name: str


class StoredBuyer(NamedTuple):
    id: int
    email: str
    name: str


class Kept(NamedTuple):
    """Who keeps a value as it is, whatever files say, and since when; the name is blank where the user is gone."""

    by: str
    at: datetime


NOTHING_KEPT: Mapping[str, Kept] = {}


ASSIGNMENT_MODELS: dict[str, type[Model]] = {
    "price_types": ConnectionPriceType,
    "payment_terms": ConnectionPaymentTerm,
    "shipping_terms": ConnectionShippingTerm,
    "warehouses": ConnectionWarehouse,
}


VERSION = "{}.xmin::text::bigint"
"""The version of a row: the number of the transaction that wrote it as it is."""


@dataclass(slots=True)
class StoredCustomer:
    """One customer: addresses by kind and code, doors by code, buyers by lower-case e-mail; assignments are lookup
    ids.

    `kept` are the fields that people keep, by record and key as changes name them, but e-mails in lower case."""

    id: int
    code: str
    version: int
    status: str
    duplicate_of: str | None
    values: ConnectionValues
    addresses: dict[tuple[str, str], StoredAddress] = field(default_factory=dict)
    doors: dict[str, StoredDoor] = field(default_factory=dict)
    buyers: dict[str, StoredBuyer] = field(default_factory=dict)
    assignments: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    kept: dict[tuple[str, str], dict[str, Kept]] = field(default_factory=dict)

    def kept_of(self, record: str, key: str = "") -> Mapping[str, Kept]:
        """The fields of a record that somebody keeps."""
        return self.kept.get((record, key), NOTHING_KEPT)


def fetch_stored(connections: QuerySet[Connection]) -> dict[str, StoredCustomer]:
    """The customers of a queryset with all that belongs to them, by customer code, in its order."""
    version = RawSQL(VERSION.format(Connection._meta.db_table), [], BigIntegerField())  # noqa: S611  (a constant)
    names = ("id", "customer_code", "version", "status", "duplicate_of__customer_code")
    rows = connections.annotate(version=version).values_list(*names, *CONNECTION_FIELDS)
    customers = {
        pk: StoredCustomer(pk, code, version, status, duplicate_of, ConnectionValues(*values))
        for pk, code, version, status, duplicate_of, *values in rows
    }
    with read_from(Connection).cursor() as cursor:
        for pk, owner, kind, code, *values in _children(cursor, Address, customers, "kind", "code", *ADDRESS_FIELDS):
            customers[owner].addresses[kind, code] = StoredAddress(pk, AddressValues(*values))
        for pk, owner, code, name in _children(cursor, Door, customers, "code", "name"):
            customers[owner].doors[code] = StoredDoor(pk, name)
        for pk, owner, email, name in _children(cursor, Buyer, customers, "email", "name"):
            customers[owner].buyers[lower_ascii(email)] = StoredBuyer(pk, email, name)
        for kind, owner, lookup in _assignments(cursor, customers):
            customers[owner].assignments[kind].add(lookup)
        for owner, record, key, name, by, at in _kept(cursor, customers):
            key = lower_ascii(key) if record == Change.Record.BUYER else key
            customers[owner].kept.setdefault((record, key), {})[name] = Kept(by or "", at)
    return {customer.code: customer for customer in customers.values()}


def _children(
    cursor: CursorWrapper, model: type[Model], customers: dict[int, StoredCustomer], *columns: str
) -> list[tuple[Any, ...]]:
    """Rows of a model that belong to the customers. One array instead of a parameter for each saves half the time."""
    names = ", ".join(map(connection.ops.quote_name, ("id", "connection_id", *columns)))
    table = connection.ops.quote_name(model._meta.db_table)
    cursor.execute(f"SELECT {names} FROM {table} WHERE connection_id = ANY(%s) ORDER BY id", [[*customers]])
    return list(cursor.fetchall())


def _assignments(cursor: CursorWrapper, customers: dict[int, StoredCustomer]) -> list[tuple[str, int, int]]:
    """Kind, customer and entry of all that is assigned to the customers, by one query."""
    parts = " UNION ALL ".join(
        f"SELECT '{kind}', connection_id, lookup_id FROM {connection.ops.quote_name(model._meta.db_table)}"
        " WHERE connection_id = ANY(%(ids)s)"
        for kind, model in ASSIGNMENT_MODELS.items()
    )
    cursor.execute(parts, {"ids": [*customers]})
    return list(cursor.fetchall())


def _kept(cursor: CursorWrapper, customers: dict[int, StoredCustomer]) -> list[tuple[Any, ...]]:
    """What is kept of the customers: whose, record, key, field, by whom, and since when."""
    kept, users = (connection.ops.quote_name(model._meta.db_table) for model in (KeptValue, User))
    cursor.execute(
        f"SELECT k.connection_id, k.record, k.key, k.field, u.username, k.kept_at FROM {kept} k"
        f" LEFT JOIN {users} u ON u.id = k.kept_by_id WHERE k.connection_id = ANY(%s)",
        [[*customers]],
    )
    return list(cursor.fetchall())
