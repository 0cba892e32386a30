"""Snapshots: a connection with all that belongs to it, as one row of the change log tells that it came or went.

    {"values": {field: text}, "status": "pending",
     "records": [{"record": "address", "key": "S:STORE-1", "line": 12, "values": {field: text}}, …]}

Texts are as the log writes them, lookups by their codes, and what is blank is left out. `line` is the line of the run's
file; where no file made the record there is none. Of a connection that a person added or deleted, its review is there
too, which for one that a file makes goes without saying: `duplicate_of` (a code), `reviewed_by` (a user name),
`reviewed_at` and `created_at` (ISO 8601).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connections.models import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connections.states import State

RecordSnapshot = tuple[Change.Record, str, int, dict[str, str]]
"""What kind of record it is, its key, its line and its values."""


def without_blanks(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def snapshot_of(state: State) -> dict[str, Any]:
    """The snapshot of a connection as it stands."""
    own, *others = state.records.items()
    records = [{"record": record, "key": key, "values": without_blanks(values)} for (record, key), values in others]
    return {"values": without_blanks(own[1]), **without_blanks(state.review), "records": records}


def snapshot_from_file(values: dict[str, str], records: Iterable[RecordSnapshot]) -> dict[str, Any]:
    """The snapshot of a connection that a file makes, but for its status, which the merge knows."""
    named = ("record", "key", "line", "values")
    return {"values": values, "records": [dict(zip(named, record, strict=True)) for record in records]}
