"""The history of edits by people: what a connection was before and after, as the change log writes it.

An import writes the same rows by SQL while it merges; here the edit is somebody's form or request, so the state is
read before and after it and the difference is the record.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from connections.models import Address, Buyer, Change, Connection, Door
from connections.stamping import take_stamp
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, CONNECTION_FIELDS
from lookups.directory import price_type_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.models import Model

    from accounts.models import User


@dataclass(slots=True)
class State:
    """A connection and its records: values as text, by kind of record and key."""

    account_id: int
    customer_code: str
    records: dict[tuple[Change.Record, str], dict[str, str | None]] = field(default_factory=dict)


_LOOKUP_FIELDS = {name: name.removesuffix("_id") for name in CONNECTION_FIELDS if name.endswith("_id")}


@contextmanager
def recorded_edit(connections: Collection[int], user: User) -> Iterator[None]:
    """Record what the block does to these connections (by id) as changes by the user.

    The connections are locked first, so no import comes between, and one transaction holds the edit and its record.
    """
    with transaction.atomic():
        list(Connection.objects.filter(pk__in=connections).locked().values_list("pk"))
        before = read_states(connections)
        yield
        record_changes(before, read_states(connections), user)


def record_created(connection: Connection, user: User) -> None:
    """Record a connection that the user has just added, with all that belongs to it."""
    record_changes({}, read_states([connection.pk]), user)


def record_changes(before: dict[int, State], after: dict[int, State], user: User) -> None:
    """Write the differences to the change log. A changed connection's next file is not taken for known."""
    changes = [
        Change(
            account_id=state.account_id,
            customer_code=state.customer_code,
            connection_id=pk,
            user_id=user.pk,
            **difference,
        )
        for pk, state in sorted({**before, **after}.items())
        for difference in _differences(before.get(pk), after.get(pk))
    ]
    if not changes:
        return
    at = take_stamp(change.account_id for change in changes)
    for change in changes:
        change.at = at
    Change.objects.bulk_create(changes, batch_size=1000)
    changed = {change.connection_id for change in changes}
    Connection.objects.filter(pk__in=changed).update(source_digest=b"", updated_at=at)


def _differences(before: State | None, after: State | None) -> Iterator[dict[str, Any]]:
    was, stands = before.records if before else {}, after.records if after else {}
    for record, key in dict.fromkeys([*was, *stands]):
        old, new = was.get((record, key)), stands.get((record, key))
        where = {"record": record, "key": key}
        if old is None:
            yield {**where, "action": Change.Action.CREATED}
        elif new is None:
            yield {**where, "action": Change.Action.DELETED}
        else:
            for field, value in new.items():
                if old[field] != value:
                    yield {
                        **where,
                        "action": Change.Action.UPDATED,
                        "field": field,
                        "before": old[field],
                        "after": value,
                    }


def read_states(connections: Collection[int]) -> dict[int, State]:
    """The present state of each connection there is, in a fixed number of queries."""
    names = [f"{_LOOKUP_FIELDS[name]}__code" if name in _LOOKUP_FIELDS else name for name in CONNECTION_FIELDS]
    fields = [_LOOKUP_FIELDS.get(name, name) for name in CONNECTION_FIELDS]
    states: dict[int, State] = {}
    rows = Connection.objects.filter(pk__in=connections).values_list("pk", "account_id", "customer_code", *names)
    for pk, account, code, *values in rows:
        records = {(Change.Record.CONNECTION, ""): dict(zip(fields, map(as_text, values), strict=True))}
        states[pk] = State(account, code, records)
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
    for kind, model in ASSIGNMENT_MODELS.items():
        record = Change.Record(kind.removesuffix("s"))
        if record is Change.Record.PRICE_TYPE:
            for owner, currency, label in _records(model, connections, "lookup__currency", "lookup__label"):
                yield owner, record, price_type_code(currency, label)
        else:
            for owner, code in _records(model, connections, "lookup__code"):
                yield owner, record, code


def _records(model: type[Model], connections: Collection[int], *fields: str) -> Iterator[tuple[Any, ...]]:
    manager = model._default_manager
    yield from manager.filter(connection__in=connections).order_by("pk").values_list("connection_id", *fields)


def as_text(value: object) -> str | None:
    """A value as the change log shows it; nothing stays nothing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
