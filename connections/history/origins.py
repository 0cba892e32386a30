"""Origins: what the change log comes to when it is read from its start, and so where each present value is from.

Each value is the newest that the log gives for its field: by a run and its line, by a person or a program, or by the
creation of its record. One query tells it of a connection, whatever wrote it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connections.history.states import read_states
from connections.models import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connections.models import Connection

RecordKey = tuple[str, str]
"""Kind and key of a record, as changes name it; the connection itself is ("connection", "")."""
OWN: RecordKey = (Change.Record.CONNECTION, "")


class Origin(NamedTuple):
    """A value, the change that gave it, and the line of that change's run, where a file gave it."""

    value: str | None
    change: Change
    line: int | None


class Traced(NamedTuple):
    """A record that stands: what made it, and where each of its values comes from.

    Values that are not named are blank, or were there before changes were logged with values; those of the connection
    itself have its review among them.
    """

    made: Origin
    values: dict[str, Origin]


class Value(NamedTuple):
    """A present value of a record, and where it comes from; that the record is there at all has a blank field.

    Of what was there before changes were logged there is no origin.
    """

    record: str
    key: str
    field: str
    value: str
    origin: Origin | None


def find_origins(connection: Connection) -> dict[RecordKey, Traced]:
    """Where what stands of a connection comes from, by record; of a record without an entry nothing is known."""
    return replay(connection.changes.select_related("user").order_by("id"))


def explain_values(connection: Connection) -> Iterator[Value]:
    """Every record of a connection, and every value in it that is not blank, with its origin; in a few queries."""
    traced = find_origins(connection)
    for state in read_states([connection.pk]).values():
        for (record, key), values in state.records.items():
            found = traced.get((record, key))
            yield Value(record, key, "", "", found and found.made)
            for name, value in values.items():
                if value:
                    yield Value(record, key, name, value, found and found.values.get(name, found.made))


def replay(changes: Iterable[Change]) -> dict[RecordKey, Traced]:
    """What stands of one customer after its changes, which come the oldest first."""
    records: dict[RecordKey, Traced] = {}
    for change in changes:
        key = (change.record, change.key)
        if change.action not in Change.WRITES:
            continue
        if change.action == Change.Action.UPDATED:
            origin = Origin(change.after, change, change.line)
            records.setdefault(key, Traced(origin._replace(value=None), {})).values[change.field] = origin
        elif key == OWN:
            records = made_with(change) if change.action == Change.Action.CREATED else {}
        elif change.action == Change.Action.CREATED:
            records |= made_with(change)
        else:
            records.pop(key, None)
    return records


def made_with(change: Change) -> dict[RecordKey, Traced]:
    """The records that came or went with one change, with their values: a connection with all that belongs to it."""
    if (change.record, change.key) != OWN:
        return {(change.record, change.key): _made(change, change.line, change.values or {})}
    snapshot: dict[str, Any] = dict(change.values or {})
    given, others = snapshot.pop("values", {}), snapshot.pop("records", [])
    records = {OWN: _made(change, change.line, given | snapshot)}
    for record in others:
        records[record["record"], record["key"]] = _made(change, record.get("line"), record["values"])
    return records


def _made(change: Change, line: int | None, values: Mapping[str, str]) -> Traced:
    origins = {name: Origin(value, change, line) for name, value in values.items()}
    return Traced(Origin(None, change, line), origins)
