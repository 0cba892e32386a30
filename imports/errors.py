"""What can be wrong, named after who must act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Problem(NamedTuple):
    """An issue before it is stored. `line` counts physical lines from 1; `value` is what stood in the cell."""

    line: int | None
    column: str
    field: str
    code: str
    severity: str
    message: str
    value: str
    customer_code: str


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


@dataclass
class FileHeld(Exception):
    """The file is not what its format was approved for; a person must look before anything of it is applied."""

    problems: list[Problem]

    def __str__(self) -> str:
        return " ".join(problem.message for problem in self.problems)


class TryAgainLater(Exception):
    """Something outside the file went wrong that time may mend; the message says what."""


class SettingsWrong(Exception):
    """Whoever runs the program must change how it is called or set up; the message says what."""
