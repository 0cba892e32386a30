"""Describe: a customer as JSON, the same for `export_customers --json` and the API."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from connections.stored import ADDRESS_FIELDS, GIVEN_OF_CONNECTION
from lookups.directory import GONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connections.stored import StoredCustomer
    from lookups.directory import Entry, LookupDirectory


def describe_customer(customer: StoredCustomer, directory: LookupDirectory) -> dict[str, Any]:
    """A customer with all that belongs to it; lookups by their codes, price types as currency and label."""
    return {
        "customer_code": customer.code,
        "status": customer.status,
        **{
            field.name: _code(directory, field.list_name, value) if field.list_name else value
            for field, value in zip(GIVEN_OF_CONNECTION, customer.values, strict=True)
        },
        "price_types": [list(price_type) for price_type in price_types_of(customer, directory)],
        "payment_terms": codes_of(customer, directory, "payment_terms"),
        "shipping_terms": codes_of(customer, directory, "shipping_terms"),
        "warehouses": codes_of(customer, directory, "warehouses"),
        "addresses": [
            {"kind": kind, "code": code, **dict(zip(ADDRESS_FIELDS, address.values, strict=True))}
            for (kind, code), address in sorted(customer.addresses.items())
        ],
        "doors": [{"code": code, "name": door.name} for code, door in sorted(customer.doors.items())],
        "buyers": [{"email": buyer.email, "name": buyer.name} for _, buyer in sorted(customer.buyers.items())],
    }


def entries_of(customers: Iterable[StoredCustomer]) -> dict[str, set[int]]:
    """The entries (by id) of each list that customers name: what a directory has to know to describe them."""
    entries: defaultdict[str, set[int]] = defaultdict(set)
    for customer in customers:
        for field, value in zip(GIVEN_OF_CONNECTION, customer.values, strict=True):
            if field.list_name and value is not None:
                entries[field.list_name].add(value)
        for kind, lookups in customer.assignments.items():
            entries[kind] |= lookups
    return entries


def _code(directory: LookupDirectory, list_name: str, value: int | None) -> str | None:
    return None if value is None else directory.entry(list_name, value).code or None


def codes_of(customer: StoredCustomer, directory: LookupDirectory, kind: str) -> list[str]:
    """The codes that are assigned to a customer of one kind."""
    return [entry.code for entry in assigned_entries(customer, directory, kind)]


def assigned_entries(customer: StoredCustomer, directory: LookupDirectory, kind: str) -> list[Entry]:
    """The entries that are assigned to a customer of one kind, by code; not those that were deleted since."""
    entries = (directory.entry(kind, lookup) for lookup in customer.assignments[kind])
    return sorted(entry for entry in entries if entry is not GONE)


def price_types_of(customer: StoredCustomer, directory: LookupDirectory) -> list[tuple[str, str]]:
    """Currency and label of the price types that are assigned to a customer."""
    entries = assigned_entries(customer, directory, "price_types")
    return sorted((entry.currency, entry.name) for entry in entries)
