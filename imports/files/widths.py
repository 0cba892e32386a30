"""Widths: how many cells a row has, how many it should have, and what is said of one that has others."""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import TYPE_CHECKING

from imports.errors import FileRejected
from imports.files.furniture import as_compared
from imports.files.records import is_blank
from imports.template import FIELDS, find_target
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imports.files.mapping import CustomerMapping
    from imports.files.near_lines import NearLines
    from imports.files.records import Row

LOOKED_AT = 100
"""Rows that tell whether anything stands below columns without a name."""
AMBIGUOUS = 3
"""Columns of a file in which two rows that lack a cell each have as many as a broken one."""
MOST_NAMED = 3
DELIMITERS = {
    ",": "commas", ";": "semicolons", "|": "pipes", "\t": "tabs", " ": "spaces", "^": "carets", "~": "tildes",
}  # fmt: skip
"""What messages call marks that stand between cells."""
_BOM = codecs.BOM_UTF8
_SMALL, _CAPITAL, _DIGITS = re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]+")


def drop_columns_behind(header: list[str], rows: Iterable[Row]) -> list[str]:
    """The header without the nameless cells at its end that none of its first rows has a cell below.

    A row that ends with a blank cell may have lost another one, so one that does not must show where rows end.
    """
    named = len(header)
    while named and not read_key(header[named - 1]):
        named -= 1
    if named in (0, len(header)):
        return header
    try:
        sound = [
            row.cells for row in islice(rows, LOOKED_AT) if not row.fault and not is_blank(row) and row.cells != header
        ]
    except FileRejected:  # whoever reads the rows will say so
        return header
    width = max(map(len, sound), default=0)
    is_end = any(len(cells) == width and read_key(cells[-1]) for cells in sound)
    return header[:width] if named <= width < len(header) and is_end else header


class Widths:
    """Judges how many cells rows have, by the columns and policies of a mapping."""

    def __init__(self, mapping: CustomerMapping, lines: NearLines | None = None) -> None:
        spec = mapping.spec
        self.header = mapping.header
        self.width = len(mapping.header) or spec.width
        self.code_index = mapping.code_index
        self.delimiter = spec.dialect.delimiter
        self.can_quote = spec.dialect.quotechar is not None
        self.can_escape = spec.dialect.escapechar is not None
        self.trailing = spec.policies.allow_trailing_delimiter
        self.short = spec.policies.allow_short_rows
        self.is_said = bool(mapping.header or spec.dialect.width)
        self.lines = lines
        self.doubted = 0
        """The line of the last row that may be a part of one, or a row with as few cells as its neighbours."""

    def explain(self, row: Row) -> str:
        """What is wrong with the number of a row's cells; "" where nothing is."""
        found, width = len(row.cells), self.width
        if found == width:
            return ""
        broken = self._find_break(row) if found < width else ""
        if found < width and self.short and not broken and not self._find_escape(row):
            return ""
        blanks = 0
        while found - blanks > width and not read_key(row.cells[-1 - blanks]):
            blanks += 1
        if blanks == 1 == found - width and self.trailing:
            return ""
        source = "" if self.is_said else " by the last column that the format maps, since it says no width"
        what = f"The row has {_count(found)}; {width} {'is' if width == 1 else 'are'} expected{source}"
        return f"{what}{self._explain_more(row, blanks) if found > width else self._explain_less(row, broken)}"

    def _explain_more(self, row: Row, blanks: int) -> str:
        more = len(row.cells) - self.width
        if joined := self.find_joined(row):
            return f". {joined}"
        if blanks == more == 1:
            return (
                ": a delimiter too many stands at its end, with nothing behind it. Leave it out, "
                "or let the format allow it (allow_trailing_delimiter)."
            )
        if blanks == more:
            return f": {more} blank cells too many stand at its end. Leave them out."
        if escape := self._find_escape(row):
            return f". {escape}"
        if more == self.width - 1 > 1:
            return ": two rows seem to stand on one line. End each with a line end."
        return f".{' A cell that holds the delimiter must be in quotes.' * self.can_quote}"

    def _explain_less(self, row: Row, broken: str) -> str:
        found = len(row.cells)
        if self.lines and self.lines.open_row and self.lines.open_row.line == row.line:
            return ", and the file ends here without a line end: it was cut off on its way. Send it again, whole."
        if escape := self._find_escape(row):
            return f". {escape}"
        if found == 1 < row.cells[0].count(self.delimiter):
            return ". It stands in quotes as a whole; put cells in quotes, or none."
        if found == 1 and (other := self._find_delimiter(row.cells[0])):
            return f": it uses {other}, and the file {DELIMITERS.get(self.delimiter, repr(self.delimiter))}."
        left_out = "" if broken and (self.short or self.width > AMBIGUOUS) else self._explain_left_out(found)
        return f".{broken and f' {broken}'}{left_out}"

    def find_joined(self, row: Row) -> str:
        """Words for a row behind which another file begins on the same line; "" for any other one."""
        begin = len(row.cells) - len(self.header)
        cells = as_compared([cell.replace('"', "") for cell in row.cells[begin:]]) if begin > 0 else []
        names = as_compared(self.header)
        if names and names[0] and cells[1:] == names[1:] and cells and cells[0].endswith(names[0]):
            why = f"the header of the second one begins in cell {begin + 1}"
        else:
            if not row.fault:
                self._refuse_other_header(row)
            if _BOM not in row.raw.lstrip(_BOM):
                return ""
            why = "a byte order mark stands inside it, with which files begin"
        return f"Two files seem to be joined on this line: {why}. Send them apart, or with a line end between them."

    def _find_escape(self, row: Row) -> str:
        """Words for a backslash before a delimiter that the format does not read as a part of the text; "" for none."""
        if self.can_escape:
            return ""
        number = next((number for number, cell in enumerate(row.cells[:-1], 1) if cell.endswith("\\")), 0)
        if not number:
            return ""
        quoted = "Put that cell in quotes instead, or let the format" if self.can_quote else "Let the format"
        return f"A backslash stands before the delimiter behind cell {number}. {quoted} read it as an escapechar."

    def _find_delimiter(self, text: str) -> str:
        """What another delimiter is called that cuts a text into as many cells as a row has; "" for none."""
        marks = (mark for mark in DELIMITERS if mark not in (" ", self.delimiter))
        return next((DELIMITERS[mark] for mark in marks if text.count(mark) == self.width - 1 > 0), "")

    def _explain_left_out(self, found: int) -> str:
        """Words for a row that may lack blank cells at its end; none for one that lacks most of its cells."""
        missing = self.width - found
        if found == 1 < missing:
            return " If the line is no row, leave it out, or let the format name it among the lines to ignore."
        if found < missing:
            return ""
        names = [name.strip() for name in self.header[found : found + MOST_NAMED] if name.strip()]
        named = f" ({', '.join(names)}{', …' * (missing > MOST_NAMED)})" if names else ""
        which, verb = (f"the last {missing}", "were") if missing > 1 else ("the last one", "was")
        remedy = "send the delimiters all the same, or let the format allow it (allow_short_rows)"
        return f" If {which}{named} {verb} left out as blank, {remedy}."

    def _refuse_other_header(self, row: Row) -> None:
        """Raise FileRejected where a header with other columns begins in a row: those below would be misread."""
        tail = as_compared(row.cells[self.width - 1 :])
        names = {"customer_code", *filter(None, as_compared(self.header)), *FIELDS}
        begins = [name for name in names if tail and tail[0].endswith(name)]
        known = [name for name in tail[1:] if name in names or find_target(name)]
        code = {"customer_code", *as_compared(self.header)[self.code_index : self.code_index + 1]}
        is_header = begins and known and len(known) * 2 > len(tail) - 1 and not code.isdisjoint([*begins, *known])
        if is_header:
            message = (
                f"A header with other columns begins at the end of line {row.line}: two files seem to be joined there, "
                "without a line end between. Send each as a file of its own."
            )
            raise FileRejected("other_header", message, line=row.line)

    def _find_break(self, row: Row) -> str:
        """Words for a row that makes one of the right width together with its neighbours; "" where it does not.

        Where rows may be short, those that look like each other are rows by themselves.
        """
        lines: list[int] = []
        for parts in self.lines.find_parts(row, self.width) if self.lines else ():
            if self.short and self._are_alike(parts):
                self.doubted = row.line
            elif not self._ends_another(parts[0], row):
                lines = [part.line for part in parts]
                break
        if not lines:
            return ""
        others = [str(line) for line in lines if line != row.line]
        named = f"line{'s' * (len(others) > 1)} {', '.join(others[:-1])}{' and ' * (len(others) > 1)}{others[-1]}"
        remedy = (
            "Put that cell in quotes, or send its text on one line" if self.can_quote else "Send its text on one line"
        )
        return (
            f"Together with {named} it makes one row of {self.width} cells: a line break seems to stand inside a cell. "
            f"{remedy}."
        )

    def pad(self, cells: list[str]) -> list[str]:
        """The cells of a short row, with those that were left out."""
        return cells + [""] * (self.width - len(cells))

    def _ends_another(self, first: Row, row: Row, depth: int = 8) -> bool:
        """Whether the first part of what may be one row is the last one of another that begins before.

        Where rows may be short; else all of them are wrong anyway. No more than so many rows are followed back.
        """
        if first.line == row.line or not self.lines or not self.short or not depth:
            return False
        return any(
            parts[-1].line == first.line
            and not self._are_alike(parts)
            and not self._ends_another(parts[0], first, depth - 1)
            for parts in self.lines.find_parts(first, self.width)
        )

    def _are_alike(self, parts: Sequence[Row]) -> bool:
        """Whether all rows have codes of one form, such as a letter and digits, and end as programs end them that
        leave out cells: always the same ones, or all that are blank.
        """
        if len({len(part.cells) for part in parts}) > 1 and not all(read_key(part.cells[-1]) for part in parts):
            return False
        codes = [read_key(part.cells[self.code_index]) for part in parts if len(part.cells) > self.code_index]
        if len(codes) < len(parts) or not all(codes) or max(map(len, codes)) > min(map(len, codes)) + 1:
            return False
        return len({_DIGITS.sub("0", _CAPITAL.sub("A", _SMALL.sub("a", code))) for code in codes}) == 1


def _count(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"
