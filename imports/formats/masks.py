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

COUNTED = ("rows", "customers")
"""What a footer can count."""
PLACEHOLDERS = re.compile(r"\{(\w+)\}")
_FILE_MARKS = "\ufeff\x1a"


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
    """The mask of a footer; the delimiter of the file is no part of a number in it."""

    def __init__(self, mask: str, delimiter: str) -> None:
        counts = PLACEHOLDERS.search(mask)
        pattern = _translate_counting(mask, delimiter) if counts else _translate(mask)
        self._match = re.compile(pattern, re.DOTALL).fullmatch

    def matches(self, line: str) -> bool:
        return self._match(line.strip()) is not None

    def read_counts(self, line: str) -> dict[str, int]:
        """What a line of the footer counts, and how many of it."""
        found = self._match(line.strip())
        counts = found.groupdict() if found else {}
        return {name: int(re.sub(r"\D", "", digits)) for name, digits in counts.items()}

    def recount(self, line: str, counts: Mapping[str, int]) -> str:
        """A line of the footer with other counts, which are as wide as before where zeros stand in front of them."""
        found = self._match(line.strip())
        if not found:
            return line
        start = len(line) - len(line.lstrip())
        for name in sorted(found.groupdict(), key=found.start, reverse=True):
            digits = found[name]
            count = str(counts[name]).zfill(len(digits) if digits.startswith("0") else 0)
            line = line[: start + found.start(name)] + count + line[start + found.end(name) :]
        return line


def _translate_counting(mask: str, delimiter: str) -> str:
    """The mask with a group for each number, which begins as far to the left as it can."""
    groups = "".join(re.escape(mark) for mark in ".,'’\u00a0\u202f" if mark != delimiter)
    number = rf"(?<!\d)(?:\d{{1,3}}(?:[{groups}]\d{{3}})+|\d+)(?!\d)"
    wild = {"*": ".*?", "?": "."}
    parts = (
        wild[part] if part in wild else f"(?P<{part[1:-1]}>{number})" if part[1:-1] in COUNTED else re.escape(part)
        for part in re.split(r"([*?]|\{\w+\})", mask.strip())
    )
    return "".join(parts)


def write_footer(mask: str, counts: Mapping[str, int]) -> str:
    """A line that matches the mask and counts so many."""
    return PLACEHOLDERS.sub(lambda found: str(counts[found[1]]) if found[1] in counts else found[0], mask)
