"""Quoting: where the quotes of a record stand, and the spaces and invisible characters around them.

The csv module knows a quote at the very beginning of a cell alone, and nothing but a delimiter behind a closing one. A
quote behind spaces would be part of the cell, and a delimiter behind it would cut. What cannot be seen, such as the
byte order mark of a file that was put behind another one, counts as a space here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lookups.texts import INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imports.formats.spec import Dialect

TEXT_BEHIND_QUOTE = "text stands after a closing quote. Double a quote inside quotes."
BACKSLASH_BEFORE_QUOTE = (
    "a backslash stands before a quote. Double a quote inside quotes, or let the format read it so (escapechar)."
)
SPACES_AROUND_QUOTES = (
    "spaces or invisible characters stand before an opening quote or after a closing one. Leave them out, or let the "
    "format read such quotes (spaces_around_quotes)."
)
OUTSIDE, QUOTED, PLAIN = "", "quoted", "plain"
"""Where a line begins: a cell, or a quoted or another one that the line before began."""


class Quotes:
    """The quotes of a dialect that has some."""

    def __init__(self, delimiter: str, quotechar: str, escapechar: str | None) -> None:
        mark, quote = re.escape(delimiter), re.escape(quotechar)
        escape = re.escape(escapechar) if escapechar else ""
        escaped = f"|{escape}." if escape else ""
        space = rf"(?:[^\S\r\n{mark}]|[{INVISIBLE}])"
        spaces = f"{space}*+"
        self.quotechar = quotechar
        self.escaped = re.compile(f"{escape}(.)|({quote}){quote}" if escape else f"(){quote}({quote})", re.DOTALL)
        self.opening = re.compile(f"{spaces}{quote}")
        self.text = re.compile(rf"(?:[^{quote}{escape}]|{quote}{quote}{escaped})*+", re.DOTALL)
        self.closing = re.compile(rf"{quote}{spaces}(?=[{mark}\r\n]|\Z)")
        self.plain = re.compile(rf"(?:[^{mark}{escape}\r\n]{escaped})*+", re.DOTALL)
        self.cell = re.compile(
            rf"{spaces}{quote}((?:[^{quote}{escape}]|{quote}{quote}{escaped})*+){quote}{spaces}(?={mark}|\Z)|[^{mark}]*",
            re.DOTALL,
        )
        sound = rf"(?:{quote}[^{quote}{escape}]*+{quote}|[^{quote}{mark}{escape}\r\n]*+)"
        self.tidy = re.compile(rf"{sound}(?:{mark}{sound})*+[\r\n]*+")
        self.suspects = [f"{space}{quotechar}".encode() for space in " \t" if space != delimiter]
        self.wide_suspect = re.compile(f"{space}{quote}")

    def trim(self, text: str, inside: str = OUTSIDE) -> tuple[str, str]:
        """Lines of one record without spaces around quotes, and what is open at their end: nothing where it fails.

        Whatever stands behind a closing quote beside them is left for the csv module to find.
        """
        if inside == OUTSIDE and self.tidy.fullmatch(text):
            return text, OUTSIDE
        pieces: list[str] = []
        at = 0
        while at < len(text):
            if inside == OUTSIDE:
                opening = self.opening.match(text, at)
                inside = QUOTED if opening else PLAIN
                if opening:
                    pieces.append(self.quotechar)
                    at = opening.end()
                continue
            found = (self.text if inside == QUOTED else self.plain).match(text, at)
            end = found.end() if found else at
            pieces.append(text[at:end])
            at = end
            if at == len(text):
                break  # what is open goes on in the next line
            if inside == QUOTED:
                closing = self.closing.match(text, at)
                if closing is None:
                    inside = OUTSIDE
                    break
                pieces.append(self.quotechar)
                at = closing.end()
            if at < len(text) and text[at] in "\r\n":
                inside = OUTSIDE
                break
            pieces.append(text[at : at + 1])
            at, inside = at + 1, OUTSIDE
        return "".join(pieces) + text[at:], inside

    def trim_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines of records without spaces around quotes."""
        inside = OUTSIDE
        for line in lines:
            text, inside = self.trim(line, inside)
            yield text

    def are_spaced(self, text: str) -> bool:
        """Whether spaces stand around quotes of a record."""
        return self.trim(text)[0] != text

    def may_be_spaced(self, cells: Iterable[str], raw: bytes) -> bool:
        """Whether a quote may stand behind spaces in a record, which was cut into these cells: asked of every one."""
        if self.quotechar not in "".join(cells):
            return False  # it would be part of a cell
        for suspect in self.suspects:
            if suspect in raw:
                return True
        return not raw.isascii() and self.wide_suspect.search(raw.decode(errors="replace")) is not None

    def cut(self, text: str) -> list[str]:
        """The cells of a faulty record: those in sound quotes without them, the others cut at every delimiter."""
        cells: list[str] = []
        at = 0
        while at <= len(text):
            found = self.cell.match(text, at)
            cell, quoted = found.group(0, 1)  # type: ignore[union-attr]  # it matches nothing, too
            cells.append(cell if quoted is None else self.escaped.sub(r"\1\2", quoted))
            at += len(cell) + 1
        return cells


@lru_cache(maxsize=16)
def _quotes(delimiter: str, quotechar: str, escapechar: str | None) -> Quotes:
    return Quotes(delimiter, quotechar, escapechar)


def quotes_of(dialect: Dialect) -> Quotes | None:
    """The quotes of a dialect; none for one that has none."""
    return _quotes(dialect.delimiter, dialect.quotechar, dialect.escapechar) if dialect.quotechar else None
