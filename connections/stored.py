"""Customers as they are stored, many at once, as plain values: what a file is judged against and exported from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL

from connections.models import (
    Address,
    Buyer,
    Connection,
    ConnectionPaymentTerm,
    ConnectionPriceType,
    ConnectionShippingTerm,
    ConnectionWarehouse,
    Door,
)
from lookups.validators import lower_ascii

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model, QuerySet


class ConnectionValues(NamedTuple):
    """The fields of a connection that files give. Declared here once: whoever writes, reads or stages them goes by
    these names, so that none can take another's place."""

    profile_name: str
    customer_alias: str
    alternate_name: str
    website: str
    company_number_id: Any
    customer_group_id: Any
    sales_rep_id: Any
    discount: int | None
    discount_line_item_level: bool | None


class AddressValues(NamedTuple):
    """The fields of an address beside its kind and code."""

    name: str
    address_1: str
    address_2: str
    city: str
    state: str
    zip: str
    country: str
    email: str
    phone: str


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


CONNECTION_FIELDS = ConnectionValues._fields
ADDRESS_FIELDS = AddressValues._fields
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
    ids."""

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


def fetch_stored(connections: QuerySet[Connection]) -> dict[str, StoredCustomer]:
    """The customers of a queryset with all that belongs to them, by customer code, in its order."""
    version = RawSQL(VERSION.format(Connection._meta.db_table), [], BigIntegerField())  # noqa: S611  (a constant)
    names = ("id", "customer_code", "version", "status", "duplicate_of__customer_code")
    rows = connections.annotate(version=version).values_list(*names, *CONNECTION_FIELDS)
    customers = {
        pk: StoredCustomer(pk, code, version, status, duplicate_of, ConnectionValues(*values))
        for pk, code, version, status, duplicate_of, *values in rows
    }
    with connection.cursor() as cursor:
        for pk, owner, kind, code, *values in _children(cursor, Address, customers, "kind", "code", *ADDRESS_FIELDS):
            customers[owner].addresses[kind, code] = StoredAddress(pk, AddressValues(*values))
        for pk, owner, code, name in _children(cursor, Door, customers, "code", "name"):
            customers[owner].doors[code] = StoredDoor(pk, name)
        for pk, owner, email, name in _children(cursor, Buyer, customers, "email", "name"):
            customers[owner].buyers[lower_ascii(email)] = StoredBuyer(pk, email, name)
        for kind, model in ASSIGNMENT_MODELS.items():
            for _, owner, lookup in _children(cursor, model, customers, "lookup_id"):
                customers[owner].assignments[kind].add(lookup)
    return {customer.code: customer for customer in customers.values()}


def _children(
    cursor: CursorWrapper, model: type[Model], customers: dict[int, StoredCustomer], *columns: str
) -> list[tuple[Any, ...]]:
    """Rows of a model that belong to the customers. One array instead of a parameter for each saves half the time."""
    names = ", ".join(map(connection.ops.quote_name, ("id", "connection_id", *columns)))
    table = connection.ops.quote_name(model._meta.db_table)
    cursor.execute(f"SELECT {names} FROM {table} WHERE connection_id = ANY(%s) ORDER BY id", [[*customers]])
    return list(cursor.fetchall())
