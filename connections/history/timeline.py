"""Timeline: what happened to a customer, the newest first: what each file, person, program or undo did at once."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from accounts.plugins import load
from connections.history.authors import source_of
from connections.history.origins import made_with
from connections.models import Address, Change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from connections.history.origins import Traced
    from connections.models import Connection

Names = dict[int, str]


class Entry(NamedTuple):
    """A field before and after, or a record that came or went with its values (in `after` or `before`).

    Of a field that was kept or let go, neither.
    """

    what: str
    field: str
    before: str
    after: str
    line: int | None


class Event(NamedTuple):
    """What one run, person or program did at once; `run` is the number of the run, if one did it."""

    at: datetime
    source: str
    run: int | None
    entries: list[Entry]


def read_timeline(connection: Connection, most: int) -> list[Event]:
    """The latest events of a customer, of so many changes."""
    changes = list(connection.changes.select_related("user")[:most])
    names = name_runs({change.run_id for change in changes if change.run_id})
    return [
        Event(at, source_of(_whole(found[0]), names), found[0].run_id, list(_entries(found)))
        for (at, *_), group in groupby(changes, key=_moment)
        if (found := list(group))
    ]


def name_runs(runs: Collection[int]) -> Names:
    """What the runs of these numbers are, such as the names of their files, as the installed apps tell it."""
    names: Names = {}
    for find in load("run_names"):
        names |= find(runs)
    return names


def _whole(change: Change) -> Change:
    """The change without its line: each entry names its own."""
    return Change(run_id=change.run_id, user=change.user, token=change.token)


def _moment(change: Change) -> tuple[datetime, int | None, int | None]:
    return change.at, change.run_id, change.user_id


def _entries(changes: Iterable[Change]) -> Iterator[Entry]:
    for change in changes:
        if change.action == Change.Action.UPDATED:
            what = name_record(change.record, change.key)
            yield Entry(what, change.field, change.before or "", change.after or "", change.line)
            continue
        if change.action not in Change.WRITES:
            yield Entry(
                f"{name_record(change.record, change.key)} {change.get_action_display()}", change.field, "", "", None
            )
            continue
        for (record, key), made in made_with(change).items():
            what, text = f"{name_record(record, key)} {change.get_action_display()}", _say(made)
            came = change.action == Change.Action.CREATED
            yield Entry(what, "", "" if came else text, text if came else "", made.made.line)


def name_record(record: str, key: str) -> str:
    """A record as people call it: shipping address S1, door S1."""
    if record == Change.Record.ADDRESS and key:
        kind, _, code = key.partition(":")
        return f"{Address.Kind(kind).label} address {code}"
    return f"{Change.Record(record).label} {key}".strip()


def _say(made: Traced) -> str:
    return ", ".join(f"{name}: {origin.value}" for name, origin in made.values.items())
