"""Footers: the lines behind the last row of a sample, and a mask that the next file's match too."""

from __future__ import annotations

import fnmatch
import itertools
import re
from functools import cache
from typing import TYPE_CHECKING

from imports.formats.policies import FormatError
from imports.formats.spec import Dialect
from imports.onboarding import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.onboarding.cutting import Cutting
    from imports.onboarding.sampling import Sample


def last_line(lines: list[str]) -> int:
    """The index of the last line that is not blank."""
    return max((index for index, line in enumerate(lines) if line.strip()), default=-1)


def find_footer(sample: Sample, cutting: Cutting) -> tuple[int, str]:
    """How many lines after the last record are none, and a mask that they match."""
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
            return 0, ""
        filled = [cell for cell in cells if cell.strip()]
        usual = 0.5 if cutting.ragged else 0.7
        narrow = len(cells) < max(2, cutting.width * usual) or (len(filled) <= 2 < cutting.width / 2)
        if (
            not narrow
            or any('"' in cell for cell in filled)
            or (cutting.quotechar and cutting.quotechar in line and len(cells) > 1)
        ):
            break
        footer.append(line.strip())
    while footer and not footer[-1]:
        footer.pop()
    texts = [line for line in footer if line]
    if not texts or len(texts) >= max(3, len(lines)) or len(texts) > 5:
        return 0, ""
    rows = (line.strip() for line in lines[: -len(footer)])
    return len(footer), _mask(texts, rows)


def _mask(lines: list[str], rows: Iterable[str]) -> str:
    """A mask that all the lines match; "" where they have no words in common, or where a row would match it too.

    Numbers and names of days and months are left open, because the next file has others.
    """
    pieces = [_changing().split(line) for line in lines]
    text = "*".join(pieces[0]) if len(lines) == 1 else _common_start([of_line[0] for of_line in pieces])
    mask = re.sub(r"[\s*]*\*[\s*]*$", "*", re.sub(r"[\[\]?]", "?", text) + "*")
    mask = re.sub(r"\*(?:[^\w*]*\*)+", "*", mask)
    try:
        Dialect(footer=mask)
    except FormatError:
        return ""
    matches = re.compile(fnmatch.translate(mask)).match
    return "" if any(matches(row) for row in rows) else mask


def _common_start(texts: list[str]) -> str:
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


@cache
def _changing() -> re.Pattern[str]:
    """What differs in the last lines of two files: numbers, and the names of days and months."""
    names = "|".join(re.escape(name) for name in vocabulary.load("values")["calendar"])
    return re.compile(rf"[0-9]+|\b(?:{names})\b\.?", re.IGNORECASE)
