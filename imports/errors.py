"""What can be wrong, named after who must act."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An issue before it is stored. `line` counts physical lines from 1; `value` is what stood in the cell,
    `more` how many like it are not listed.
    """

    code: str
    message: str
    severity: str = "error"
    line: int | None = None
    column: str = ""
    field: str = ""
    value: str = ""
    customer_code: str = ""
    more: int = 0


class CellError(ValueError):
    """A cell that is not what its field asks for; the sender must correct it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class FileRejected(Exception):
    """The file as a whole cannot be read; the sender must correct it. Nothing of it is applied."""

    code: str
    message: str
    line: int | None = None
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        return self.message


class HeldFor(StrEnum):
    """Why a person must look at a file before anything of it is applied."""

    HEADER = "header"
    FOOTER = "footer"
    LIMITS = "limits"
    NEAR_KEYS = "near_keys"
    ROW_MARKS = "row_marks"
    SWALLOWED_LINES = "swallowed_lines"
    ENCODED_TWICE = "encoded_twice"
    SHIFTED = "shifted"
    FAILURES = "failures"

    @property
    def needs_version(self) -> bool:
        """Whether letting the file go on is not enough: its format must learn to read such files first."""
        return self is HeldFor.HEADER


def held_for_choices() -> list[tuple[str, str]]:
    """By reference in the migrations, so that a further reason needs none."""
    return [(reason.value, reason.value.replace("_", " ")) for reason in HeldFor]


class Hold(NamedTuple):
    """Why a file is held: for code, and for people."""

    held_for: HeldFor
    message: str


MOST_SAID = 5
"""How many problems the message of a hold repeats; all of them are issues."""


@dataclass
class FileHeld(Exception):
    """The file is not what its format was approved for; a person must look before anything of it is applied.

    `summary` says in one sentence what it seems to be instead, where that is known.
    """

    held_for: HeldFor
    problems: list[Problem]
    summary: str = ""

    def __str__(self) -> str:
        said = [problem.message for problem in self.problems[:MOST_SAID]]
        more = len(self.problems) - len(said)
        return " ".join(filter(None, [self.summary, *said, f"And {more} more like these." if more else ""]))


class TryAgainLater(Exception):
    """Something outside the file went wrong that time may mend; the message says what."""


class AccountBusy(TryAgainLater):
    """Another file is being imported into the account."""


class Suspended(TryAgainLater):
    """The system is suspended, so nothing is asked of servers."""


class SettingsWrong(Exception):
    """Whoever runs the program must change how it is called or set up; the message says what."""
