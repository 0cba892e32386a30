"""How one ERP's file is read: dialect, columns, policies. The pipeline takes a frozen `FormatSpec`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from imports.template import ASSIGNMENTS, Group, Target

if TYPE_CHECKING:
    from collections.abc import Mapping


class Blank(StrEnum):
    """What a blank cell does to the stored value."""

    KEEP = "keep"
    CLEAR = "clear"


class Ownership(StrEnum):
    """Whether the file or what is stored wins."""

    ALWAYS = "always"
    IF_BLANK = "if_blank"
    NEVER = "never"


class UnknownLookup(StrEnum):
    """What happens to a code that the account's list does not have."""

    REJECT = "reject"
    SKIP = "skip"
    CREATE = "create"


class AssignmentMode(StrEnum):
    """Whether the values of a file replace the stored ones of their kind or join them."""

    REPLACE = "replace"
    ADD = "add"


class FormatError(ValueError):
    """A format that contradicts itself; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How bytes become cells. `quotechar` and `escapechar` may be none."""

    encoding: str = "utf-8"
    delimiter: str = "|"
    quotechar: str | None = '"'
    escapechar: str | None = None
    has_header: bool = True
    skip_lines: int = 0

    def __post_init__(self) -> None:
        marks = {"delimiter": self.delimiter, "quotechar": self.quotechar, "escapechar": self.escapechar}
        given = [mark for mark in marks.values() if mark is not None]
        for name, mark in marks.items():
            if mark is not None and (len(mark) != 1 or mark in "\r\n\0"):
                raise FormatError(f"{name} must be one character and no line end, not {mark!r}.")
        if len(set(given)) < len(given):
            raise FormatError("Delimiter, quote and escape must be different characters.")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise FormatError(f"{self.encoding!r} is not an encoding.") from None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file and the template field it goes to.

    `source` is a header text, a position counted from 1, or a template such as "{First} {Last}"; a column without
    a source has a `constant`. The value map is applied to the trimmed cell, then the default to a blank one.
    """

    target: Target
    source: str | int | None = None
    constant: str | None = None
    value_map: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    blank: Blank = Blank.KEEP
    ownership: Ownership = Ownership.ALWAYS

    def __post_init__(self) -> None:
        if (self.source is None) == (self.constant is None):
            raise FormatError(f"{self.target} needs either a source or a constant.")
        if self.target.field.required and self.ownership is Ownership.NEVER:
            raise FormatError(f"{self.target} is required, so its ownership cannot be 'never'.")
        if self.target.field.required and self.blank is Blank.CLEAR:
            raise FormatError(f"{self.target} is required, so a blank cell cannot clear it.")


@dataclass(frozen=True, slots=True)
class Policies:
    """What a format decides beyond the meaning of its columns. Limits are percentages; none means no limit."""

    clear_token: str = ""
    assignments: Mapping[Group, AssignmentMode] = field(default_factory=dict)
    unknown_lookup: Mapping[str, UnknownLookup] = field(default_factory=dict)
    max_error_percent: float | None = None
    max_change_percent: float | None = None
    allow_trailing_delimiter: bool = False

    def __post_init__(self) -> None:
        if self.unknown_lookup.get("sales_reps") is UnknownLookup.CREATE:
            raise FormatError("Sales reps cannot be created from a file: files carry no e-mail for them.")
        if unknown := set(self.assignments) - set(ASSIGNMENTS):
            raise FormatError(f"{', '.join(sorted(unknown))}: not a kind of assignment.")


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """A format as the pipeline takes it.

    `columns` is none for the standard template, whose columns are whatever template fields the header names.
    """

    name: str
    dialect: Dialect = field(default_factory=Dialect)
    columns: tuple[Column, ...] | None = None
    policies: Policies = field(default_factory=Policies)

    def __post_init__(self) -> None:
        if self.columns is None:
            if not self.dialect.has_header:
                raise FormatError("A file without a header needs its columns mapped by position.")
            return
        targets = [column.target for column in self.columns]
        if doubled := {str(target) for target in targets if targets.count(target) > 1}:
            raise FormatError(f"More than one column goes to {', '.join(sorted(doubled))}.")
        code = next((column for column in self.columns if column.target == Target("customer_code")), None)
        if code is None:
            raise FormatError("No column goes to customer_code.")
        if code.source is None or code.value_map or code.default or "{" in str(code.source):
            raise FormatError("customer_code must be one plain column: customers are found by it before mapping.")
        if not self.dialect.has_header and any(isinstance(column.source, str) for column in self.columns):
            raise FormatError("Without a header, columns are named by position.")

    @property
    def digest(self) -> bytes:
        """32 bytes that differ when anything of the format differs."""
        return hashlib.blake2b(repr(_plain(self)).encode(), digest_size=32).digest()


def _plain(value: object) -> object:
    """The value with mappings as sorted pairs, so that equal formats have equal representations."""
    if isinstance(value, FormatSpec | Dialect | Column | Policies):
        return [_plain(getattr(value, name)) for name in type(value).__slots__]
    if isinstance(value, dict):
        return sorted((str(key), str(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value)


STANDARD = FormatSpec(name="standard template")
"""Pipe-delimited UTF-8 with a header of template field names or labels, any subset of them in any order."""
