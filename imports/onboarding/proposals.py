"""Proposals: how a sample is to be read as far as it tells, with what is in doubt and what a person must decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imports.formats.documents import describe_policies
from imports.formats.policies import BlankCode, Conflict, Policies, RowMark, WordsForNothing
from imports.formats.spec import BadValue, FormatDraft
from imports.formats.spec import Column as FormatColumn
from imports.template import Target, normalize

if TYPE_CHECKING:
    from imports.formats.spec import Dialect
    from imports.onboarding.alphabets import Reading
    from imports.onboarding.rehearsal import Rehearsal

SURE = 0.5
"""A column below this confidence is proposed, but not mapped in the draft."""
MOST_OTHERS = 8
"""How many values are shown beside marks."""
MAX_ERROR_PERCENT, MAX_CHANGE_PERCENT, MAX_NEAR_KEY_PERCENT = 10.0, 50.0, 5.0


@dataclass
class ProposedColumn:
    """What is proposed for one column of the file; `template` joins it with others ("{First} {Last}")."""

    position: int
    source: str | None
    target: Target | None
    confidence: float
    evidence: list[str]
    alternatives: list[tuple[Target, float]]
    value_map: dict[str, str]
    template: str = ""
    unmapped: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    default: str = ""
    bad_value: BadValue = BadValue.REJECT
    is_decided: bool = False
    """Whether a person has said what it is."""

    @property
    def is_mapped(self) -> bool:
        """Whether the draft has the column: it is sure enough to be one."""
        return self.target is not None and self.confidence >= SURE

    @property
    def label(self) -> str:
        """How people find the column: by its header, else by its position and a value."""
        if self.source:
            return self.source
        return f"column {self.position}" + (f" ({self.samples[0]})" if self.samples else "")


@dataclass
class Needed:
    """A field that every row needs and no column is meant by.

    A person decides on a constant, with or without a suggestion. What can be derived has the other column that serves
    (`source`), or a value that does.
    """

    target: Target
    reason: str
    suggestion: str | None = None
    source: str | int | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class ProposedMarks:
    """A column that no field is read from, whose values seem to mark customers as deleted: on how many rows each.

    `name` is its header, or its position where that is none; `others` are the values that say no such thing.
    """

    position: int
    name: str
    rows: dict[str, int]
    others: list[str]

    def describe(self) -> dict[str, Any]:
        return {
            "position": self.position,
            "name": self.name,
            "rows": self.rows,
            "others": self.others[:MOST_OTHERS],
            "suggestion": RowMark.LEAVE_OUT.value,
        }


@dataclass
class Proposal:
    """How a sample is to be read, as far as it tells."""

    dialect: Dialect
    header: list[str]
    header_line: int | None
    footer_lines: int
    trailing_delimiter: bool
    short_rows: bool
    continues: bool
    layout: str
    columns: list[ProposedColumn]
    constants: list[Needed]
    defaults: list[Needed]
    derived: list[Needed]
    missing: list[str]
    rows: int
    languages: list[str]
    blanks_words: bool
    names_differ: bool = False
    """Whether the rows of a customer name it differently, and the first one counts."""
    marks: list[ProposedMarks] = field(default_factory=list)
    """What a person must decide of rows that seem to be marked as deleted."""
    row_marks: dict[str, dict[str, RowMark]] = field(default_factory=dict)
    """What is decided of them."""
    decided: dict[Target, str] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    rehearsal: Rehearsal | None = None

    @property
    def unsure(self) -> list[ProposedColumn]:
        """Columns whose field is proposed, but not sure enough to be mapped."""
        return [column for column in self.columns if column.target and not column.is_mapped]

    def describe(self) -> dict[str, Any]:
        """The proposal as `onboard_format --json` prints it."""
        return {
            "dialect": {
                "encoding": self.dialect.encoding,
                "delimiter": self.dialect.delimiter,
                "quotechar": self.dialect.quotechar,
                "has_header": self.dialect.has_header,
                "width": self.dialect.width,
                "header_line": self.header_line,
                "skip_lines": self.dialect.skip_lines,
                "footer": self.dialect.footer,
                "ignore_lines": list(self.dialect.ignore_lines),
                "allow_spaced_delimiter": self.dialect.allow_spaced_delimiter,
                "spaces_around_quotes": self.dialect.spaces_around_quotes,
                "footer_lines": self.footer_lines,
            },
            "policies": describe_policies(self._policies()),
            "encodings": [
                {"encoding": reading.encoding, "words": list(reading.words[:3])} for reading in self.readings[1:]
            ],
            "layout": self.layout,
            "columns": [
                {
                    "position": column.position,
                    "source": column.source,
                    "target": str(column.target) if column.target else None,
                    "confidence": round(column.confidence, 2),
                    "evidence": column.evidence,
                    "alternatives": [
                        {"target": str(target), "confidence": round(confidence, 2)}
                        for target, confidence in column.alternatives
                    ],
                    "value_map": column.value_map,
                    "unmapped": column.unmapped,
                    "default": column.default or None,
                    "bad_value": column.bad_value.value,
                    "samples": column.samples,
                    "template": column.template or None,
                    "decided": column.is_decided,
                }
                for column in self.columns
            ],
            "constants": [
                {"target": str(needed.target), "suggestion": needed.suggestion, "reason": needed.reason}
                for needed in self.constants
            ],
            "defaults": [
                {"target": str(needed.target), "suggestion": needed.suggestion, "reason": needed.reason}
                for needed in self.defaults
            ],
            "derived": [
                {"target": str(needed.target), "source": needed.source, "value": needed.value, "reason": needed.reason}
                for needed in self.derived
            ],
            "decided": {str(target): value for target, value in self.decided.items()},
            "missing": self.missing,
            "marks": [marks.describe() for marks in self.marks],
            "rehearsal": self.rehearsal.describe() if self.rehearsal else None,
            "rows": self.rows,
        }

    def _policies(self) -> Policies:
        return Policies(
            max_error_percent=MAX_ERROR_PERCENT,
            max_change_percent=MAX_CHANGE_PERCENT,
            max_near_key_percent=MAX_NEAR_KEY_PERCENT,
            allow_trailing_delimiter=self.trailing_delimiter,
            allow_short_rows=self.short_rows,
            blank_code=BlankCode.CONTINUE if self.continues else BlankCode.REJECT,
            languages=tuple(self.languages),
            conflict=Conflict.FIRST if self.names_differ else Conflict.REJECT,
            words_for_nothing=WordsForNothing.BLANK if self.blanks_words else WordsForNothing.KEEP,
            row_marks=self.row_marks,
        )

    def to_draft(self) -> FormatDraft:
        """The format as far as it is sure."""
        doubled = {text for text, count in Counter(map(normalize, self.header)).items() if count > 1}
        columns = [
            FormatColumn(
                target=column.target,
                source=column.template or _source(column, doubled),
                value_map=column.value_map,
                default=column.default,
                bad_value=column.bad_value,
            )
            for column in self.columns
            if column.target is not None and column.is_mapped
        ]
        columns += [
            FormatColumn(target=needed.target, source=needed.source, constant=needed.value) for needed in self.derived
        ]
        columns += [FormatColumn(target=target, constant=value) for target, value in self.decided.items()]
        header = tuple(text.strip() for text in self.header)
        return FormatDraft(self.dialect, tuple(columns), self._policies(), header)


def _source(column: ProposedColumn, doubled: set[str]) -> str | int:
    """The column's header where it finds the column again, else its position."""
    header = column.source or ""
    if not header or normalize(header) in doubled or "{" in header or "}" in header:
        return column.position
    return header
