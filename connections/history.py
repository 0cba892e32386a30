"""The history of edits by people: what a connection was before and after, as the change log writes it.

An import writes the same rows by SQL while it merges; here the edit is somebody's form or request, so the state is
read before and after it and the difference is the record.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.waiting import some_patience
from connections.models import Address, Buyer, Change, Connection, Door
from connections.stamping import take_stamp
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, GIVEN_OF_CONNECTION
from lookups.directory import price_type_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import Model

    from accounts.models import User


@dataclass(slots=True)
class State:
    """A connection and its records: values as text, by kind of record and key."""

    account_id: int
    customer_code: str
    records: dict[tuple[Change.Record, str], dict[str, str | None]] = field(default_factory=dict)


@contextmanager
def recorded_edit(connections: Collection[int], user: User) -> Iterator[None]:
    """Record what the block does to these connections (by id) as changes by the user.

    The connections are locked first, so no import comes between, and one transaction holds the edit and its record.
    Raises Busy when others hold them for longer than a person waits.
    """
    with some_patience(lambda: accounts_of(connections)):
        list(Connection.objects.filter(pk__in=connections).locked().values_list("pk"))
        before = read_states(connections)
        yield
        record_changes(before, read_states(connections), user)


@contextmanager
def recorded_deletion(connections: Collection[int], user: User) -> Iterator[None]:
    """The same for a block that deletes them: their duplicates are then nobody's any more, which is recorded too."""
    duplicates = Connection.objects.filter(duplicate_of__in=connections).exclude(pk__in=connections)
    with recorded_edit([*connections, *duplicates.values_list("pk", flat=True)], user):
        changes = [
            Change(
                account_id=double.account_id,
                customer_code=double.customer_code,
                connection_id=double.pk,
                user_id=user.pk,
                action=Change.Action.UPDATED,
                record=Change.Record.CONNECTION,
                field="duplicate_of",
                before=double.duplicate_of.customer_code if double.duplicate_of else None,
            )
            for double in duplicates.select_related("duplicate_of").defer("source_digest")
        ]
        write_changes(changes)
        duplicates.update(duplicate_of=None)
        yield


def accounts_of(connections: Collection[int]) -> set[int]:
    """The accounts that these connections (by id) belong to."""
    return set(Connection.objects.filter(pk__in=connections).values_list("account_id", flat=True))


def record_created(connection: Connection, user: User) -> None:
    """Record a connection that the user has just added, with all that belongs to it."""
    record_changes({}, read_states([connection.pk]), user)


def record_changes(before: dict[int, State], after: dict[int, State], user: User) -> None:
    """Write the differences to the change log."""
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
    write_changes(changes)


def write_changes(changes: list[Change]) -> datetime | None:
    """Stamp changes and write them; their connections are updated by that, and their next file is looked at.

    Returns the stamp; none where nothing changed.
    """
    if not changes:
        return None
    at = take_stamp(change.account_id for change in changes)
    for change in changes:
        change.at = at
    Change.objects.bulk_create(changes, batch_size=1000)
    changed = {change.connection_id for change in changes}
    Connection.objects.filter(pk__in=changed).update(source_digest=b"", updated_at=at)
    return at


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
    names = [f"{field.name}__code" if field.list_name else field.name for field in GIVEN_OF_CONNECTION]
    fields = [field.name for field in GIVEN_OF_CONNECTION]
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
