"""Continue: rows without a customer code that go on with the customer of the row above, as some ERPs write lists.

Such exports name a customer once, with its first buyer and address, and give the others on rows of their own in which
all that is about the customer itself is blank. A format may say so; where it does not, a row that looks like it makes
its customer wrong, because without it the customer would go in half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.files.totals import is_totals_row
from imports.formats.policies import BlankCode
from imports.template import ADDRESSES, ASSIGNMENTS, Group
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imports.files.mapping import CustomerMapping

_LISTED = frozenset({*ADDRESSES, *ASSIGNMENTS, Group.BUYERS})
"""The groups of which a customer may have several."""


class Continuation:
    """Tells which rows without a code go on with the customer of the row above."""

    def __init__(self, mapping: CustomerMapping) -> None:
        self.sent_cells = mapping.sent_cells
        self.code_index = mapping.code_index
        self.no_codes = mapping.no_codes
        self.is_said = mapping.spec.policies.blank_code is BlankCode.CONTINUE
        self.short = mapping.spec.policies.allow_short_rows
        self.width = len(mapping.header) or mapping.spec.width
        indexes = [
            (block.group, index)
            for block in mapping.blocks
            for column in block.columns
            for index in column.indexes
            if index != self.code_index
        ]
        self.own = [index for group, index in indexes if group is Group.CONNECTION]
        self.listed = [index for group, index in indexes if group in _LISTED]

    def __call__(self, cells: Sequence[str]) -> bool:
        """Whether a row continues the one above: as the format says, or by its looks where the format does not."""
        if not self.lacks_code(cells) or is_totals_row(self.sent_cells(cells)):
            return False
        return self.is_said or self._looks_continued(cells)

    def lacks_code(self, cells: Sequence[str]) -> bool:
        """Whether a row has a cell for the code and nothing in it."""
        if len(cells) <= self.code_index:
            return False
        code = read_key(cells[self.code_index])
        return not code or code in self.no_codes

    def _looks_continued(self, cells: Sequence[str]) -> bool:
        """Whether a row has values of lists alone: buyers, addresses, terms."""
        is_short = len(cells) < self.width and self.short
        is_sound = is_short or len(cells) == self.width or (len(cells) == self.width + 1 and not cells[-1].strip())
        return is_sound and not _any_filled(cells, self.own) and _any_filled(cells, self.listed)


def _any_filled(cells: Sequence[str], indexes: Iterable[int]) -> bool:
    return any(read_key(cells[index]) for index in indexes if index < len(cells))
