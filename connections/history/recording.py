"""The history of edits by people: what a connection was before and after, as the change log writes it.

An import writes the same rows by SQL while it merges; here the edit is somebody's form or request, so the state is
read before and after it and the difference is the record.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from accounts.waiting import some_patience
from connections.history.snapshots import snapshot_of, without_blanks
from connections.history.stamping import take_stamp
from connections.history.states import read_states
from connections.models import Change, Connection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from accounts.models import User
    from connections.history.states import State


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
                **author(user),
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


def author(user: User) -> dict[str, Any]:
    """Who made a change, by the names of its fields: a person, or a program in a person's name."""
    return {"user_id": user.pk, "token": user.token_name}


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
            **author(user),
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
    connection = {"record": Change.Record.CONNECTION, "key": ""}
    if before is None:
        if after is not None:
            yield {**connection, "action": Change.Action.CREATED, "values": snapshot_of(after)}
        return
    if after is None:
        yield {**connection, "action": Change.Action.DELETED, "values": snapshot_of(before)}
        return
    for record, key in dict.fromkeys([*before.records, *after.records]):
        old, new = before.records.get((record, key)), after.records.get((record, key))
        where = {"record": record, "key": key}
        if old is None:
            yield {**where, "action": Change.Action.CREATED, "values": without_blanks(new or {})}
        elif new is None:
            yield {**where, "action": Change.Action.DELETED, "values": without_blanks(old)}
        else:
            yield from (
                {**where, "action": Change.Action.UPDATED, "field": field, "before": old[field], "after": value}
                for field, value in new.items()
                if old[field] != value
            )
