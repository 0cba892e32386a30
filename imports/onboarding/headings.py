"""Headings: whether a sample has a header, and what the lines around it say: groups above it, types below it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from imports.onboarding import vocabulary
from imports.onboarding.headers import NOTHING, knows, read_header
from imports.onboarding.vocabulary import fold, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FEWEST_GROUPS = 2
MOST_BELOW = 6
"""How many lines between the header and the first row are looked at."""
FEWEST_SHAPED, FEWEST_ROWS = 3, 3
"""How many columns and rows must tell that a line is none of them."""
MISFIT, SAYS = 0.6, 0.5
"""The share of its cells that no row has alike, and the share that are words of headings."""


class Below(NamedTuple):
    """How many records below the header are no rows, and the words for the columns that one of them has."""

    lines: int
    labels: list[str]


def is_header(records: list[tuple[int, list[str]]], first: int, width: int) -> bool:
    """Whether the first record names the columns: with known words, or as the misfit of columns that hold values."""
    cells = [cell.strip() for cell in records[first][1]]
    given = [cell for cell in cells if cell]
    known = sum(knows(cell) for cell in given)
    datalike = sum(map(_is_data, given))
    below = [row for _, row in records[first + 1 : first + 100] if len(row) == width]
    repeated = sum(any(row[index].strip() == cell for row in below) for index, cell in enumerate(cells[:width]) if cell)
    if datalike > len(given) / 10 or repeated > len(given) / 4:
        return known > len(given) * 0.6 and not datalike
    return known >= max(1, len(given) * 0.3) or _differs(cells, below) > (0.6 if known < len(given) * 0.15 else 0.3)


def _differs(cells: list[str], below: list[list[str]]) -> float:
    """The share of the columns with values of one shape that the record's cell does not have."""
    shaped, misfits = _count_misfits(cells, below)
    return misfits / shaped if shaped else 0.0


def _count_misfits(cells: list[str], below: list[list[str]], *, know_few: bool = False) -> tuple[int, int]:
    """How many columns have values of one shape, and in how many of them the record's cell has another.

    With `know_few` a cell that is none of a column's few values has another shape than these, whatever it looks like.
    """
    shaped = misfits = 0
    for index, cell in enumerate(cells):
        values = [value for row in below if index < len(row) and (value := row[index].strip())]
        if len(values) < max(2, len(below) / 2):
            continue
        shapes = [shape for shape in _SHAPES if sum(map(shape, values)) > len(values) * 0.9]
        few = len(set(values)) <= min(len(values) / 2, 6)
        if shapes or few:
            shaped += 1
            is_new = few and cell not in values
            is_unlike = bool(shapes) and not all(shape(cell) for shape in shapes)
            misfits += is_unlike or (is_new and (know_few or not shapes))
    return shaped, misfits


def _is_number(cell: str) -> bool:
    return cell.replace(" ", "").replace(".", "").replace(",", "").isdigit()


_SHAPES: tuple[Callable[[str], bool], ...] = (
    lambda cell: "@" in cell,
    _is_number,
    lambda cell: any(letter.isdigit() for letter in cell),
    lambda cell: sum(letter.isdigit() for letter in cell) > len(cell) / 3,
    lambda cell: len(cell) == 2,
    lambda cell: len(cell) == 3,
    lambda cell: not cell.isupper(),
    lambda cell: " " in cell,
)
"""What all values of a column may have in common, and the name of the column has not."""


def _is_data(cell: str) -> bool:
    return "@" in cell or re.fullmatch(r"[+(]?[\d ./,()-]{3,}", cell) is not None


# -- below the header


def find_better(header: list[str], records: Sequence[list[str]]) -> int:
    """How many records below what seems to be the header another one stands whose words are known; 0 where none is."""
    labels = find_below(records).labels
    is_better = bool(labels) and _share([cell.strip() for cell in header], knows) < _share(labels, knows) * SAYS
    return 1 + [[cell.strip() for cell in cells] for cells in records].index(labels) if is_better else 0


def find_below(records: Sequence[list[str]]) -> Below:
    """The lines that some systems write between the header and the first row: types, hints, names in a language.

    A row must never be taken for one: all rows behind must be unlike them, and the first must read like a heading.
    """
    for count in range(min(MOST_BELOW, len(records) - FEWEST_ROWS), 0, -1):
        rows = [list(map(str.strip, cells)) for cells in records[count : count + 100]]
        lines = [list(map(str.strip, cells)) for cells in records[:count]]
        if _says_columns(lines[0]) >= SAYS and all(_is_unlike(line, rows) for line in lines):
            labels = next((line for line in lines if _share(line, knows) >= SAYS), [])
            return Below(count, labels)
    return Below(0, [])


def _is_unlike(line: list[str], rows: list[list[str]]) -> bool:
    """Whether the filled cells of a line are of other shapes than those of the rows, or where these have none."""
    filled = [index for index, cell in enumerate(line) if cell]
    if not filled or any(_is_data(line[index]) for index in filled):
        return False
    blank = [index for index in filled if not any(index < len(row) and row[index] for row in rows)]
    others = [index for index in filled if index not in blank]
    below = [[row[index] if index < len(row) else "" for index in others] for row in rows]
    shaped, misfits = _count_misfits([line[index] for index in others], below, know_few=True)
    shaped, misfits = shaped + len(blank), misfits + len(blank)
    return shaped >= min(FEWEST_SHAPED, len(filled)) and misfits > shaped * MISFIT


def _says_columns(line: list[str]) -> float:
    """The share of the filled cells that name a column, its type, or whether it is needed."""
    return _share(line, lambda cell: knows(cell) or fold(cell) in _said_of_columns() or _is_type(cell))


def _share(line: list[str], test: Callable[[str], bool]) -> float:
    filled = [cell for cell in line if cell]
    return sum(map(test, filled)) / max(1, len(filled))


def _is_type(cell: str) -> bool:
    """Whether a cell is a type: "Code20", "VARCHAR(30)", "decimal(10, 2)", "Type:"."""
    words = [word for word in words_of(cell) if not word.isdecimal()]
    return bool(words) and all(word in _types() for word in words)


@cache
def _types() -> frozenset[str]:
    return frozenset(word for listed in vocabulary.load("values")["types"] for word in words_of(listed))


@cache
def _said_of_columns() -> frozenset[str]:
    return frozenset(fold(word) for word in vocabulary.load("values")["columns"])


# -- above the header


def find_groups(above: Sequence[list[str]], width: int) -> list[str]:
    """By column what a line right above the header says of it and the next: "Billing;;;;Shipping;;;"; [] for none."""
    cells = [cell.strip() for cell in above[-1][:width]] if above else []
    named = [cell for cell in cells if cell]
    if len(named) < FEWEST_GROUPS or len(named) > width / 2 or any(map(_is_data, named)):
        return []
    if sum(bool(group_owner(cell)) for cell in named) < FEWEST_GROUPS:
        return []
    groups: list[str] = []
    for index in range(width):
        cell = cells[index] if index < len(cells) else ""
        groups.append(cell or (groups[-1] if groups else ""))
    return groups


def group_owner(text: str) -> str:
    """Whose the columns are that a group's name stands above; "" where it does not say."""
    owners = (meaning.owner for meaning in read_header(text))
    return next((owner for owner in owners if owner and owner not in (NOTHING, "noise")), "")
