"""Customers as they are stored, many at once, as plain values: what a file is judged against and exported from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection

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

CONNECTION_FIELDS = (
    "profile_name",
    "customer_alias",
    "alternate_name",
    "website",
    "company_number_id",
    "customer_group_id",
    "sales_rep_id",
    "discount",
    "discount_line_item_level",
)
ADDRESS_FIELDS = ("name", "address_1", "address_2", "city", "state", "zip", "country", "email", "phone")
ASSIGNMENT_MODELS: dict[str, type[Model]] = {
    "price_types": ConnectionPriceType,
    "payment_terms": ConnectionPaymentTerm,
    "shipping_terms": ConnectionShippingTerm,
    "warehouses": ConnectionWarehouse,
}


@dataclass(slots=True)
class StoredCustomer:
    """One customer. Each record is (id, value, …): addresses by kind and code with the values of ADDRESS_FIELDS,
    doors by code with the name, buyers by lower-case e-mail with e-mail and name; assignments are lookup ids."""

    id: int
    code: str
    status: str
    duplicate_of: str | None
    values: dict[str, Any]
    addresses: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    doors: dict[str, tuple[int, str]] = field(default_factory=dict)
    buyers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    assignments: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


def fetch_stored(connections: QuerySet[Connection]) -> dict[str, StoredCustomer]:
    """The customers of a queryset with all that belongs to them, by customer code, in its order."""
    rows = connections.values_list("id", "customer_code", "status", "duplicate_of__customer_code", *CONNECTION_FIELDS)
    customers = {
        pk: StoredCustomer(pk, code, status, duplicate_of, dict(zip(CONNECTION_FIELDS, values, strict=True)))
        for pk, code, status, duplicate_of, *values in rows
    }
    with connection.cursor() as cursor:
        for pk, owner, kind, code, *values in _children(cursor, Address, customers, "kind", "code", *ADDRESS_FIELDS):
            customers[owner].addresses[kind, code] = (pk, *values)
        for pk, owner, code, name in _children(cursor, Door, customers, "code", "name"):
            customers[owner].doors[code] = (pk, name)
        for pk, owner, email, name in _children(cursor, Buyer, customers, "email", "name"):
            customers[owner].buyers[lower_ascii(email)] = (pk, email, name)
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
