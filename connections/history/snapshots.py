"""Snapshots: a connection with all that belongs to it, as one row of the change log tells that it came or went.

    {"values": {field: text}, "status": "pending",
     "records": [{"record": "address", "key": "S:STORE-1", "line": 12, "values": {field: text}}, …]}

Texts are as the log writes them, lookups by their codes, and what is blank is left out. `line` is the line of the run's
file; where no file made the record there is none. Of a connection that a person added or deleted, its review is there
too, which for one that a file makes goes without saying: `duplicate_of` (a code), `reviewed_by` (a user name),
`reviewed_at`, `review_note` and `created_at` (ISO 8601).
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connections.history.states import State


def without_blanks(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def snapshot_of(state: State) -> dict[str, Any]:
    """The snapshot of a connection as it stands."""
    own, *others = state.records.items()
    records = [{"record": record, "key": key, "values": without_blanks(values)} for (record, key), values in others]
    return {"values": without_blanks(own[1]), **without_blanks(state.review), "records": records}


class RecordWriter:
    """Writes records of one kind as a snapshot has them, as JSON, given their values in the order of these names.

    A first load writes millions, and as text they cost a fifth of what dictionaries do that are encoded then.
    """

    def __init__(self, record: str, names: Iterable[str]) -> None:
        self.start = f'{{"record":"{record}","values":{{'
        self.names = tuple(f'"{name}":' for name in names)
        self.bare: dict[str, str] = {}

    def write(self, key: str, line: int, values: Sequence[str | None]) -> str:
        """A record with its values; those that are None or blank are left out."""
        given = [f"{name}{encode_basestring(value)}" for name, value in zip(self.names, values, strict=True) if value]
        return f'{self.start}{",".join(given)}}},"key":{encode_basestring(key)},"line":{line}}}'

    def write_bare(self, key: str, line: int) -> str:
        """A record that is nothing but its key, of which there are few."""
        start = self.bare.get(key)
        if start is None:
            self.bare[key] = start = f'{self.start}}},"key":{encode_basestring(key)},"line":'
        return f"{start}{line}}}"


def write_snapshot(values: Mapping[str, str | None], status: str, records: Iterable[str]) -> str:
    """The snapshot of a connection that a file makes, as JSON; its records are JSON already."""
    own = ",".join([f'"{name}":{encode_basestring(value)}' for name, value in values.items() if value])
    return f'{{"values":{{{own}}},"status":"{status}","records":[{",".join(records)}]}}'
