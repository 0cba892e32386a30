"""Stage: verdicts → rows for the temporary tables of a merge, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connections.bulk import merging
from connections.bulk.entities import ASSIGNMENTS, CHILDREN, RECORDS, STAGED, Entity
from connections.bulk.rows import Rows
from connections.history.snapshots import RecordWriter, write_snapshot
from connections.history.states import as_text
from connections.near_keys import near_key
from connections.stored import GIVEN_OF_CONNECTION, ConnectionValues
from imports.pipeline.judging import BLANK
from imports.pipeline.resolving import NewLookup
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.utils import CursorWrapper

    from imports.pipeline.judging import JudgedRecord, Verdict
    from lookups.directory import LookupDirectory

_WRITERS = {entity: RecordWriter(entity.record, entity.field_names) for entity in STAGED}


def settle_lookups(cursor: CursorWrapper, directory: LookupDirectory, verdict: Verdict) -> None:
    """Give the entries that an accepted customer asks for their ids, reserved now and inserted by the merge.

    The next customers find them in the lists.
    """
    if any(isinstance(value, NewLookup) for value in verdict.values):
        verdict.values = ConnectionValues(*[_settled(cursor, directory, value) for value in verdict.values])
    if any(isinstance(lookup, NewLookup) for _, lookup, _ in verdict.given):
        verdict.given = [(kind, _settled(cursor, directory, lookup), line) for kind, lookup, line in verdict.given]


def _settled(cursor: CursorWrapper, directory: LookupDirectory, value: Any) -> Any:
    if not isinstance(value, NewLookup):
        return value
    entries = directory[value.list_name]
    if value.code not in entries.ids:
        (pk,) = merging.reserve_ids(cursor, LISTS[value.list_name], 1)
        directory.create(pk, value.list_name, value.code, value.name or value.code, value.currency)
    return entries.ids[value.code]


def rows_of(
    accepted: Sequence[tuple[Verdict, bytes]], directory: LookupDirectory, status: str, ids: Iterator[int]
) -> Rows:
    """The rows of accepted customers whose lookups are settled, each with its digest.

    New ones get the ids and the status. The log tells of them by a snapshot, so their records are all that is written.
    """
    connections: list[Sequence[Any]] = []
    staged: dict[Entity, list[Sequence[Any]]] = {entity: [] for entity in RECORDS}
    added: dict[Entity, list[Sequence[Any]]] = {entity: [] for entity in RECORDS}
    for verdict, digest in accepted:
        customer, stored = verdict.customer, verdict.stored
        record, version = (stored.id, stored.version) if stored else (None, None)
        owner = next(ids) if record is None else record
        snapshot = None if stored else _snapshot(status, directory, verdict)
        key = near_key(customer.code)
        connections.append(
            (
                owner,
                record,
                customer.line,
                customer.code,
                *verdict.values,
                key,
                digest,
                verdict.changes,
                version,
                snapshot,
            )
        )
        if stored:
            _stage_records(staged, owner, directory, verdict)
            continue
        for entity, records in _children(verdict):
            added[entity] += [(owner, *key, *values) for _, _, key, values in records]
        for kind, lookup, _ in verdict.given:
            added[ASSIGNMENTS[kind]].append((owner, lookup))
    entries = {entity: {lookup for _, lookup in added[entity]} for entity in ASSIGNMENTS.values()}
    rows = [connections, *staged.values()]
    return Rows(rows, [[row[1] for row in some].count(None) for some in rows], [*added.values()], entries)


def _stage_records(
    staged: dict[Entity, list[Sequence[Any]]], owner: int, directory: LookupDirectory, verdict: Verdict
) -> None:
    """The records of a known customer that are new or differ."""
    for entity, records in _children(verdict):
        staged[entity] += [(owner, pk, line, *key, *values) for pk, line, key, values in records]
    for kind, lookup, line in verdict.given:
        staged[ASSIGNMENTS[kind]].append((owner, None, line, lookup, _code(directory, kind, lookup)))
    for kind, lookup, line in verdict.taken:
        staged[ASSIGNMENTS[kind]].append((owner, owner, line, lookup, _code(directory, kind, lookup)))


def _code(directory: LookupDirectory, kind: str, lookup: Any) -> str:
    return directory.entry(kind, lookup).code


def _children(verdict: Verdict) -> Iterator[tuple[Entity, list[JudgedRecord]]]:
    return zip(CHILDREN, (verdict.addresses, verdict.doors, verdict.buyers), strict=True)


def _snapshot(status: str, directory: LookupDirectory, verdict: Verdict) -> str:
    """All of a new customer, as one row of the log tells it."""
    values = {
        field.name: directory.entry(field.list_name, value).code if field.list_name else as_text(value)
        for field, value in zip(GIVEN_OF_CONNECTION, verdict.values, strict=True)
        if value not in BLANK
    }
    records: list[str] = []
    for entity, children in _children(verdict):
        write = _WRITERS[entity].write
        records += [write(":".join(key), line, texts) for _, line, key, texts in children]
    records += [
        _WRITERS[ASSIGNMENTS[kind]].write_bare(_code(directory, kind, lookup), line)
        for kind, lookup, line in verdict.given
    ]
    return write_snapshot(values, status, records)
