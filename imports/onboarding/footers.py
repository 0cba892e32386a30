"""Footers: the lines behind the last row of a sample, and a mask that the next file's match too."""

from __future__ import annotations

import itertools
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from imports.formats.masks import Footer
from imports.formats.policies import FormatError
from imports.formats.spec import Dialect
from imports.onboarding import vocabulary
from imports.onboarding.lexicon import lexicon
from imports.onboarding.vocabulary import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from imports.onboarding.cutting import Cutting
    from imports.onboarding.sampling import Sample


FEWEST_COUNTED = 3
"""From how many rows on a number of the footer that is the same is no accident."""


def last_line(lines: list[str]) -> int:
    """The index of the last line that is not blank."""
    return max((index for index, line in enumerate(lines) if line.strip()), default=-1)


def find_footer(sample: Sample, cutting: Cutting, ignored: Callable[[bytes], bool] | None) -> tuple[int, str, str]:
    """How many lines after the last record are none, a mask that they match, and the line if it is one.

    Lines that are ignored anyway need no mask.
    """
    lines = [line.strip("\r\n") for line in (sample.lines if sample.is_whole else sample.tail)]
    while lines and not lines[-1].strip():
        lines.pop()
    footer: list[str] = []
    for line in reversed(lines[-10:]):
        if not line.strip():
            footer.append("")
            continue
        cells = next((cells for _, cells in cutting.read([line])), None)
        if cells is None:
            return 0, "", ""
        filled = [cell for cell in cells if cell.strip()]
        usual = 0.5 if cutting.ragged else 0.7
        narrow = len(cells) < max(2, cutting.width * usual) or (len(filled) <= 2 < cutting.width / 2)
        if (
            not narrow
            or _continues(cells, cutting)
            or any('"' in cell for cell in filled)
            or (cutting.quotechar and cutting.quotechar in line and len(cells) > 1)
        ):
            break
        footer.append(line.strip())
    while footer and not footer[-1]:
        footer.pop()
    texts = [line for line in footer if line and not (ignored and ignored(line.encode()))]
    if len(texts) >= max(3, len(lines)) or len(texts) > 5:
        return 0, "", ""
    rows = [line.strip() for line in lines[: len(lines) - len(footer)]]
    return len(footer), _mask(texts, rows), texts[0] if len(texts) == 1 else ""


def _continues(cells: Sequence[str], cutting: Cutting) -> bool:
    """Whether a line is a row without a code, such as stand between others."""
    if len(cells) != cutting.width or cells[0].strip():
        return False
    filled = [[bool(cell.strip()) for cell in of_record] for _, of_record in cutting.records]
    mine = [bool(cell.strip()) for cell in cells]
    return any(first == mine and sum(second) > cutting.width / 2 for first, second in pairwise(filled))


def _mask(lines: list[str], rows: Iterable[str]) -> str:
    """A mask that all the lines match; "" where they have no words in common, or where a row would match it too."""
    if not lines:
        return ""
    mask = leave_open(lines[0] if len(lines) == 1 else _common_start([_changing().split(line)[0] for line in lines]))
    try:
        matches = Footer(Dialect(footer=mask)).matches
    except FormatError:
        return ""
    return "" if any(map(matches, rows)) else mask


def leave_open(line: str) -> str:
    """The line as a mask: numbers and names of days and months are left open, because the next file has others."""
    return re.sub(r"\*[\s*]*$", "*", f"{_open(line)}*")


def _open(text: str) -> str:
    mask = "*".join(_changing().split(re.sub(r"[\[\]?{}]", "?", text)))
    return re.sub(r"\*(?:[^\w*]*\*)+", "*", mask)


def count_footer(line: str, counts: Mapping[str, int], delimiter: str) -> str:
    """The mask of a footer with a number that is how many rows or customers there are; "" where none is."""
    says_customers = any("customer" in lexicon().owners.get(word, ()) for word in words_of(line))
    for name in sorted(counts, reverse=not says_customers):
        found = list(re.finditer(_number(counts[name], delimiter), line)) if counts[name] >= FEWEST_COUNTED else []
        if len(found) == 1:
            before, behind = line[: found[0].start()], line[found[0].end() :]
            return f"{_open(before)}{{{name}}}{leave_open(behind) if behind else ''}"
    return ""


def _number(count: int, delimiter: str) -> str:
    """A number as footers write it, which is no part of a date, a time or an amount."""
    marks = "".join(re.escape(mark) for mark in ".,'’" if mark != delimiter) or "'"
    digits = f"{count:,}".replace(",", rf"[{marks} ]?")
    return rf"(?<![\w/:-])(?<!\d[{marks}])0*{digits}(?![\w/:-]|[{marks}]\d)"


def _common_start(texts: list[str]) -> str:
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


@cache
def _changing() -> re.Pattern[str]:
    """What differs in such lines of two files: numbers, halves of a day, names of days and months, and padding."""
    names = "|".join(re.escape(name) for name in vocabulary.load("values")["calendar"])
    return re.compile(rf"(?:(?<=GMT|UTC)[+-])?[0-9]+(?:\s?[ap]\.?m\b\.?)?|\b(?:{names})\b\.?|\s{{2,}}", re.IGNORECASE)
