"""Judge: a customer's rows and what is stored → what shall stand, or why the customer is rejected.

Required and conditional rules are judged on the result, so a delta file may leave out what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from connections.models import Change
from connections.nothing import NO_PLACE, says_nothing
from connections.rules import STATE_REQUIRED_COUNTRIES
from connections.stored import (
    ADDRESS_FIELDS,
    CONNECTION_FIELDS,
    GIVEN_OF_CONNECTION,
    NO_ADDRESS,
    NO_CONNECTION,
    NOTHING_KEPT,
    AddressValues,
    ConnectionValues,
    StoredCustomer,
)
from imports.files.blocks import CLEAR, KEEP
from imports.formats.policies import AssignmentMode
from imports.pipeline.owning import Ownership
from imports.pipeline.resolving import NewLookup, Reference, Resolver
from imports.pipeline.withholding import Withheld, say_kept
from imports.template import ADDRESSES, ASSIGNMENTS, FIELDS, Group, Target
from lookups.directory import price_type_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from connections.stored import Kept
    from imports.files.customers import Customer, Given
    from imports.files.mapping import CustomerMapping
    from lookups.directory import LookupDirectory


class JudgedRecord(NamedTuple):
    """An address, door or buyer that is new (without an id) or differs; key and values as its entity names them."""

    id: int | None
    line: int
    key: tuple[str, ...]
    values: tuple[Any, ...]


@dataclass(slots=True)
class Verdict:
    """What shall stand of one customer after the merge: its values, and of its records those that are new or differ.
    Lookups are ids, or NewLookup until the customer is accepted.
    """

    customer: Customer
    stored: StoredCustomer | None
    values: ConnectionValues
    addresses: list[JudgedRecord] = field(default_factory=list)
    doors: list[JudgedRecord] = field(default_factory=list)
    buyers: list[JudgedRecord] = field(default_factory=list)
    given: list[tuple[Group, int | NewLookup, int]] = field(default_factory=list)
    taken: list[tuple[Group, int, int]] = field(default_factory=list)

    @property
    def kept(self) -> Mapping[str, Kept]:
        """The fields of the connection itself that somebody keeps as they are."""
        return self.kept_of(Change.Record.CONNECTION) if self.stored else NOTHING_KEPT

    def kept_of(self, record: str, key: str = "") -> Mapping[str, Kept]:
        """The same of a record, as changes name it."""
        return self.stored.kept_of(record, key) if self.stored else NOTHING_KEPT

    @property
    def changes(self) -> bool:
        """Whether anything of a stored customer will differ."""
        return (
            bool(self.addresses or self.doors or self.buyers or self.given or self.taken)
            or self.stored is None
            or self.values != self.stored.values
        )


NO_IDS: frozenset[int] = frozenset()
BLANK = ("", None)
_CONNECTION, _PRICE_TYPES = Group.CONNECTION, Group.PRICE_TYPES
"""Python 3.11 takes as long to find a member of an enumeration as to look an entry up, which is done with each."""
DISCOUNT = ("discount", "discount_line_item_level")


class _LookupField(NamedTuple):
    """A field that holds an entry of a list: its place among the values, and the template's two fields for it."""

    place: int
    name: str
    list_name: str
    code_part: str
    name_part: str


_LOOKUP_FIELDS = [
    _LookupField(place, given.name, given.list_name, f"{given.name}_code", f"{given.name}_name")
    for place, given in enumerate(GIVEN_OF_CONNECTION)
    if given.list_name
]
_REQUIRED = {
    group: [
        (places.index(field.part), field.part)
        for field in FIELDS.values()
        if field.group is group and field.required and field.part in places
    ]
    for group, places in {Group.CONNECTION: CONNECTION_FIELDS, **dict.fromkeys(ADDRESSES, ADDRESS_FIELDS)}.items()
}
"""By group, the fields that a record needs, each with its place among the values; keys have been seen to before."""
_NAMES = {
    Group.WAREHOUSES: ("warehouse_code", "warehouse_name"),
    Group.PAYMENT_TERMS: ("payment_terms_code", "payment_terms"),
    Group.SHIPPING_TERMS: ("shipping_terms", "shipping_terms"),
    Group.PRICE_TYPES: ("price_type_name", "price_type_name"),
}


class Judge:
    """Applies the rules of the template and a format's policies with the account's lists."""

    def __init__(self, mapping: CustomerMapping, directory: LookupDirectory) -> None:
        self.mapping = mapping
        self.directory = directory
        self.resolver = Resolver(mapping, directory)
        self.policies = mapping.spec.policies
        self.clear_parts: dict[Group, set[str]] = {}
        self.fill_parts: dict[Group, set[str]] = {}
        for block in mapping.blocks:
            self.clear_parts.setdefault(block.group, set()).update(block.clear_parts)
            self.fill_parts.setdefault(block.group, set()).update(block.fill_parts)
        self.ownership = Ownership(mapping, directory, self.fill_parts)
        self.withheld = Withheld(mapping, directory)
        # Assignments that may change, or are missing, where a file says nothing of them.
        self.judged_always = {kind for kind in ASSIGNMENTS if self.clear_parts.get(kind)} | {Group.PRICE_TYPES}
        # Groups of which a record takes just what the file says, unless it only fills what is blank.
        self.plain_groups = {
            group for group, parts in self.clear_parts.items() if not parts and not self.policies.clear_token
        }

    def judge(self, customer: Customer, stored: StoredCustomer | None) -> Verdict:
        """The verdict; its customer has errors when it is rejected."""
        verdict = Verdict(customer, stored, stored.values if stored else NO_CONNECTION)
        if customer.unread:
            return verdict
        self.resolver.start()
        self.withheld.wishes.clear()
        if stored is None and says_nothing(customer.code):
            self._refuse_word(customer, Target("customer_code"), customer.code, (customer.line,))
        self._judge_fields(verdict)
        names = self._judge_addresses(verdict)
        self._judge_doors(verdict, names)
        self._judge_buyers(verdict)
        for kind in ASSIGNMENTS:
            if kind in customer.assignments or kind in self.judged_always:
                self._judge_assignments(verdict, kind)
        if stored is not None and not customer.errors:
            if self.ownership.is_limited:
                self.ownership.note_kept(customer, stored)
            self.withheld.note(customer)
        return verdict

    # -- single values

    def _results(
        self, group: Group, parts: tuple[str, ...], values: dict[str, Any], stored: tuple[Any, ...], nothing: Any
    ) -> Iterable[Any]:
        """What stands of a record's parts, in their order, after a file's values met the stored ones."""
        if group in self.plain_groups and (stored is nothing or not self.fill_parts[group]):
            return map(values.get, parts, stored)
        return map(self._result, repeat(group), parts, repeat(values), stored, nothing)

    def _result(self, group: Group, part: str, values: dict[str, Any], stored: Any, blank: Any = "") -> Any:
        """What stands after a file's value (if any) met the stored one."""
        value = values.get(part)
        if value is KEEP:
            return stored
        if value is None:
            if part not in self.clear_parts[group]:
                return stored
            value = CLEAR
        if stored not in BLANK and part in self.fill_parts[group]:
            return stored
        return blank if value is CLEAR else value

    def _judge_fields(self, verdict: Verdict) -> None:
        customer, old, kept = verdict.customer, verdict.values, verdict.kept
        file = customer.fields.values if customer.fields else {}
        result = [*self._results(_CONNECTION, CONNECTION_FIELDS, file, old, NO_CONNECTION)]
        if kept:
            result = self.withheld.values(kept, CONNECTION_FIELDS, result, old, customer.own_place)
        for place, name in _REQUIRED[_CONNECTION]:
            if result[place] in BLANK:
                self._require(customer, name, "is required and cannot be cleared" if verdict.stored else "is required")
        for entry in _LOOKUP_FIELDS:
            stored = old[entry.place]
            result[entry.place] = self._judge_lookup_field(customer, entry, file, stored, kept.get(entry.name))
        verdict.values = values = ConnectionValues._make(result)
        if values.discount is not None and values.discount_line_item_level is None:
            why = "is required when a discount is given"
            self._require(customer, "discount_line_item_level", why + say_kept(kept, *DISCOUNT))

    def _judge_lookup_field(
        self, customer: Customer, entry: _LookupField, file: dict[str, Any], stored: int | None, kept: Kept | None
    ) -> int | NewLookup | None:
        """What stands of a field that holds an entry of a list, such as company_number.

        A clear token beside a code or a name is no value: the other one counts.
        """
        _, _, list_name, code_part, name_part = entry
        code, label = file.get(code_part), file.get(name_part)
        clear_parts, fill_parts = self.clear_parts[_CONNECTION], self.fill_parts[_CONNECTION]
        if code is KEEP or label is KEEP:
            return stored
        if not kept and (stored is None or not fill_parts) and (known := self.directory[list_name].find(code, label)):
            return known  # what most rows say, without more ado
        cleared = code is CLEAR or label is CLEAR
        code, label = None if code is CLEAR else code, None if label is CLEAR else label
        given = code is not None or label is not None
        if not given and not cleared and clear_parts.isdisjoint((code_part, name_part)):
            return stored
        deciding = (code_part,) if code is not None else (code_part, name_part)
        if stored is not None and not fill_parts.isdisjoint(deciding):
            return stored
        is_named = label is not None or file.get(name_part) is CLEAR or name_part in clear_parts
        part = name_part if code is None and is_named else code_part
        if kept:
            self.withheld.entry(kept, list_name, code, label, stored, customer.own_place(part))
            return stored
        if not given:
            return None
        _, line = customer.own_place(part)
        reference = Reference(code, label, Target(code_part), Target(name_part), line)
        found = self.resolver.find(customer, list_name, reference)
        return stored if found is None else found

    # -- records

    def _judge_addresses(self, verdict: Verdict) -> dict[str, str]:
        """Address rows of the verdict; returns the shipping addresses' names by code."""
        customer, stored = verdict.customer, verdict.stored
        any_kept = bool(stored and stored.kept)
        names: dict[str, str] = {}
        for key, merged in customer.addresses.items():
            old = stored.addresses.get(key) if stored else None
            before = old.values if old else NO_ADDRESS
            group = merged.block.group
            values = AddressValues._make(self._results(group, ADDRESS_FIELDS, merged.values, before, NO_ADDRESS))
            kept = verdict.kept_of(Change.Record.ADDRESS, ":".join(key)) if any_kept else NOTHING_KEPT
            if kept:
                held = self.withheld.values(kept, ADDRESS_FIELDS, values, before, merged.place_of)
                values = AddressValues._make(held)
            if old is None and says_nothing(key[1]):
                self._refuse_word(customer, merged.target("code"), key[1], merged.lines)
            for place, part in _REQUIRED[group]:
                if values[place] in BLANK:
                    self._require(customer, merged.target(part), "is required for an address", merged.lines)
            if values.country in STATE_REQUIRED_COUNTRIES and (not values.state or values.state in NO_PLACE):
                why = f"is required for addresses in {values.country}{say_kept(kept, 'country', 'state')}"
                self._require(customer, merged.target("state"), why, merged.lines, values.state)
            kind, code = key
            if kind == "S":
                names[code] = values.name
            if old is None:
                verdict.addresses.append(JudgedRecord(None, merged.line, key, values))
            elif values != old.values:
                verdict.addresses.append(JudgedRecord(old.id, merged.line, key, values))
        return names

    def _judge_doors(self, verdict: Verdict, names: dict[str, str]) -> None:
        for code, line in verdict.customer.doors.items():
            old = verdict.stored.doors.get(code) if verdict.stored else None
            name = names[code]
            if old and old.name != name and (kept := verdict.kept_of(Change.Record.DOOR, code).get("name")):
                target = verdict.customer.addresses["S", code].target("name")
                name = self.withheld.value(kept, name, old.name, (target, line))
            if old is None or old.name != name:
                verdict.doors.append(JudgedRecord(old.id if old else None, line, (code,), (name,)))

    def _judge_buyers(self, verdict: Verdict) -> None:
        for key, merged in verdict.customer.buyers.items():
            old = verdict.stored.buyers.get(key) if verdict.stored else None
            name = self._result(merged.block.group, "name", merged.values, old.name if old else "")
            if old and old.name != name and (kept := verdict.kept_of(Change.Record.BUYER, key).get("name")):
                name = self.withheld.value(kept, name, old.name, merged.place_of("name"))
            if old is None:
                verdict.buyers.append(JudgedRecord(None, merged.line, (merged.values["email"],), (name,)))
            elif old.name != name:
                verdict.buyers.append(JudgedRecord(old.id, merged.line, (old.email,), (name,)))

    # -- lookups

    def _judge_assignments(self, verdict: Verdict, kind: Group) -> None:
        """What is given and taken of one kind. Clearing empties it only where no row names an entry."""
        customer = verdict.customer
        stored = verdict.stored.assignments[kind] if verdict.stored else NO_IDS
        if kept := verdict.kept.get(kind):
            self._withhold_assignments(customer, kind, stored, kept)
            return
        found: dict[int | NewLookup, int] = {}
        clears = bool(self.clear_parts.get(kind))
        named, cleared = False, clears
        for entry in customer.assignments.get(kind, {}).values():
            values = entry.values
            if clears and KEEP in values.values():
                values = {part: value for part, value in values.items() if value is not KEEP}
                named = True
            if self.policies.clear_token and CLEAR in values.values():
                values = {part: value for part, value in values.items() if value is not CLEAR}
                cleared = True
            if values:
                named = True
                lookup = self._find_assignment(customer, kind, entry, values)
                if lookup is not None:
                    found.setdefault(lookup, entry.line)
        cleared = cleared and not named
        if stored and self.fill_parts.get(kind):
            return
        verdict.given += [(kind, lookup, line) for lookup, line in found.items() if lookup not in stored]
        if stored and (cleared or (found and self.policies.assignments.get(kind) is not AssignmentMode.ADD)):
            verdict.taken += [(kind, lookup, customer.line) for lookup in sorted(stored - found.keys())]
        if kind is _PRICE_TYPES and not found and (cleared or not stored):
            self._require_price_type(customer, named=named, cleared=cleared and bool(stored))

    def _withhold_assignments(self, customer: Customer, kind: Group, stored: Collection[int], kept: Kept) -> None:
        """Leave what is given of a kind as it is; also what is rejected of other customers is not looked at."""
        if not (stored and self.fill_parts.get(kind)):
            self.withheld.entries(kept, kind, customer, stored, clears=bool(self.clear_parts.get(kind)))
        if kind is _PRICE_TYPES and not stored:
            why = f"is required{say_kept({kind: kept}, kind)}"
            for name in ("price_type_currency", "price_type_name"):
                self._require(customer, Target(name), why)

    def _require_price_type(self, customer: Customer, *, named: bool, cleared: bool) -> None:
        if any(name.startswith("price_type") for name in customer.errors):
            return  # what is wrong with the ones given has been said
        why = "is required: a customer needs at least one price type that is known" if named else "is required"
        for name in ("price_type_currency", "price_type_name"):
            self._require(customer, Target(name), f"{why} and cannot be cleared" if cleared else why)

    def _find_assignment(
        self, customer: Customer, kind: Group, given: Given, values: dict[str, Any]
    ) -> int | NewLookup | None:
        number = given.number
        code, label, currency = values.get("code"), values.get("name"), values.get("currency")
        if kind is _PRICE_TYPES:
            if currency is None or label is None:
                missing = Target("price_type_currency" if currency is None else "price_type_name", number)
                self._require(customer, missing, "is required: a price type is a currency and a name", (given.line,))
                return None
            code = price_type_code(currency, label)
        entries = self.directory[kind]
        if known := entries.find(code, label):
            return known  # what most rows say, without more ado
        code_target, name_target = (Target(name, number) for name in _NAMES[kind])
        reference = Reference(code, label, code_target, name_target, given.line, currency or "")
        return self.resolver.find(customer, kind, reference)

    # -- problems

    def _refuse_word(self, customer: Customer, target: Target, code: str, lines: Collection[int]) -> None:
        """Say that the code of a new record is a word for nothing, unless the format's value map says it is none."""
        column = self.mapping.columns.get(target)
        if column is None or code not in column.column.value_map.values():
            customer.require(target, "is required", self.mapping.column_label(target), lines, code)

    def _require(
        self, customer: Customer, target: Target | str, why: str, lines: Collection[int] = (), value: str = ""
    ) -> None:
        """Say that a field is missing, unless its cell was already found wrong: on these lines, or anywhere."""
        target = Target(target) if isinstance(target, str) else target
        customer.require(target, why, self.mapping.column_label(target), lines, value)
