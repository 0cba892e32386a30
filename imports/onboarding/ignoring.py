"""Ignoring: lines among the rows of a sample that are none, and masks that such lines of the next file match too.

They are rules ("-----"), and the lines at the top of each page. A row must never be taken for one: it would be lost
without a word. So a line with cells counts only where it also stands before the header, or numbers pages.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from imports.formats.masks import compile_masks
from imports.formats.policies import FormatError
from imports.formats.spec import Dialect
from imports.onboarding import vocabulary
from imports.onboarding.footers import leave_open

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_RULE = re.compile(r"(?=.*?([-=_*~+#–—])\1{2})[^\w\"']*+(?:___[^\w\"']*+)?|[\s|+]*+(?:[-=_]{3,}+[\s|+]*+)++")
FEW_CELLS = 2
MOST_MASKS = 6
LONGEST_MASK = 120
"""From how many letters on the rest of a line is left open."""
FEWEST_LETTERS = 4
"""How many letters a line must hold for what is left of it to be its own."""


def is_rule(line: str) -> bool:
    """Whether a line is drawn, and says nothing."""
    return _RULE.fullmatch(line.strip()) is not None


def find_ignored(lines: Sequence[str], records: Sequence[tuple[int, list[str]]], first: int) -> tuple[str, ...]:
    """Masks for lines that are no rows, below the line `first` of the header; each record with its line, from 0."""
    before = {leave_open(line.strip()) for line in lines[:first] if _says_enough(line)}
    below = [(lines[number].strip(), cells) for number, cells in records if number > first]
    rules = [line for line, _ in below if is_rule(line)]
    narrow = [line for line, cells in below if _is_narrow(cells) and _says_enough(line) and not is_rule(line)]
    often = Counter(map(leave_open, narrow))
    alone = {line for line, cells in below if len(cells) == 1}
    titles = [
        line
        for line in narrow
        if (mask := leave_open(line)) in before or (line in alone and (often[mask] > 1 or _page().match(line)))
    ]
    none = {*rules, *titles}
    rows = [line for line, _ in below if line not in none]
    masks = dict.fromkeys([*map(_rule_mask, rules), *map(leave_open, titles)])
    return tuple(mask for mask in masks if _is_safe(mask, rows))[:MOST_MASKS]


def mask_lines(
    lines: Sequence[str], records: Sequence[tuple[int, list[str]]], start: int, count: int
) -> tuple[str, ...]:
    """Masks for `count` records from `start` on that are no rows, as they stand: each file has the same.

    None where one of them spans several lines, or a row matches one.
    """
    found = [lines[number].strip() for number, _ in records[start : start + count]]
    rows = [lines[number].strip() for number, _ in records[start + count :]]
    masks = tuple(re.sub(r"[*?{}]", "?", line[:LONGEST_MASK]) + "*" * (len(line) > LONGEST_MASK) for line in found)
    return masks if all(_is_safe(mask, rows) for mask in masks) else ()


def _is_safe(mask: str, rows: Iterable[str]) -> bool:
    """Whether a mask is one, and matches no row."""
    try:
        Dialect(ignore_lines=(mask,))
    except FormatError:
        return False
    matches = compile_masks((mask,))
    return matches is not None and not any(matches(row.encode()) for row in rows)


def _is_narrow(cells: Sequence[str]) -> bool:
    return sum(bool(cell.strip()) for cell in cells) <= FEW_CELLS


def _says_enough(line: str) -> bool:
    """Whether something is left of a line without what changes in it."""
    return len(re.findall(r"[^\W\d_]", leave_open(line))) >= FEWEST_LETTERS


def _rule_mask(line: str) -> str:
    """A rule's beginning, as far as its mark stands three times: rules grow with the columns."""
    found = re.match(r"(.*?([-=_*~+#–—])\2{2})", line)
    return f"{found[1]}*" if found else line


@cache
def _page() -> re.Pattern[str]:
    """A line that numbers its page: "Page 3 of 9", "Seite: 2"."""
    words = "|".join(map(re.escape, vocabulary.load("values")["pages"]))
    return re.compile(rf"\W*(?:{words})\W{{0,4}}\d+(?:\W+\w{{1,3}}\W+\d+|\W*/\W*\d+)?\W*$", re.IGNORECASE)
