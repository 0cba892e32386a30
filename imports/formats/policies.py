"""What a format decides beyond the meaning of its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from imports.formats.countries import LANGUAGES
from imports.formats.marks import fold_mark
from imports.template import ASSIGNMENTS, Group
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class FormatError(ValueError):
    """A format that contradicts itself; the message says what would be right."""


LATER = MappingProxyType({"later": True})
"""Of settings that came after formats were approved: at their default they are no part of the digest, which stays."""


class UnknownLookup(StrEnum):
    """What happens to a code that the account's list does not have."""

    REJECT = "reject"
    SKIP = "skip"
    CREATE = "create"


class AssignmentMode(StrEnum):
    """Whether the values of a file replace the stored ones of their kind or join them."""

    REPLACE = "replace"
    ADD = "add"


class Conflict(StrEnum):
    """What happens when rows of one customer give one value differently."""

    REJECT = "reject"
    FIRST = "first"
    LAST = "last"


class Swallowed(StrEnum):
    """What happens to a file in which a cell holds whole lines, as it does where a stray quote opens and one closes."""

    HOLD = "hold"
    WARN = "warn"


class EncodedTwice(StrEnum):
    """What happens to a file of which several customers have text that was encoded twice ("CafÃ©")."""

    HOLD = "hold"
    WARN = "warn"
    IGNORE = "ignore"


class BlankCode(StrEnum):
    """What a row without a customer code is."""

    REJECT = "reject"
    CONTINUE = "continue"


class WordsForNothing(StrEnum):
    """What a cell that holds a word for nothing ("-", "N/A", "NULL") says."""

    KEEP = "keep"
    BLANK = "blank"


class RowMark(StrEnum):
    """What a row is whose cell in a column holds a mark, such as that of a deletion."""

    LEAVE_OUT = "leave_out"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Policies:
    """What a format decides beyond the meaning of its columns. Limits are percentages; none means no limit.

    `languages` are those in which the file names countries beside English; `full_files` says that each file lists all
    customers of the account, so that those it does not mention can be shown. `row_marks` say, by the header or position
    of a column and by its trimmed cell in any case, which rows are left out and which are like others.
    """

    clear_token: str = ""
    assignments: Mapping[Group, AssignmentMode] = field(default_factory=dict)
    unknown_lookup: Mapping[str, UnknownLookup] = field(default_factory=dict)
    max_error_percent: float | None = None
    max_change_percent: float | None = None
    allow_trailing_delimiter: bool = False
    conflict: Conflict = Conflict.REJECT
    swallowed_lines: Swallowed = field(default=Swallowed.HOLD, metadata=LATER)
    encoded_twice: EncodedTwice = field(default=EncodedTwice.HOLD, metadata=LATER)
    words_for_nothing: WordsForNothing = field(default=WordsForNothing.KEEP, metadata=LATER)
    blank_code: BlankCode = field(default=BlankCode.REJECT, metadata=LATER)
    allow_short_rows: bool = field(default=False, metadata=LATER)
    max_near_key_percent: float | None = field(default=None, metadata=LATER)
    languages: tuple[str, ...] = field(default=(), metadata=LATER)
    full_files: bool = field(default=False, metadata=LATER)
    row_marks: Mapping[str, Mapping[str, RowMark]] = field(default_factory=dict, metadata=LATER)

    def __post_init__(self) -> None:
        if self.unknown_lookup.get("sales_reps") is UnknownLookup.CREATE:
            raise FormatError("Sales reps cannot be created from a file: files carry no e-mail for them.")
        if unknown := set(map(str, self.assignments)) - set(map(str, ASSIGNMENTS)):
            raise FormatError(f"assignments: {', '.join(sorted(unknown))} is none of {', '.join(sorted(ASSIGNMENTS))}.")
        if unknown := set(self.unknown_lookup) - set(LISTS):
            raise FormatError(f"unknown_lookup: {', '.join(sorted(unknown))} is none of {', '.join(sorted(LISTS))}.")
        if unknown := set(self.languages) - set(LANGUAGES):
            raise FormatError(f"languages: {', '.join(sorted(unknown))} is none of {', '.join(LANGUAGES)}.")
        if len(set(self.languages)) < len(self.languages):
            raise FormatError("languages: give each language once.")
        for name, marks in self.row_marks.items():
            if not name.strip() or not marks:
                raise FormatError("row_marks: give a column by its header or position, and what its values mean.")
            if len({fold_mark(value) for value in marks}) < len(marks):
                raise FormatError(f"row_marks: {name} has a value twice, in which case does not count.")
            if marks.get("") is RowMark.LEAVE_OUT and RowMark.TAKE not in marks.values():
                raise FormatError(f"row_marks: {name} leaves out rows that are blank there; say which value is taken.")
        for name in ("max_error_percent", "max_change_percent", "max_near_key_percent"):
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit <= 100:
                raise FormatError(f"{name} must be from 0 to 100, not {limit:g}.")
