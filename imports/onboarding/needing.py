"""Needing: what no column of a sample gives and a file cannot do without."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imports.onboarding.headers import KINDS
from imports.onboarding.profiles import ENOUGH
from imports.onboarding.proposals import Needed
from imports.onboarding.values import values
from imports.template import ADDRESSES, Group, Kind, Target, normalize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from imports.onboarding.columns import Column

MASTER = "B"
"""What the only address of a customer master is: the bill-to."""
FIRST_CODE = "1"
"""What a blank code of an address may stand for, where a customer has one such address at most."""
ALMOST_ALL, HALF, FEWEST_ROWS = 0.95, 0.5, 2
_CODES = (("zip",), ("city",), ("name",), ("address_1",), ("zip", "address_1"), ("city", "address_1"), ("name", "zip"))
"""Parts of an address that may tell a customer's addresses apart, the shortest first."""


class Needs(NamedTuple):
    """Constants and defaults to be decided on, columns that serve twice, and what nothing can stand in for."""

    constants: list[Needed]
    defaults: list[Needed]
    derived: list[Needed]
    missing: list[str]
    names_differ: bool = False
    """Whether one column names customers and their addresses, so that the customer's is the first of several."""


def find_needs(
    columns: Sequence[Column],
    chosen: Mapping[int, Target],
    price_types: Sequence[tuple[str, str]],
    joined: Collection[int] = (),
) -> Needs:
    """What is needed beside the chosen fields, which are given by the index of their column; so are `joined` ones."""
    found = _Finder(columns, {target: columns[index] for index, target in chosen.items()})
    named = list(found.derive_customer_code(joined))
    derived, missing = found.find_codes()
    names = list(found.derive_address_name())
    derived, missing = [*named, *derived, *names], [*found.find_names(), *missing, *found.find_zips()]
    constants = [*found.find_constants(), *found.find_price_type(price_types)]
    return Needs(constants, list(found.find_defaults()), derived, missing, bool(names))


class _Finder:
    def __init__(self, columns: Sequence[Column], columns_of: Mapping[Target, Column]) -> None:
        self.columns = columns
        self.columns_of = columns_of
        self.code = columns_of.get(Target("customer_code"))
        self.repeats = self.code is not None and self.code.profile.uniqueness < ALMOST_ALL
        self.addresses = sorted({(target.field.group, target.number) for target in columns_of if _is_address(target)})
        headers = [normalize(column.header) for column in columns]
        self.doubled = {header for header in headers if headers.count(header) > 1}

    def derive_customer_code(self, joined: Collection[int]) -> Iterator[Needed]:
        """Where no column has the customer's code: what names each customer may serve, and becomes its code."""
        if self.code is not None or any(map(_may_be_named_code, self.columns)):
            return
        for name, what in (("profile_name", "names"), ("buyer_email", "e-mail addresses")):
            column = self.columns_of.get(Target(name))
            if column is not None and column.index not in joined and self._can_be_code(column):
                self.code, self.repeats = column, column.profile.uniqueness < ALMOST_ALL
                reason = (
                    f"no column has the customer's code; the {what} are all filled and differ, and serve. A customer "
                    "that gets another one will be taken for a new customer"
                )
                yield Needed(Target("customer_code"), reason, source=self._source(column))
                return

    def _can_be_code(self, column: Column) -> bool:
        """Whether the column is filled on every row and short enough, and no two customers have the same in any case.

        Rows that have the same are one customer's where they are of different kinds of address.
        """
        cells = [cell.casefold() for cell in column.profile.cells]
        kind = self.columns_of.get(Target("address_type"))
        rows = [*zip(cells, kind.profile.cells, strict=True)] if kind else cells
        longest = Target("customer_code").field.max_length or 0
        return all(cells) and len(set(rows)) == len(rows) > FEWEST_ROWS and max(map(len, cells)) <= longest

    def derive_address_name(self) -> Iterator[Needed]:
        """Where one column names customers and addresses: it is both, if the bill-to comes first for each customer."""
        name, kind = self.columns_of.get(Target("profile_name")), self.columns_of.get(Target("address_type"))
        if name is None or kind is None or self.code is None or Target("address_name") in self.columns_of:
            return
        firsts: dict[str, tuple[str, str]] = {}
        differ = False
        rows = zip(self.code.profile.cells, kind.profile.cells, name.profile.cells, strict=True)
        for code, of_row, called in rows:
            of_first, first = firsts.setdefault(code, (of_row, called))
            differ = differ or bool(called and first and called != first)
            if (kind.kinds or kind.profile.value_map(Kind.ADDRESS_TYPE)).get(of_first, of_first.upper()) != MASTER:
                return
        if differ:
            reason = (
                "the column names customers and addresses; the customer's name is that of its first row, the bill-to"
            )
            yield Needed(Target("address_name"), reason, source=self._source(name))

    def find_names(self) -> Iterator[str]:
        for name, what in (("customer_code", "the customer's code"), ("profile_name", "the customer")):
            if Target(name) not in self.columns_of and not (name == "customer_code" and self.code):
                yield f"{name}: no column names {what}"

    def find_zips(self) -> Iterator[str]:
        """The postal codes that stand with their cities in one column, which no field takes."""
        taken = {column.index for column in self.columns_of.values()}
        for column in self.columns:
            best = column.best
            if best is None or best.part not in ("zip", "city", "state") or column.index in taken or column.is_decided:
                continue
            if column.profile.zips_and_cities > ENOUGH:
                own = [group for group, _ in self.addresses if group.value == best.owner]
                group = (own or [group for group, _ in self.addresses] or [Group.ADDRESS])[0]
                yield (
                    f"{_prefix(group)}_zip_1: {column.header!r} has postal code and city in one cell, which no field "
                    "takes and no format cuts; let the ERP write them in columns of their own"
                )

    def find_constants(self) -> Iterator[Needed]:
        taken = self.columns_of
        if any(group is Group.ADDRESS for group, _ in self.addresses) and Target("address_type") not in taken:
            reason = "no column says whether the address is for billing (B) or shipping (S)"
            suggestion = MASTER if len(self.addresses) == 1 and not self.repeats else "S"
            yield Needed(Target("address_type"), reason, suggestion)
        for group, number in self.addresses:
            country = Target(f"{_prefix(group)}_country", number)
            if country not in taken:
                yield Needed(country, "an address needs a country, and no column has it", None)
        if Target("discount") in taken and Target("discount_line_item_level") not in taken:
            reason = "no column says whether the discount is on each line (yes) or on the order (no)"
            yield Needed(Target("discount_line_item_level"), reason, "no")

    def find_price_type(self, price_types: Sequence[tuple[str, str]]) -> Iterator[Needed]:
        own = price_types[0] if price_types else (None, "Wholesale")
        reason = "every customer needs a price type, and no column has this of it"
        if len(price_types) > 1:
            reason += f"; the account has {len(price_types)}, of which this is only the first"
        for name, suggestion in zip(("price_type_currency", "price_type_name"), own, strict=True):
            if Target(name) not in self.columns_of:
                yield Needed(Target(name), reason, suggestion)

    # -- blank cells

    def find_defaults(self) -> Iterator[Needed]:
        """For columns of what is needed that are blank on some rows: what a blank cell may stand for."""
        for target in (Target("price_type_currency"), Target("price_type_name")):
            column = self.columns_of.get(target)
            if column is not None and 0 < column.profile.fill < 1 and not self._is_given_once(column):
                yield _default(target, column, column.profile.rows - column.profile.filled, _usual(column, target))
        for group, number in self.addresses:
            parts = self._parts(group, number)
            for part, column in parts.items():
                if part in ("code", "country") and (blank := self._count_blank(column, parts)):
                    target = Target(f"{_prefix(group)}_{part}", number)
                    yield _default(target, column, blank, FIRST_CODE if part == "code" else _usual(column, target))

    def _is_given_once(self, column: Column) -> bool:
        """Whether every customer has it on one row at least."""
        if self.code is None:
            return False
        given = {code for code, cell in zip(self.code.profile.cells, column.profile.cells, strict=True) if cell}
        return given >= set(self.code.profile.cells)

    def _count_blank(self, column: Column, parts: Mapping[str, Column]) -> int:
        """On how many rows an address has no value of the column."""
        others = [other.profile.cells for part, other in parts.items() if part in ("address_1", "city", "zip")]
        rows = zip(column.profile.cells, *others, strict=True)
        return sum(not cell and any(of_address) for cell, *of_address in rows) if others else 0

    # -- codes of addresses

    def find_codes(self) -> tuple[list[Needed], list[str]]:
        """For addresses without a code: what may serve as one, or that nothing does."""
        derived, missing = [], []
        for group, number in self.addresses:
            code = Target(f"{_prefix(group)}_code", number)
            if code in self.columns_of:
                continue
            needed = self._derive(code, group, number)
            if needed is not None:
                derived.append(needed)
            else:
                missing.append(f"{code}: no column tells the addresses of a customer apart")
        return derived, missing

    def _derive(self, code: Target, group: Group, number: int) -> Needed | None:
        if self.code is None:
            return None
        if number > 1 and not self.repeats:
            return Needed(code, f"no column has the code of address {number}", value=str(number))
        parts = self._parts(group, number)
        if not self.repeats or self._is_one_address(parts):
            reason = "no column has the address's code; with one address per customer, "
            if all(map(any, zip(*(column.profile.cells for column in parts.values()), strict=True))):
                return Needed(code, f"{reason}the customer's own code serves", source=self._source(self.code))
            return Needed(code, f"{reason}any will do where there is one", value=FIRST_CODE)
        kind = self.columns_of.get(Target("address_type"))
        if group is Group.ADDRESS and kind is not None and self._tell_apart([kind], parts):
            reason = "no column has the address's code; customers have one address of each kind, whose name serves"
            return Needed(code, reason, source=self._source(kind))
        for names in _CODES:
            of_code = [parts[name] for name in names if name in parts]
            source = self._compose(of_code) if len(of_code) == len(names) else None
            if source is not None and self._tell_apart(of_code, parts):
                what = " and ".join(str(self._source(column)) for column in of_code)
                return Needed(
                    code, f"no column has the address's code; {what} tell a customer's addresses apart", source=source
                )
        return None

    def _parts(self, group: Group, number: int) -> dict[str, Column]:
        return {
            target.field.part: column
            for target, column in self.columns_of.items()
            if (target.field.group, target.number) == (group, number)
        }

    def _is_one_address(self, parts: Mapping[str, Column]) -> bool:
        """Whether every customer's rows have the same address."""
        return len(set(self._addresses(parts.values()))) == len({code for code, *_ in self._addresses(parts.values())})

    def _tell_apart(self, of_code: Sequence[Column], parts: Mapping[str, Column]) -> bool:
        """Whether these columns are filled, and differ wherever the addresses of a customer do."""
        codes, addresses = self._addresses(of_code), self._addresses(parts.values())
        return all(all(cells) for cells in codes) and len(set(codes)) == len(set(addresses))

    def _addresses(self, columns: Iterable[Column]) -> list[tuple[str, ...]]:
        """Per row with an address: the customer's code and the cells."""
        code = self.code.profile.cells if self.code else []
        cells = zip(code, *(column.profile.cells for column in columns), strict=True)
        return [row for row in cells if any(row[1:])]

    def _compose(self, columns: Sequence[Column]) -> str | int | None:
        """A source of these columns: one by header or position, several by their headers alone."""
        if len(columns) == 1:
            return self._source(columns[0])
        headers = [column.header for column in columns]
        if not all(headers) or any(normalize(header) in self.doubled or set("{}") & set(header) for header in headers):
            return None
        return " ".join(f"{{{header}}}" for header in headers)

    def _source(self, column: Column) -> str | int:
        named = column.header and normalize(column.header) not in self.doubled and not set("{}") & set(column.header)
        return column.header if named else column.index + 1


def _is_address(target: Target) -> bool:
    return target.field.group in ADDRESSES


def _may_be_named_code(column: Column) -> bool:
    """Whether a person may take the column for the customer's code, though nothing is sure."""
    return Target("customer_code") in column.candidates and column.profile.uniqueness > HALF


def _prefix(group: Group) -> str:
    return group.value if group.value in KINDS else "address"


def _usual(column: Column, target: Target) -> str:
    """The value that the column has most often, as the field takes it: a country's or a currency's code."""
    usual = max(column.profile.counts, key=lambda cell: column.profile.counts[cell], default="")
    read = {Kind.COUNTRY: values().country, Kind.CURRENCY: values().currency}.get(target.field.kind)
    return (read(usual) if read else "") or usual


def _default(target: Target, column: Column, blank: int, suggestion: str) -> Needed:
    rows = f"{blank} row{'s' * (blank != 1)}"
    return Needed(target, f"it is needed, and {column.header or column.index + 1!r} is blank on {rows}", suggestion)
