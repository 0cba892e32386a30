"""Rereading: a draft whose sample is read otherwise is proposed anew, around what a person has made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction

from imports.errors import SettingsWrong
from imports.formats.documents import describe_policies
from imports.formats.spec import SOURCE_HEADERS
from imports.mapping import find_origin, is_read_from
from imports.models import FormatColumn
from imports.models.learned import MAPPED
from imports.onboarding.proposing import propose_format
from imports.runs.rehearsing import propose_and_rehearse
from imports.runs.sampling import fetching_sample
from imports.template import find_target, normalize
from imports.versioning import lock_draft, take_proposal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from accounts.models import Account
    from imports.formats.spec import Dialect, FormatDraft
    from imports.models import FormatVersion
    from imports.onboarding.corrections import Corrections
    from imports.onboarding.proposals import Proposal
    from imports.template import Target

WAITING = "waiting"
"""Where a proposal keeps what was decided of columns that its reading does not have."""
SETTINGS = ("target", "value_map", "default", "blank", "ownership", "bad_value")
_CUT = ("encoding", "delimiter", "quotechar", "has_header", "skip_lines", "width")
"""What is decided of the dialect by reading otherwise."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person has made of a column of the sample: the settings of its fields, none where it is left out.

    `source` is its header, or a template of headers; `position` is 0 where it is no single column of the sample. A
    position is the same column in readings of the same delimiter with as many columns.
    """

    source: str
    position: int
    width: int
    delimiter: str
    columns: list[dict[str, Any]]

    def find(self, proposed: list[dict[str, Any]], delimiter: str) -> int | None:
        """The column's position in a reading, 0 for what is no single column; none where it is not there."""
        headers = [normalize(column["source"] or "") for column in proposed]
        if parts := SOURCE_HEADERS.findall(self.source):
            if not all(headers.count(normalize(part)) == 1 for part in parts):
                return None
            return headers.index(normalize(parts[0])) + 1 if self.position else 0
        if self.source and headers.count(normalize(self.source)) == 1:
            return headers.index(normalize(self.source)) + 1
        return self.position or None if (self.width, self.delimiter) == (len(proposed), delimiter) else None


class Reread(NamedTuple):
    """A draft that was proposed anew: its columns, and of how many what was decided is kept, or waits."""

    columns: int
    kept: int
    waiting: int


def propose_anew(version: FormatVersion, reading: Corrections) -> Reread:
    """Let the draft be what its sample proposes when it is read so, with what a person has decided.

    Decided are columns, constants, policies and settings of the dialect that are not as they were proposed. Of columns
    that the reading does not have they wait, and come back with them.

    Raises SettingsWrong where no sample is kept or it is a draft no more, FileRejected where the reading makes no table
    of it, FormatError for a constant that its field cannot have, TryAgainLater when the database gives up.
    """
    with fetching_sample(version.format) as path, transaction.atomic():
        draft = lock_draft(version)
        waiting = (draft.proposal or {}).get(WAITING, [])
        decisions = [*_find_decisions(draft), *(Decision(**decision) for decision in waiting)]
        constants, dropped = _find_constants(draft)
        proposal = _propose_around(path, draft.format.account, reading, decisions, constants)
        spec, described = _keep_settings(draft, proposal.to_draft()), proposal.describe()
        columns = described["columns"]
        found = [(decision, decision.find(columns, spec.dialect.delimiter)) for decision in decisions]
        present = [(decision, position) for decision, position in found if position is not None]
        waiting = [asdict(decision) for decision, position in found if position is None]
        take_proposal(draft, described | ({WAITING: waiting} if waiting else {}))
        draft.take_spec(replace(spec, columns=()))
        _check(draft)
        rows = _merge(draft, spec, present, (constants, dropped))
        for order, row in enumerate(rows, 1):
            row.order = order
        FormatColumn.objects.bulk_create(rows)
    return Reread(len(columns), len(present), len(waiting))


def _propose_around(
    path: Path, account: Account, reading: Corrections, decisions: list[Decision], constants: list[FormatColumn]
) -> Proposal:
    """A proposal of the sample read so, in which the columns that are there are what was decided."""
    columns = propose_format(path, account, reading).describe()["columns"]
    headers = Counter(normalize(column["source"] or "") for column in columns)
    names = {
        column["position"]: column["source"]
        if column["source"] and headers[normalize(column["source"])] == 1
        else str(column["position"])
        for column in columns
    }
    fields: dict[str, Target | None] = {}
    for decision in decisions:
        position = decision.find(columns, reading.delimiter)
        if position in names and not SOURCE_HEADERS.search(decision.source):
            target = decision.columns[0]["target"] if decision.columns else ""
            fields.setdefault(names[position], find_target(target))
    given = {target: column.constant for column in constants if (target := find_target(column.target))}
    return propose_and_rehearse(path, account, replace(reading, fields=fields, constants=given))


def _check(draft: FormatVersion) -> None:
    try:
        draft.clean()
    except ValidationError as error:
        raise SettingsWrong(" ".join(error.messages)) from None


def _merge(
    draft: FormatVersion,
    spec: FormatDraft,
    decisions: Iterable[tuple[Decision, int]],
    decided: tuple[list[FormatColumn], set[str]],
) -> list[FormatColumn]:
    """The columns of the draft, in the order of the proposal: a field that was decided is proposed of nothing else."""
    constants, dropped = decided
    claimed = dropped | {column.target for column in constants}
    kept: dict[int, list[FormatColumn]] = {}
    for decision, position in decisions:
        if position and position in kept:
            continue  # decided again since
        rows = [_restore(draft, decision, position, settings) for settings in decision.columns]
        kept.setdefault(position, []).extend(row for row in rows if row.target not in claimed)
        claimed |= {row.target for row in rows}
    proposed = [FormatColumn.from_spec(draft, 0, column) for column in spec.columns]
    columns = (draft.proposal or {}).get("columns", [])
    decided_at = set(kept)
    merged: list[FormatColumn] = []
    for row in proposed:
        position = next((int(column["position"]) for column in columns if is_read_from(row, column)), 0)
        if position and position in decided_at:
            merged += kept.pop(position, [])
        elif row.target not in claimed:
            merged.append(row)
    merged += [*chain.from_iterable(kept.values()), *constants]
    return list({row.target: row for row in merged}.values())


def _restore(draft: FormatVersion, decision: Decision, position: int, settings: Mapping[str, Any]) -> FormatColumn:
    row = FormatColumn(version=draft, **settings)
    if not position or SOURCE_HEADERS.search(decision.source):
        row.source = decision.source
    elif position > len((draft.proposal or {})["columns"]):
        row.position = position  # given by hand, beyond the sample
    else:
        row.source, row.position = find_origin(draft, position)
    return row


# -- what was decided


def _find_decisions(draft: FormatVersion) -> Iterator[Decision]:
    proposal: dict[str, Any] = draft.proposal or {}
    proposed = proposal.get("columns", [])
    delimiter = proposal.get("dialect", {}).get("delimiter", "")
    drafted = [column for column in draft.columns.all() if not column.constant]
    for column in proposed:
        found = [other for other in drafted if is_read_from(other, column)]
        drafted = [other for other in drafted if other not in found]
        mine = [_settings(other) for other in found]
        if _sorted(mine) != _propose(proposal, column) or column.get("decided") or column.get("default"):
            templates = [other.source for other in found if SOURCE_HEADERS.search(other.source)]
            source = templates[0] if templates else column["source"] or ""
            yield Decision(source, column["position"], len(proposed), delimiter, mine)
    for other in drafted:
        yield Decision(other.source, other.position or 0, len(proposed), delimiter, [_settings(other)])


def _propose(proposal: Mapping[str, Any], column: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings that a column was proposed with, for each field that it serves."""
    found = []
    if column["target"] and column["confidence"] >= MAPPED:
        given = {name: column[name] for name in ("value_map", "default", "bad_value") if column.get(name)}
        found.append(_settings(FormatColumn(target=column["target"], **given)))
    for derived in proposal.get("derived", []):
        source = derived["source"]
        if source == column["position"] or (
            isinstance(source, str) and normalize(source) == normalize(column["source"] or "")
        ):
            found.append(_settings(FormatColumn(target=derived["target"])))
    return _sorted(found)


def _settings(column: FormatColumn) -> dict[str, Any]:
    return {name: str(value) if isinstance(value := getattr(column, name), str) else value for name in SETTINGS}


def _sorted(settings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(settings, key=lambda one: str(one["target"]))


def _find_constants(draft: FormatVersion) -> tuple[list[FormatColumn], set[str]]:
    """The constants of a draft that a person gave, and the fields of others that a person took out of it."""
    proposal: dict[str, Any] = draft.proposal or {}
    derived = {needed["target"]: needed["value"] for needed in proposal.get("derived", []) if needed["value"]}
    drafted = [column for column in draft.columns.all() if column.constant]
    given = [
        FormatColumn(version=draft, constant=column.constant, **_settings(column))
        for column in drafted
        if derived.get(column.target) != column.constant
        or _settings(column) != _settings(FormatColumn(target=column.target))
    ]
    offered = derived.keys() | proposal.get("decided", {}).keys()
    return given, offered - {column.target for column in drafted}


def _keep_settings(draft: FormatVersion, spec: FormatDraft) -> FormatDraft:
    """What is proposed, but for the policies and settings of the dialect that the draft has otherwise than proposed."""
    before: dict[str, Any] = draft.proposal or {}
    mine = draft.to_draft()
    proposed, written = before.get("policies", {}), describe_policies(mine.policies)
    names = [field.name for field in fields(mine.policies)]
    policies = {name: getattr(mine.policies, name) for name in names if written.get(name) != proposed.get(name)}
    return replace(
        spec,
        dialect=replace(spec.dialect, **_find_own(mine.dialect, before.get("dialect", {}))),
        policies=replace(spec.policies, **policies),
    )


def _find_own(dialect: Dialect, proposed: Mapping[str, Any]) -> dict[str, Any]:
    own = {}
    for field in fields(dialect):
        value = getattr(dialect, field.name)
        before = proposed.get(field.name, field.default)
        if field.name not in _CUT and value != (tuple(before) if isinstance(before, list) else before):
            own[field.name] = value
    return own
