"""Rows: what the rows of one customer tell together. Whose a code is, and which rows are of which kind of address."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from imports.onboarding.headers import LOCATION_PARTS, NOTHING
from imports.onboarding.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imports.onboarding.columns import Column

ALMOST_ALL = 0.95
OFTEN = 0.8
"""Below this share of distinct values, a code repeats more than by chance."""
FEWEST = 8
"""From how many rows on codes tell that they repeat on purpose, where nothing that goes with them is called a name."""
MOST_KINDS = 6
OTHERS_CODES = (
    "sales_rep",
    "warehouse",
    "customer_group",
    "company_number",
    "payment_terms",
    "shipping_terms",
    "contact",
)
"""Whose codes repeat, too, and are no customer's."""


class Customers:
    """The rows of a sample by the customer they are of, where a column repeats as a customer's code does.

    `code` is that column; none where every row is another customer, or no column tells.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.has_names = False
        """Whether a column that is called the customer's name goes with the code."""
        self.name: Column | None = None
        """The column that names the customers, where one goes with the code."""
        self.code = self._find_code()
        self.rows: list[list[int]] = list(_group(self.code.profile.cells)) if self.code else []
        self.several = [rows for rows in self.rows if len(rows) > 1]
        for column in columns:
            column.kinds = self._find_kinds(column)

    def _find_code(self) -> Column | None:
        """The first column of codes that repeat, and a name with each of them."""
        names = [column for column in self.columns if column.profile.letters > 0.8 and column.profile.fill > 0.5]
        for column in self.columns:
            profile, best = column.profile, column.best
            if best is not None and (best.owner in OTHERS_CODES or best.part in (NOTHING, *LOCATION_PARTS, "phone")):
                continue
            if best is not None and best.owner == NOTHING:
                continue
            is_code = profile.codes > ALMOST_ALL and profile.fill > 0.99 and not profile.dates and not profile.emails
            if not is_code or not 0.05 < profile.uniqueness < ALMOST_ALL or profile.distinct < 3:
                continue
            groups = list(_group(profile.cells))
            several = [rows for rows in groups if len(rows) > 1]
            of_code = [name for name in names if name is not column and _names(name, groups, several)]
            has_names = any(map(_is_customers, of_code))
            if of_code and (has_names or (profile.uniqueness < OFTEN and profile.filled >= FEWEST)):
                self.has_names = has_names
                self.name = next(filter(_is_customers, of_code), of_code[0])
                return column
        return None

    def is_constant(self, column: Column) -> bool:
        """Whether a customer's rows never have two values of the column."""
        return bool(self.several) and _is_constant(column, self.several)

    def goes_on_from_code(self, column: Column) -> bool:
        """Whether the column's values begin with the code of their customer, and some go on."""
        key = self.code or next((other for other in self.columns if _is_key(other)), None)
        if key is None or column is key or column.profile.is_blank:
            return False
        pairs = [(code, cell) for code, cell in zip(key.profile.cells, column.profile.cells, strict=True) if cell]
        begin = sum(bool(code) and cell.startswith(code) for code, cell in pairs)
        return begin > len(pairs) * 0.9 and any(code != cell for code, cell in pairs)

    def goes_on_from_name(self, column: Column) -> bool:
        """Whether most of the column's values begin with the name of their customer, and differ among its rows."""
        if self.name is None or column is self.name or column.profile.is_blank or self.is_constant(column):
            return False
        pairs = [(name, cell) for name, cell in zip(self.name.profile.cells, column.profile.cells, strict=True) if cell]
        return sum(bool(name) and cell.startswith(name) for name, cell in pairs) > len(pairs) * OFTEN

    def counts_addresses(self, column: Column) -> bool:
        """Whether the column's values are codes of which customers have several, and none has one twice."""
        profile = column.profile
        if not self.several or column is self.code or profile.codes < ALMOST_ALL or profile.fill < 0.9:
            return False
        if profile.is_counter:
            return False
        cells = profile.cells
        twice = sum(len({cells[row] for row in rows}) < len(rows) for rows in self.several)
        return twice <= len(self.several) * (1 - ALMOST_ALL)

    def _find_kinds(self, column: Column) -> dict[str, str]:
        """B and S by the values of a column that says what kind of address a row has; nothing for any other.

        The value that every customer has once is the billing address, the others are shipping addresses.
        """
        profile, best = column.profile, column.best
        if column is self.code or not self.several or profile.fill < ALMOST_ALL:
            return {}
        if best is not None and best.part not in ("type", "address_type", NOTHING, "code") and best.owner != NOTHING:
            return {}
        if not 1 < profile.distinct <= MOST_KINDS or profile.length > 12 or profile.uniqueness > 0.5:
            return {}
        if profile.booleans > ALMOST_ALL:
            return {}
        counts = [Counter(profile.cells[row] for row in rows) for rows in self.rows]
        once = [
            value for value in profile.counts if sum(count[value] == 1 for count in counts) >= len(counts) * ALMOST_ALL
        ]
        if len(once) != 1 or all(count[once[0]] == count.total() for count in counts):
            return {}
        counted = all(max(count.values()) == 1 for count in counts)
        if counted and profile.address_kinds < ALMOST_ALL:
            return {}  # no customer has a value twice: it numbers the addresses
        return {value: "B" if value == once[0] else "S" for value in profile.counts}


def _group(cells: Sequence[str]) -> Iterator[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for row, cell in enumerate(cells):
        groups[cell].append(row)
    yield from groups.values()


def _is_constant(column: Column, groups: Sequence[Sequence[int]]) -> bool:
    cells = column.profile.cells
    varying = sum(len({fold(cells[row]) for row in rows} - {""}) > 1 for rows in groups)
    return varying <= len(groups) * (1 - ALMOST_ALL)


def _is_key(column: Column) -> bool:
    return column.best is not None and column.best[:2] == ("customer", "code") and column.profile.fill > OFTEN


def _is_customers(name: Column) -> bool:
    return name.best is not None and name.best.part == "name" and name.best.owner in ("", "customer")


def _names(column: Column, groups: Sequence[Sequence[int]], several: Sequence[Sequence[int]]) -> bool:
    """Whether the column has one value for each group, and others for most others."""
    first = {column.profile.cells[rows[0]] for rows in groups}
    return len(first) > len(groups) * 0.7 and _is_constant(column, several)
