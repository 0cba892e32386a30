"""Blocks: the columns that make an address together, its kind and its number."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imports.onboarding.columns import is_address_type
from imports.onboarding.fitting import fits
from imports.onboarding.headers import ANY_PART, KINDS, LOCATION_PARTS, NOTHING
from imports.onboarding.profiles import ENOUGH
from imports.template import FIELDS, GENERIC_ADDRESS, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.onboarding.columns import Column
    from imports.onboarding.headers import Meaning
    from imports.onboarding.rows import Customers

ADDRESS_PARTS = tuple(field.part for field in GENERIC_ADDRESS)


class AddressBlocks:
    """Which columns make an address together, and of which kind a block without a kind is."""

    def __init__(self, columns: list[Column], customers: Customers) -> None:
        self.columns = columns
        self.customers = customers
        self.place: dict[int, tuple[str, int | None, str]] = {}
        """By column: kind ("" for none), number of the block, part."""
        self.inherited: dict[int, str] = {}
        self.assumed: set[int] = set()
        """Columns of addresses whose kind no header says."""
        self._place_columns()
        self._join_first_block()
        self._inherit_kinds()
        self._number_repeats()
        self._find_codes_that_are_zips()
        self.has_type = any(column.best and column.best.part == "address_type" for column in columns) or any(
            is_address_type(column) for column in columns
        )
        if not self.has_type:
            self._name_bare_blocks()
        located = {
            kind: {part for of_kind, _, part in self.place.values() if of_kind == kind and part in LOCATION_PARTS}
            for kind in ("", *KINDS)
        }
        self.plain = bool(located[""] - {"state", "country"})
        self.placeless = {kind for kind in KINDS if not located[kind]} if self.plain else set()
        self.kinds = {kind for kind in KINDS if len(located[kind]) >= 2}
        self.numbers = self._rank_numbers()

    def _place_columns(self) -> None:
        for column in self.columns:
            best = column.best
            if best is None:
                continue
            bare = best.part in (*LOCATION_PARTS, "phone") if best.owner == "" else best.part in ADDRESS_PARTS
            if best.owner in KINDS and (best.part in ADDRESS_PARTS or not best.part):
                self.place[column.index] = (best.owner, best.number, best.part or self._read_alone(column))
            elif best.owner in ("", "address") and bare:
                self.place[column.index] = ("", best.number, best.part)

    def _read_alone(self, column: Column) -> str:
        """What "Ship To" alone is: the code of an address where customers have several of its values."""
        return "code" if self.customers.counts_addresses(column) else _alone(column)

    def _join_first_block(self) -> None:
        """Where only one address is counted, and what is not counted is other parts of it, both are the one."""
        for kind in ("", *KINDS):
            of_kind = [(number, part) for of_kind, number, part in self.place.values() if of_kind == kind]
            counted = {part for number, part in of_kind if number == 1}
            bare = {part for number, part in of_kind if number is None}
            both = counted & bare
            has_second_line = both == {"address_1"} and "address_2" not in counted | bare
            if counted and (not both or has_second_line) and {number for number, _ in of_kind} <= {None, 1}:
                for index, (of_kind_too, number, part) in self.place.items():
                    if of_kind_too == kind:
                        is_second = part in both and number == 1
                        self.place[index] = (kind, None, "address_2" if is_second else part)

    def _inherit_kinds(self) -> None:
        """Bare parts that follow "Ship To Name" belong to the ship-to, where it has none of its own."""
        taken = set(self.place.values())
        for column in self.columns:
            kind, number, part = self.place.get(column.index, ("", None, ""))
            if kind not in KINDS or part not in ("name", "address_1", "code"):
                continue
            run: list[int] = []
            for index in range(column.index + 1, len(self.columns)):
                of_kind, of_number, of_part = self.place.get(index, ("?", None, ""))
                if of_kind == "" and of_number in (None, number) and (kind, number, of_part) not in taken:
                    run.append(index)
                elif not (of_kind == "" or self._says_nothing(index)):
                    break
            parts = [self.place[index][2] for index in run]
            fresh = len(set(parts)) == len(parts)
            if fresh and sum(part in LOCATION_PARTS for part in parts) >= 2 and self._has_home(run, column.index):
                for index in run:
                    self.place[index] = (kind, number, self.place[index][2])
                    self.inherited[index] = column.header
                    taken.add(self.place[index])

    def _has_home(self, run: list[int], start: int) -> bool:
        """Whether the run is the starter's: right behind it."""
        return bool(run) and run[0] - start <= 2

    def _says_nothing(self, index: int) -> bool:
        best = self.columns[index].best
        return best is not None and best.part == NOTHING

    def _number_repeats(self) -> None:
        """The same bare parts again, as doubled headers have them, are the next block; one alone is a rival."""
        holders: dict[tuple[str, int | None, str], list[int]] = defaultdict(list)
        for index in sorted(self.place):
            if self.place[index][2] in LOCATION_PARTS:
                holders[self.place[index]].append(index)
        for (kind, number, part), indexes in list(holders.items()):
            line_2 = (kind, number, "address_2")
            if part == "address_1" and line_2 not in holders and indexes[1:] == [indexes[0] + 1]:
                self.place[indexes.pop()] = line_2
        for kind in ("", *KINDS):
            repeated = {
                place: indexes for place, indexes in holders.items() if place[:2] == (kind, None) and len(indexes) > 1
            }
            for (_, _, part), indexes in repeated.items():
                if len(repeated) > 1:
                    for count, index in enumerate(indexes[1:], 2):
                        self.place[index] = (kind, count, part)
                else:
                    best = max(indexes, key=lambda index: self._fit(index, part))
                    for index in set(indexes) - {best}:
                        del self.place[index]
                        column = self.columns[index]
                        column.meanings = ()
                        column.known_as_nothing = f"{self.columns[best].header!r} fits better"

    def _fit(self, index: int, part: str) -> float:
        meaning = self.columns[index].best
        target = Target(f"address_{part}")
        return (meaning.score if meaning else 0) * fits(self.columns[index].profile, target)[0]

    def _find_codes_that_are_zips(self) -> None:
        """ "Billing Code" beside the city is the postal code, where the address has no other."""
        places = {place: index for index, place in self.place.items()}
        for (kind, number, part), index in places.items():
            near = [places.get((kind, number, other), -9) for other in ("city", "state", "country")]
            if (
                part == "code"
                and (kind, number, "zip") not in places
                and any(self._are_beside(index, other) for other in near)
                and self.columns[index].profile.zips > ENOUGH
                and not self.customers.goes_on_from_code(self.columns[index])
            ):
                self.place[index] = (kind, number, "zip")

    def _are_beside(self, index: int, other: int) -> bool:
        """Whether two parts of an address are neighbours, or have that part of another address between them."""
        between = self.place.get((index + other) // 2, ("", None, ""))[0]
        return abs(index - other) == 1 or (abs(index - other) == 2 and between not in ("", self.place[index][0]))

    def _name_bare_blocks(self) -> None:
        """Of several addresses without names or numbers, the one that a customer's rows have alike is for billing."""
        bare: dict[int | None, list[int]] = defaultdict(list)
        for index, (kind, number, part) in self.place.items():
            if part in LOCATION_PARTS:
                if kind:
                    return
                bare[number].append(index)
        blocks = [number for number, indexes in bare.items() if len(indexes) > 1]
        if len(blocks) < 2:
            return
        alike = [
            number
            for number in blocks
            if all(self.customers.is_constant(self.columns[index]) for index in bare[number])
        ]
        first = None if None in blocks else min(blocks, key=lambda number: min(bare[number]))
        counted = any(
            (best := self.columns[index].best) and best.number and not self.columns[index].block
            for index in bare[first]
        )
        if counted and len(alike) != 1:
            return
        billing = alike[0] if len(alike) == 1 else first
        for index, (_, number, part) in list(self.place.items()):
            if number in blocks and part in ADDRESS_PARTS:
                self.place[index] = ("billing" if number == billing else "shipping", number, part)
                self.assumed.add(index)

    def _rank_numbers(self) -> dict[tuple[str, int | None], int]:
        """The blocks of a kind, numbered from 1 however the file counts them; a state or a country alone is none."""
        found: dict[str, set[int | None]] = defaultdict(set)
        for kind, number, part in self.place.values():
            if part in LOCATION_PARTS and part not in ("state", "country"):
                found[kind].add(number)
        ranks: dict[tuple[str, int | None], int] = {}
        for kind, numbers in found.items():
            for rank, number in enumerate(sorted(numbers, key=lambda number: -1 if number is None else number), 1):
                ranks[kind, number] = rank
        return ranks

    def agrees(self, column: Column, target: Target) -> bool:
        """Whether what stands around a column lets it be the field whose name it has."""
        return self.place.get(column.index, ("", None, target.field.part))[2] == target.field.part

    def follows_street(self, column: Column) -> bool:
        return self.place.get(column.index - 1, ("", None, ""))[2] == "address_1"

    @property
    def plain_kind(self) -> str:
        """The group of what is an address's and says no kind: the generic one, unless a kind has its own block."""
        if self.has_type or not self.kinds:
            return "address"
        if not self.plain and len(self.kinds) == 1:
            return next(iter(self.kinds))
        if self.kinds == {"shipping"}:
            return "billing"
        if self.kinds == {"billing"}:
            return "shipping"
        return ""

    def targets(self, column: Column, meaning: Meaning) -> Iterator[tuple[Target, float, str]]:
        """Fields of an address for a meaning, each with a factor for the confidence and a reason."""
        kind, number, part = self.place.get(column.index, (meaning.owner, meaning.number, meaning.part))
        if meaning is not column.best:
            kind, number, part = meaning.owner if meaning.owner in KINDS else "", meaning.number, meaning.part
            if kind and not part:
                return
        if part == "terms":
            if kind == "shipping":
                yield Target("shipping_terms"), 0.75, "its values repeat"
            return
        if part not in ADDRESS_PARTS:
            return
        rank = self.numbers.get((kind, number), number or 1)
        if kind == "shipping" and kind in self.placeless and self.plain_kind == "address":
            yield Target(f"address_{part}"), 0.9, "it belongs to the only address there is"
            return
        if kind == "billing" and kind in self.placeless and part in ANY_PART:
            yield Target("customer_code" if part == "code" else "profile_name"), 0.95, "it has no address of its own"
            return
        if column.index in self.assumed and kind in KINDS:
            if not (kind == "billing" and part in ("email", "phone")):
                yield Target(f"{kind}_{part}", rank), 0.88, f"of several addresses it is taken for the {kind} address"
            return
        if kind in KINDS:
            why = f"it follows {self.inherited[column.index]!r}" if column.index in self.inherited else ""
            factor = 0.92 if why else 1.0 if meaning.part else 0.9
            if kind == "billing" and part in ("email", "phone"):
                return
            yield Target(f"{kind}_{part}", rank), factor, why
            if kind == "billing" and part == "code" and rank == 1:
                yield Target("customer_code"), 0.75, "who is billed is the customer"
            return
        if part == "phone":
            counted = any(of_kind == "" and of_number for of_kind, of_number in self.numbers)
            if number is None and counted and ("", None) not in self.numbers:
                yield Target("address_phone"), 0.85, "no address of its own is near it"
                return
            if self.plain_kind == "address" and self.plain:
                yield Target("address_phone", rank), 1.0, ""
            elif "shipping" in self.kinds or self.plain_kind == "shipping":
                yield Target("shipping_phone", 1), 0.85, ""
            return
        if part == "email":  # rather a buyer's
            if self.plain_kind == "address" and self.plain:
                yield Target("address_email", rank), 0.8, ""
            return
        group = self.plain_kind
        if not group:
            return
        if f"{group}_{part}" not in FIELDS:
            return
        why = "" if group == "address" else f"the file has another block for the {_other(group)} address"
        yield Target(f"{group}_{part}", rank), 1.0 if group == "address" else 0.93, why


def _other(kind: str) -> str:
    return "shipping" if kind == "billing" else "billing"


def _alone(column: Column) -> str:
    """What "Ship To" alone is: by the values, a code, a name, a street, or nothing of an address at all."""
    numbered = column.best is not None and column.best.number is not None
    if column.profile.booleans > 0.9:
        return NOTHING
    if column.profile.uniqueness < 0.5 and column.profile.filled > 5 and not numbered:
        return "terms"
    return "address_1" if column.profile.streets > ENOUGH else "code" if column.profile.codes > 0.8 else "name"
