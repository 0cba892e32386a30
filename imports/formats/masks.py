"""Masks of lines: which lines of a file are no rows, and what a footer counts.

A mask is compared with a whole line without the spaces around it. `*` stands for any text and `?` for one character; in
the mask of a footer `{rows}` and `{customers}` stand for a number, such as `000019` or `1,234`.
"""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imports.formats.spec import Dialect

COUNTED = ("rows", "customers")
"""What a footer can count."""
PLACEHOLDERS = re.compile(r"\{(\w+)\}")
_FILE_MARKS = "\ufeff\x1a"
WIDEST = 100
"""Spaces beside a number in a footer."""


@cache
def compile_masks(masks: tuple[str, ...]) -> Callable[[bytes], bool] | None:
    """Whether a line matches one of the masks; none where there are no masks."""
    if not masks:
        return None
    match = re.compile("|".join(f"(?:{_translate(mask)})" for mask in masks)).match
    return lambda line: match(line.decode(errors="replace").lstrip(_FILE_MARKS).strip()) is not None


def _translate(mask: str) -> str:
    return fnmatch.translate(mask.strip().replace("[", "[[]"))  # a bracket begins no class of characters here


class Footer:
    """The mask of a footer; the delimiter of the file is no part of a number in it.

    A line of which every cell is quoted is compared without its quotes too, and one with delimiters behind it without
    these. As a row may be quoted so to be told from the footer, that counts only where a file has no other one.
    """

    def __init__(self, dialect: Dialect) -> None:
        mask, delimiter, quote = dialect.footer, dialect.delimiter, re.escape(dialect.quotechar or "")
        quoted = rf"{quote}[^{quote}]*{quote}" if quote else "(?!)"
        self._delimiter, self._blanks = delimiter, ("", 2 * (dialect.quotechar or ""))
        self._is_quoted = re.compile(rf"{quoted}(?:{re.escape(delimiter)}{quoted})*").fullmatch
        self._match_written = re.compile(_translate_footer(mask, delimiter), re.DOTALL).fullmatch
        self._match_quoted = re.compile(_translate_footer(mask, delimiter, quote), re.DOTALL).fullmatch
        uncounted = PLACEHOLDERS.sub("*", mask)
        self._match_uncounted = re.compile(_translate_footer(uncounted, delimiter, quote), re.DOTALL).fullmatch

    def matches(self, line: str) -> bool:
        """Whether a line matches the mask as it is written."""
        return self._match_written(line.strip()) is not None

    def matches_loosely(self, line: str) -> bool:
        """Whether a line matches the mask without the quotes of its cells, or the blank cells at its end."""
        return self._match(line) is not None

    def miscounts(self, line: str) -> bool:
        """Whether a line would match the mask if what it counts were a number."""
        return self._match_uncounted(line.strip()) is not None

    def _match(self, line: str) -> re.Match[str] | None:
        line = line.strip()
        for text in (line, self._without_padding(line)):
            if found := self._match_written(text) or (self._is_quoted(text) and self._match_quoted(text)):
                return found
        return None

    def _without_padding(self, line: str) -> str:
        cells = line.split(self._delimiter)
        while len(cells) > 1 and cells[-1].strip() in self._blanks:
            cells.pop()
        return self._delimiter.join(cells)

    def read_counts(self, line: str) -> dict[str, int]:
        """What a line of the footer counts, and how many of it."""
        found = self._match(line)
        counts = found.groupdict() if found else {}
        return {name: int(re.sub(r"\D", "", digits)) for name, digits in counts.items()}

    def recount(self, line: str, counts: Mapping[str, int]) -> str:
        """A line of the footer with other counts, which are as wide as before where zeros stand in front of them."""
        found = self._match(line)
        if not found:
            return line
        start = len(line) - len(line.lstrip())
        for name in sorted(found.groupdict(), key=found.start, reverse=True):
            digits = found[name]
            count = str(counts[name]).zfill(len(digits) if digits.startswith("0") else 0)
            line = line[: start + found.start(name)] + count + line[start + found.end(name) :]
        return line


def _translate_footer(mask: str, delimiter: str, quote: str = "") -> str:
    """The mask with a group for each number, which begins as far to the left as it can.

    A quote may stand around the whole and beside each delimiter. What stands behind a `*` is looked for once, where it
    comes first, and nothing is of any length that may begin anywhere: no line takes longer than its length warrants.
    """
    edge = f"{quote}?" if quote else ""
    cut = re.escape(delimiter)
    groups = "".join(re.escape(mark) for mark in ".,'’\u00a0\u202f" if mark != delimiter)
    number = rf"(?<!\d)(?:\d{{1,3}}(?:[{groups}]\d{{3}}){{1,6}}|\d+)(?!\d)"
    known = {"?": "."} | {f"{{{name}}}": f" {{0,{WIDEST}}}+(?P<{name}>{number}) {{0,{WIDEST}}}" for name in COUNTED}

    def translate(text: str) -> str:
        parts = re.split(r"(\?|\{\w+\})", text)
        return "".join(known.get(part) or re.escape(part).replace(cut, f"{edge}{cut}{edge}") for part in parts)

    start, *between = map(translate, re.split(r"\*+", mask.strip()))
    end = f".*?{between.pop()}" if between else ""
    return f"{edge}{start}{''.join(f'(?>.*?{text})' for text in between)}{end}{edge}"


def write_footer(mask: str, counts: Mapping[str, int]) -> str:
    """A line that matches the mask and counts so many."""
    return PLACEHOLDERS.sub(lambda found: str(counts[found[1]]) if found[1] in counts else found[0], mask)
