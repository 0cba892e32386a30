"""What the rows of a file say of one customer, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imports.errors import Problem
from imports.files.blocks import KEEP
from imports.template import Group, Target

if TYPE_CHECKING:
    from collections.abc import Collection

    from imports.files.blocks import Block
    from imports.files.columns import CellProblem

PREFIXES = {
    Group.CONNECTION: "",
    Group.BUYERS: "buyer_",
    Group.SHIPPING: "shipping_",
    Group.BILLING: "billing_",
    Group.ADDRESS: "address_",
}


@dataclass(slots=True)
class Merged:
    """What the rows say of one record: values by part, and where those stood that did not come with the first row.

    `repeats` are the lines of the further rows.
    """

    block: Block
    line: int
    values: dict[str, Any]
    later: dict[str, tuple[int, Block]] | None = None
    repeats: list[int] | None = None

    def target(self, part: str) -> Target:
        return target_of(self.block, part)

    @property
    def lines(self) -> list[int]:
        return [self.line, *(self.repeats or ())]

    def source_of(self, part: str) -> tuple[int, Block]:
        """The line and the block that a value came from."""
        return (self.later or {}).get(part, (self.line, self.block))

    def line_of(self, part: str) -> int:
        return self.source_of(part)[0]

    def place_of(self, part: str) -> tuple[Target, int]:
        return self.target(part), self.line_of(part)

    def add(self, values: dict[str, Any], line: int, block: Block) -> tuple[bool, list[str]]:
        """Take in another row's values. Returns whether they added any, and the parts that differ."""
        if self.repeats is None:
            self.repeats = []
        self.repeats.append(line)
        if values is self.values:
            return False, []
        known = self.values
        new = {part: value for part, value in values.items() if known.get(part, KEEP) is KEEP and value is not KEEP}
        conflicts = [
            part for part, value in values.items() if part not in new and value is not KEEP and known[part] != value
        ]
        if new:
            self.values = self.values | new
            self.later = (self.later or {}) | dict.fromkeys(new, (line, block))
        return bool(new), conflicts

    def replace(self, part: str, value: Any, line: int, block: Block) -> None:
        self.values = self.values | {part: value}
        self.later = (self.later or {}) | {part: (line, block)}


def target_of(block: Block, part: str) -> Target:
    return Target(f"{PREFIXES[block.group]}{part}", block.number)


@dataclass(slots=True)
class Given:
    """An entry of a lookup that a row names."""

    values: dict[str, Any]
    line: int
    number: int


MOST_PROBLEMS = 1000
"""How many problems are kept until they are noted: a customer may have as many bad rows as the file has."""


Note = Callable[[list[Problem]], None]
"""Takes problems out of a list."""


def keep(problems: list[Problem]) -> None:
    """Leave the problems where they are."""


@dataclass(slots=True)
class Customer:
    """All rows with one customer code, as one.

    `problems` are those that `note` has not taken yet, which is asked to when they are many.

    Doors are the shipping codes a row asks a door for, with its line; `errors` are the lines on which a field was found
    wrong, by field. `unread` says that the cells of a row could not be told apart, so that what is missing cannot be
    judged, `names_total` that the code reads like a total, and `sums_up` that the rows say nothing but numbers beside
    it. `own_cells` are the cells of the last row that are about the customer itself, where nothing was wrong with them:
    most rows repeat them.
    `encoded_twice` says that a text looks so, of which the first is named. `warned` are the fields and cells of
    which a warning was given: their repetition needs none. `words` are the cells with words for nothing, by field and
    line.
    """

    code: str
    note: Note = keep
    line: int = 0
    rows: int = 0
    unread: bool = False
    names_total: bool = False
    sums_up: bool = False
    problems: list[Problem] = field(default_factory=list)
    errors: dict[str, set[int]] = field(default_factory=dict)
    fields: Merged | None = None
    addresses: dict[tuple[str, str], Merged] = field(default_factory=dict)
    doors: dict[str, int] = field(default_factory=dict)
    buyers: dict[str, Merged] = field(default_factory=dict)
    assignments: dict[Group, dict[int, Given]] = field(default_factory=dict)
    own_cells: tuple[str, ...] | None = None
    encoded_twice: bool = False
    warned: set[tuple[str, str]] = field(default_factory=set)
    words: dict[str, dict[int, CellProblem]] = field(default_factory=dict)

    def problem(
        self,
        line: int,
        code: str,
        message: str,
        *,
        column: str = "",
        field: str = "",
        value: str = "",
        severity: str = "error",
    ) -> None:
        self.problems.append(
            Problem(
                code=code,
                message=message,
                severity=severity,
                line=line,
                column=column,
                field=field,
                value=value,
                customer_code=self.code,
            )
        )
        if severity == "error":
            self.errors.setdefault(field, set()).add(line)
        if len(self.problems) >= MOST_PROBLEMS:
            self.note(self.problems)

    def own_place(self, name: str) -> tuple[Target, int]:
        """A field of the customer itself, and the line that says it."""
        return Target(name), self.fields.line_of(name) if self.fields else self.line

    def require(self, target: Target, why: str, column: str, lines: Collection[int] = (), word: str = "") -> None:
        """Say that a field is missing, or has a word for nothing: this one, or what stands in its cell.

        Unless its cell was already found wrong: on these lines, or anywhere.
        """
        name = str(target)
        wrong = self.errors.get(name)
        if wrong and (not lines or not wrong.isdisjoint(lines)):
            return
        words = self.words.get(name, {})
        found = [words.pop(line) for line in lines or [*words] if line in words]
        word = found[0].value if found else word
        if word:
            why += f", and {word!r} is a word for nothing"
        missing = "" if column else " The file has no such column."
        line = next(iter(lines), self.line)
        self.problem(line, "required", f"{name} {why}.{missing}", column=column, field=name, value=word)

    def warn_of_words(self) -> None:
        """Say once what stands in cells with words for nothing, where nothing was missing for it."""
        for name, words in self.words.items():
            for line, problem in words.items():
                if (name, problem.value) not in self.warned:
                    self.warned.add((name, problem.value))
                    self.problem(line, **problem._asdict())
        self.words.clear()
