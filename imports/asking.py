"""Asking: what a draft's proposal left to a person, as long as nobody has decided it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from imports.errors import SettingsWrong
from imports.formats.marks import fold_mark
from imports.formats.policies import RowMark
from imports.mapping import find_origin, say_column
from imports.models import FormatColumn
from imports.template import ADDRESSES, Group, Kind, Target, find_target

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from imports.models import FormatVersion

CONSTANT, DEFAULT, MISSING, MARKS = "constant", "default", "missing", "marks"
WITHOUT = "without"
"""Where a proposal keeps the fields that a person decided to do without."""


@dataclass(frozen=True, slots=True)
class Question:
    """A field that the file needs and does not give, or rows that a column seems to mark as deleted.

    A field is answered by a value for every row (`constant`), for blank cells (`default`), or by a column (`missing`);
    or by doing without it. Of marked rows (`marks`), which have no field but a `column` and its `values`, the answer is
    whether they are left out or taken. `is_needed` says that testing waits for the answer.
    """

    kind: str
    target: Target | None
    reason: str
    suggestion: str = ""
    is_needed: bool = True
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Those of the sample, by position, as they are offered."""
    column: str = ""
    values: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """By what it is answered: the field, or the column that marks rows."""
        return str(self.target) if self.target else f"row_marks {self.column}"

    @property
    def asks(self) -> str:
        if self.target is None:
            return f"What are rows with {' or '.join(map(repr, self.values))} in {self.column!r}?"
        label = self.target.field.label.lower()
        label += f" {self.target.number}" if self.target.number > 1 else ""
        return {
            CONSTANT: f"Which {label} do all rows have?",
            DEFAULT: f"What does a blank {label} stand for?",
            MISSING: f"Which column has the {label}?",
        }[self.kind]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What can be answered, where that is little."""
        if self.target is None:
            return [(RowMark.LEAVE_OUT, "no customers: leave them out"), (RowMark.TAKE, "customers like others")]
        return {
            Kind.ADDRESS_TYPE: [("S", "S, shipping"), ("B", "B, billing")],
            Kind.BOOLEAN: [("yes", "yes"), ("no", "no")],
        }.get(self.target.field.kind, [])


def find_questions(version: FormatVersion) -> list[Question]:
    """What is still to be decided of a version, the needed first; a question whose record was left out is none."""
    proposal: dict[str, Any] = version.proposal or {}
    drafted = {column.target: column for column in version.columns.all()}
    without = set(proposal.get(WITHOUT, []))
    found = [
        question
        for question in _read_questions(proposal)
        if question.name not in without and _is_open(question, version, drafted)
    ]
    return sorted(found, key=lambda question: not question.is_needed)


def say_open_questions(version: FormatVersion) -> str:
    """Why a version cannot be tested yet, and who can help it; "" where nothing needed is open."""
    fields = [question.name for question in find_questions(version) if question.is_needed]
    if not fields:
        return ""
    return (
        f"{version} leaves open what the sample does not say: {', '.join(fields)}. Answer the questions on its page, "
        "or give columns or constants for them. Where it is to do without one, say so there, or with "
        "promote_format --without FIELD."
    )


def answer_question(version: FormatVersion, name: str, *, value: str = "", column: str = "") -> str:
    """Decide a question of a draft by a value, or by the position of a column; what was decided, in words.

    The caller holds the draft. Raises SettingsWrong for what the field cannot be.
    """
    question = _find(version, name)
    if question.target is None:
        return _mark_rows(version, question, value)
    target = str(question.target)
    if question.kind == DEFAULT:
        decided = version.columns.get(target=target)
        decided.default = value.strip()
        said = f"Blank cells of {target} stand for {value.strip()!r} now."
    elif question.kind == CONSTANT:
        decided = FormatColumn(version=version, order=version.next_order(), target=target, constant=value.strip())
        said = f"Every row has {value.strip()!r} for {target} now."
    else:
        if column not in dict(question.columns):
            raise SettingsWrong(f"Choose one of the sample's columns for {target}.")
        decided = FormatColumn(version=version, order=version.next_order(), target=target)
        decided.source, decided.position = find_origin(version, int(column))
        said = f"{target} is read from {decided.origin} now."
    if question.kind != MISSING and not value.strip():
        raise SettingsWrong(f"Give a value for {target}, or do without it.")
    try:
        decided.full_clean()
    except ValidationError as error:
        raise SettingsWrong(" ".join(error.messages)) from None
    decided.save()
    return said


def _mark_rows(version: FormatVersion, question: Question, answer: str) -> str:
    """Say in a draft what marked rows are."""
    if answer not in (RowMark.LEAVE_OUT, RowMark.TAKE):
        raise SettingsWrong(f"Rows marked in {question.column} are left out (leave_out) or taken (take).")
    marks = version.row_marks.get(question.column, {}) | dict.fromkeys(question.values, str(answer))
    version.row_marks = version.row_marks | {question.column: marks}
    version.save(update_fields=["row_marks"])
    what = "left out" if answer == RowMark.LEAVE_OUT else "taken like others"
    return f"Rows with {' or '.join(map(repr, question.values))} in {question.column} are {what} now."


def do_without(version: FormatVersion, name: str) -> str:
    """Let a question of a draft be asked no more, though nothing answers it. The caller holds the draft."""
    question = _find(version, name)
    if question.target is None:
        return _mark_rows(version, question, RowMark.TAKE)
    proposal: dict[str, Any] = version.proposal or {}
    version.proposal = proposal | {WITHOUT: [*proposal.get(WITHOUT, []), str(question.target)]}
    version.save(update_fields=["proposal"])
    return f"The format does without {question.target}; customers that need it are rejected."


def _find(version: FormatVersion, name: str) -> Question:
    questions = find_questions(version)
    asked = str(find_target(name) or name)
    found = next((question for question in questions if question.name == asked), None)
    if found is None:
        fields = ", ".join(question.name for question in questions) or "nothing"
        raise SettingsWrong(f"{version} does not ask for {name!r}, or it was decided meanwhile; it asks for {fields}.")
    return found


def _read_questions(proposal: Mapping[str, Any]) -> Iterator[Question]:
    for kind, name in ((CONSTANT, "constants"), (DEFAULT, "defaults")):
        for needed in proposal.get(name, []):
            target = find_target(needed["target"])
            if target is not None:
                yield Question(kind, target, needed["reason"], needed["suggestion"] or "", kind == CONSTANT)
    for marks in proposal.get("marks", []):
        shown = ", ".join(f"{value!r} on {rows} row{'s' * (rows != 1)}" for value, rows in marks["rows"].items())
        others = f", beside {', '.join(map(repr, marks['others']))}" if marks["others"] else ""
        reason = f"the column seems to mark customers as deleted or inactive: {shown} of the sample{others}"
        yield Question(MARKS, None, reason, marks["suggestion"], column=marks["name"], values=list(marks["rows"]))
    columns = [(str(column["position"]), say_column(column)) for column in proposal.get("columns", [])]
    for what in proposal.get("missing", []):
        name, _, reason = what.partition(": ")
        target = find_target(name)
        if target is not None:  # what only some customers need need not be there: these are rejected
            yield Question(MISSING, target, reason, "", target.field.required, columns)


def _is_open(question: Question, version: FormatVersion, drafted: Mapping[str, FormatColumn]) -> bool:
    target = question.target
    if target is None:
        decided = {fold_mark(value) for value in version.row_marks.get(question.column, {})}
        is_read = any(question.column in (column.source, str(column.position)) for column in drafted.values())
        return not is_read and not decided.issuperset(map(fold_mark, question.values))
    column = drafted.get(str(target))
    if question.kind == DEFAULT:
        return column is not None and not column.default and not column.constant
    return column is None and _matters(target, drafted)


def _matters(target: Target, drafted: Collection[str]) -> bool:
    """Whether the draft has anything that needs the field: an address its country, a discount its level."""
    others = [found for name in drafted if (found := find_target(name)) is not None]
    if target.name == "address_type":
        return any(other.field.group is Group.ADDRESS for other in others)
    if target.name == "discount_line_item_level":
        return Target("discount") in others
    group = target.field.group
    if group in ADDRESSES:
        return any((other.field.group, other.number) == (group, target.number) for other in others)
    return True
