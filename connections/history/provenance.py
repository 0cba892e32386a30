"""Provenance: where each value of a connection is from, who keeps it, and what the next file does to it, in words."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from django.utils.timezone import localtime

from accounts.plugins import load
from accounts.zones import short_time
from connections.history.authors import source_of
from connections.history.keeping import ValueName, name_of_value, read_kept
from connections.history.origins import explain_values
from connections.history.timeline import name_record, name_runs
from connections.models import Change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connections.history.origins import Origin, Value
    from connections.models import Connection, KeptValue

Shown = list[tuple[str, list[tuple[str, str, str, str]]]]
"""By record, each of its values: field, value, where it comes from, and what files do to it."""


class Writing(StrEnum):
    """What the files of an account do to a field."""

    OVERWRITES = "overwrites"
    FILLS = "fills"


_RULES = {
    Writing.OVERWRITES: "the next file overwrites this",
    Writing.FILLS: "files only fill this while it is blank",
    None: "no file writes this",
}


class Provenance:
    """What is known of a connection's values; each part is read once, when it is first asked for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @cached_property
    def kept(self) -> dict[ValueName, KeptValue]:
        return read_kept(self.connection)

    @cached_property
    def values(self) -> list[Value]:
        return list(explain_values(self.connection))

    @cached_property
    def _origins(self) -> dict[ValueName, Origin]:
        return {ValueName(*value[:3]): value.origin for value in self.values if value.origin}

    @cached_property
    def _runs(self) -> dict[int, str]:
        changes = [origin.change for origin in self._origins.values()]
        return name_runs({change.run_id for change in changes if change.run_id})

    @cached_property
    def _writings(self) -> dict[tuple[str, str], Writing]:
        """By kind of record (of addresses with theirs, "address:S") and field, as the installed apps tell it."""
        writings: dict[tuple[str, str], Writing] = {}
        for find in load("field_writers"):
            writings |= find(self.connection.account)
        return writings

    def say(self, name: ValueName) -> str:
        """Where a value is from and what the next file does to it."""
        rule = self._say_rule(name)
        origin = self._origins.get(name)
        if name in self.kept or origin is None:
            return rule
        return f"{self._say_origin(origin)}; {rule[0].lower()}{rule[1:]}"

    def show(self) -> Shown:
        """All values there are, by record; the record itself has neither name nor value."""
        return [
            (name_record(*record), list(self._show_values(group)))
            for record, group in groupby(self.values, key=lambda value: (value.record, value.key))
        ]

    def _show_values(self, values: Iterator[Value]) -> Iterator[tuple[str, str, str, str]]:
        for record, key, field, text, origin in values:
            name = name_of_value(record, key, field)
            source = "not known"
            if origin is not None:
                source = f"{source_of(origin.change, self._runs, origin.line)}, {short_time(origin.change.at)}"
            yield field, text, source, self._say_rule(name) if name.field else ""

    def _say_rule(self, name: ValueName) -> str:
        if kept := self.kept.get(name):
            return f"{kept.kept_by or 'Somebody'} keeps this since {_day(kept.kept_at)}; files do not change it."
        kind = f"{name.record}:{name.key[:1]}" if name.record == Change.Record.ADDRESS else name.record
        rule = _RULES[self._writings.get((kind, name.field))]
        return f"{rule[0].upper()}{rule[1:]}."

    def _say_origin(self, origin: Origin) -> str:
        change = origin.change
        if change.run_id is None:
            return f"Edited by {source_of(change) or 'somebody'}, {_day(change.at)}"
        file = self._runs.get(change.run_id, "a file")
        return (
            f"From {file}, line {origin.line} of run {change.run_id}"
            if origin.line
            else f"From {file}, run {change.run_id}"
        )


def _day(at: datetime) -> str:
    return f"{localtime(at):%Y-%m-%d}"
