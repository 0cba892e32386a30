"""States: connections with their records as the change log writes them, many at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, Value

from connections.models import Address, Buyer, Change, Connection, ConnectionPriceType, Door
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, GIVEN_OF_CONNECTION
from lookups.directory import price_type_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.models import Model


_REVIEW = {
    "status": "status",
    "duplicate_of": "duplicate_of__customer_code",
    "reviewed_by": "reviewed_by__username",
    "reviewed_at": "reviewed_at",
    "review_note": "review_note",
    "created_at": "created_at",
}


@dataclass(slots=True)
class State:
    """A connection and its records: values as text, by kind of record and key; the connection itself is the first.

    `review` is what people decided of it, and when it came.
    """

    account_id: int
    customer_code: str
    review: dict[str, str | None]
    records: dict[tuple[Change.Record, str], dict[str, str | None]] = field(default_factory=dict)


def read_states(connections: Collection[int]) -> dict[int, State]:
    """The present state of each connection there is, in a fixed number of queries."""
    names = [f"{field.name}__code" if field.list_name else field.name for field in GIVEN_OF_CONNECTION]
    fields = [field.name for field in GIVEN_OF_CONNECTION]
    states: dict[int, State] = {}
    found = Connection.objects.filter(pk__in=connections)
    for pk, account, code, *values in found.values_list("pk", "account_id", "customer_code", *_REVIEW.values(), *names):
        review = dict(zip(_REVIEW, map(as_text, values), strict=False))
        records = {(Change.Record.CONNECTION, ""): dict(zip(fields, map(as_text, values[len(_REVIEW) :]), strict=True))}
        states[pk] = State(account, code, review, records)
    for owner, kind, code, *values in _records(Address, connections, "kind", "code", *ADDRESS_FIELDS):
        address = dict(zip(ADDRESS_FIELDS, map(as_text, values), strict=True))
        states[owner].records[Change.Record.ADDRESS, f"{kind}:{code}"] = address
    for owner, code, name in _records(Door, connections, "code", "name"):
        states[owner].records[Change.Record.DOOR, code] = {"name": name}
    for owner, email, name in _records(Buyer, connections, "email", "name"):
        states[owner].records[Change.Record.BUYER, email] = {"name": name}
    for owner, record, key in _assignments(connections):
        states[owner].records[record, key] = {}
    return states


def _assignments(connections: Collection[int]) -> Iterator[tuple[int, Change.Record, str]]:
    """Of all kinds, in one query."""
    parts = [
        model._default_manager.filter(connection__in=connections)
        .order_by()
        .annotate(
            place=Value(place),
            currency=F("lookup__currency") if model is ConnectionPriceType else Value(""),
            code=F("lookup__label") if model is ConnectionPriceType else F("lookup__code"),
        )
        .values_list("place", "pk", "connection_id", "currency", "code")
        for place, model in enumerate(ASSIGNMENT_MODELS.values())
    ]
    records = [Change.Record(kind.removesuffix("s")) for kind in ASSIGNMENT_MODELS]
    for place, _, owner, currency, code in sorted(parts[0].union(*parts[1:], all=True)):
        yield owner, records[place], price_type_code(currency, code) if currency else code


def _records(model: type[Model], connections: Collection[int], *fields: str) -> Iterator[tuple[Any, ...]]:
    manager = model._default_manager
    yield from manager.filter(connection__in=connections).order_by("pk").values_list("connection_id", *fields)


def as_text(value: object) -> str | None:
    """A value as the change log shows it; nothing stays nothing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
