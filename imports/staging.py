"""Stage: verdicts → temporary tables and stored issues, by COPY, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connections import merging
from connections.models import Connection
from imports.judging import NewLookup, Verdict
from imports.models import Issue
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.backends.utils import CursorWrapper

    from imports.errors import Problem
    from imports.template import Group
    from lookups.directory import LookupDirectory

_ISSUE_COLUMNS = ("run_id", "line", "column", "field", "code", "severity", "message", "value", "customer_code")


def stage_customers(
    stage: merging.Stage, directory: LookupDirectory, accepted: Sequence[tuple[Verdict, bytes]]
) -> None:
    """Stage accepted customers, each with its digest."""
    cursor = stage.cursor
    new = sum(1 for verdict, _ in accepted if verdict.stored is None)
    ids = iter(merging.reserve_ids(cursor, Connection, new)) if new else iter(())
    rows: dict[merging.Entity, list[Sequence[Any]]] = {entity: [] for entity in merging.STAGED}
    address, door, buyer = merging.CHILDREN
    for verdict, digest in accepted:
        customer = verdict.customer
        record = verdict.stored.id if verdict.stored else None
        owner = next(ids) if record is None else record
        values = [_settled(cursor, directory, value) for value in verdict.values]
        rows[merging.CONNECTION].append((owner, record, customer.line, customer.code, *values, digest, verdict.changes))
        rows[address] += [(owner, *values) for values in verdict.addresses]
        rows[door] += [(owner, *values) for values in verdict.doors]
        rows[buyer] += [(owner, *values) for values in verdict.buyers]
        for kind, entry, line in verdict.given:
            lookup = _settled(cursor, directory, entry)
            rows[merging.ASSIGNMENTS[kind]].append((owner, None, line, *_coded(directory, kind, lookup)))
        for kind, lookup, line in verdict.taken:
            rows[merging.ASSIGNMENTS[kind]].append((owner, owner, line, *_coded(directory, kind, lookup)))
    for entity, staged in rows.items():
        stage.add(entity, staged)


def _settled(cursor: CursorWrapper, directory: LookupDirectory, value: Any) -> Any:
    """The value, where it is an entry to be created its id, reserved now and inserted by the merge."""
    if not isinstance(value, NewLookup):
        return value
    entries = directory[value.list_name]
    if value.code not in entries.ids:
        (pk,) = merging.reserve_ids(cursor, LISTS[value.list_name], 1)
        entries.add(pk, value.code, value.name)
        directory.created.append((value.list_name, pk))
    return entries.ids[value.code]


def _coded(directory: LookupDirectory, kind: Group, lookup: int) -> tuple[int, str]:
    return lookup, directory[kind].codes[lookup]


def store_issues(cursor: CursorWrapper, run_id: int, problems: Iterable[Problem]) -> None:
    """Append issues to the run."""
    rows = [
        (
            run_id,
            problem.line,
            _text(problem.column, 255),
            problem.field,
            problem.code,
            problem.severity,
            _text(problem.message, 1000),
            _text(problem.value, 200),
            _text(problem.customer_code, 100),
        )
        for problem in problems
    ]
    if rows:
        merging.copy_rows(cursor, merging.quote(Issue._meta.db_table), _ISSUE_COLUMNS, rows)


def _text(value: str, length: int) -> str:
    """The text as PostgreSQL takes it: without NUL, cut where it is too long."""
    value = value.replace("\0", "\N{SYMBOL FOR NULL}")
    return value if len(value) <= length else f"{value[: length - 1]}…"
