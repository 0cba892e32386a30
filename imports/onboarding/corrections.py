"""Corrections: what a person has decided about a sample; the rest is proposed again around it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imports.formats.countries import find_country
from imports.formats.marks import fold_mark
from imports.formats.policies import FormatError
from imports.onboarding.columns import Candidate
from imports.onboarding.fitting import weigh
from imports.onboarding.headers import NOTHING, Meaning
from imports.template import ADDRESSES, Group, Kind, Target, normalize

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from imports.formats.policies import RowMark
    from imports.onboarding.columns import Column
    from imports.onboarding.proposals import Proposal

NO_HEADER = 0
DECIDED = "decided by a person"
LEARNED, LEFT_OUT = "a person of this account decided so before", "left out before, as a person decided"
LEARNED_SCORE = 0.97


_NO_FIELD = Meaning(NOTHING, NOTHING, None, LEARNED_SCORE, LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Corrections:
    """What is decided: how the file is read, constants, defaults, and fields by the column's header or position.

    A default is what blank cells of a field's column become. A column whose field is none is left out, and of one that
    is in `blanked` the values that its field cannot have become blank. What was `learned` of headers, as they are
    compared, is evidence and no decision. `header_line` counts from 1; NO_HEADER says that
    there is none. `row_marks` say what rows with a value in a column are. A `quotechar` of "" is none, and None leaves
    it open.
    """

    constants: Mapping[Target, str] = field(default_factory=dict)
    defaults: Mapping[Target, str] = field(default_factory=dict)
    fields: Mapping[str, Target | None] = field(default_factory=dict)
    blanked: Collection[str] = ()
    learned: Mapping[str, Target | None] = field(default_factory=dict)
    row_marks: Mapping[str, Mapping[str, RowMark]] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    quotechar: str | None = None
    header_line: int | None = None

    def find_columns(self, columns: Sequence[Column]) -> dict[int, Target | None]:
        """The decided fields by the index of their column.

        Raises FormatError for a column that the sample does not have, or has twice.
        """
        return {_find(name, columns).index: target for name, target in self.fields.items()}

    def find_learned(self, columns: Sequence[Column]) -> dict[int, Target | None]:
        """The learned fields by the index of their column, where its header stands once and nothing is decided."""
        headers = Counter(normalize(column.header) for column in columns)
        return {
            column.index: self.learned[header]
            for column in columns
            if (header := normalize(column.header)) in self.learned and headers[header] == 1 and not column.is_decided
        }

    def find_blanked(self, columns: Sequence[Column]) -> set[int]:
        """The indexes of the columns whose bad values become blank. Raises FormatError for one that is not there."""
        return {_find(name, columns).index for name in self.blanked}


def prepare_decided(columns: Sequence[Column], decided: Mapping[int, Target | None]) -> None:
    """Let decided columns mean what was decided, so that the columns around them are read with it."""
    for index, target in decided.items():
        column = columns[index]
        column.is_decided = True
        if target is None:
            column.meanings, column.known_as_nothing = (), "left out, as decided"
        else:
            column.meanings = (_meaning_of(target, 1.0, DECIDED),)


def prepare_learned(columns: Sequence[Column], learned: Mapping[int, Target | None]) -> None:
    """Let columns mean what was decided about their header before."""
    for index, target in learned.items():
        if target is None:
            columns[index].meanings, columns[index].known_as_nothing = (_NO_FIELD,), LEFT_OUT
        else:
            columns[index].meanings = (_meaning_of(target, LEARNED_SCORE, LEARNED),)


def settle_learned(columns: Sequence[Column], learned: Mapping[int, Target | None]) -> None:
    """Propose what was decided before, as far as the values do not contradict it."""
    for index, target in learned.items():
        column = columns[index]
        if target is None:
            column.candidates.clear()
        else:
            column.propose(target, weigh(column.profile, target, LEARNED_SCORE), LEARNED)


def settle_decided(columns: Sequence[Column], decided: Mapping[int, Target | None]) -> None:
    """Leave decided columns no other field, and nobody else theirs."""
    taken = {target for target in decided.values() if target}
    for column in columns:
        for lost in taken & column.candidates.keys():
            del column.candidates[lost]
    for index, target in decided.items():
        columns[index].candidates = {target: Candidate(target, 1.0, [DECIDED])} if target else {}


def settle_needs(proposal: Proposal, corrections: Corrections) -> None:
    """Let constants and defaults that are decided be asked for no more; a country may be named as the file does."""
    constants = {target: _read(target, text, proposal.languages) for target, text in corrections.constants.items()}
    for column in proposal.columns:
        if column.target in constants:
            column.target = None
            column.evidence = ["a constant was decided on instead"]
        elif column.target and column.target in corrections.defaults:
            column.default = _read(column.target, corrections.defaults[column.target], proposal.languages)
    proposal.decided = constants
    proposal.constants = [needed for needed in proposal.constants if needed.target not in corrections.constants]
    _settle_marks(proposal, corrections)
    decided = corrections.constants.keys() | corrections.defaults.keys()
    proposal.defaults = [needed for needed in proposal.defaults if needed.target not in decided]


def _settle_marks(proposal: Proposal, corrections: Corrections) -> None:
    """Let marks of rows that are decided be asked for no more. Raises FormatError for a column that is not there."""
    headers = [normalize(column.source or "") for column in proposal.columns]
    for name, marks in corrections.row_marks.items():
        is_position = name.isascii() and name.isdigit() and 0 < int(name) <= len(headers)
        if headers.count(normalize(name)) != 1 and not is_position:
            raise FormatError(f"The sample has no single column {name!r}; give its header or its position.")
        proposal.row_marks.setdefault(name, {}).update(marks)
    decided = {normalize(name): {fold_mark(value) for value in marks} for name, marks in proposal.row_marks.items()}
    proposal.marks = [
        marks
        for marks in proposal.marks
        if not {fold_mark(value) for value in marks.rows}
        <= decided.get(normalize(marks.name), decided.get(str(marks.position), set()))
    ]


def _read(target: Target, text: str, languages: Sequence[str]) -> str:
    """What was decided on, a country that is named in one of the languages by its code."""
    if target.field.kind is not Kind.COUNTRY or find_country(text):
        return text
    return find_country(text, tuple(languages)) or text


def _meaning_of(target: Target, score: float, why: str) -> Meaning:
    """What a header means that is a field, so that addresses know their parts."""
    group = target.field.group
    owner = "" if group in (Group.ADDRESS, Group.ROW) else str(group)
    number = target.number if group in ADDRESSES and target.number > 1 else None
    return Meaning(owner, target.field.part, number, score, why)


def _find(name: str, columns: Sequence[Column]) -> Column:
    named = [column for column in columns if column.header and normalize(column.header) == normalize(name)]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        positions = " or ".join(str(column.index + 1) for column in named)
        raise FormatError(
            f"The sample has several columns {name!r}; give the position of the one you mean: {positions}."
        )
    if name.isascii() and name.isdigit() and 0 < int(name) <= len(columns):
        return columns[int(name) - 1]
    raise FormatError(f"The sample has no column {name!r}; give a header, or a position from 1 to {len(columns)}.")
