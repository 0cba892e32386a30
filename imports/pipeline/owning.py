"""Own: what a file says of fields that it may only fill (`if_blank`), and that keep what stands in them, as issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connections.stored import ADDRESS_FIELDS, GIVEN_OF_CONNECTION
from imports.files.blocks import CLEAR, KEEP
from imports.template import ASSIGNMENTS, Group, Target
from lookups.directory import price_type_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connections.stored import StoredCustomer
    from imports.files.customers import Customer
    from imports.files.mapping import CustomerMapping
    from lookups.directory import LookupDirectory

KEPT = "kept"
BLANK = ("", None)


class Ownership:
    """Notes what accepted customers did not get; `fill_parts` are the fields by group that a file only fills."""

    def __init__(
        self, mapping: CustomerMapping, directory: LookupDirectory, fill_parts: Mapping[Group, set[str]]
    ) -> None:
        self.mapping = mapping
        self.directory = directory
        self.fill_parts = fill_parts
        self.is_limited = any(fill_parts.values())

    def note_kept(self, customer: Customer, stored: StoredCustomer) -> None:
        """One issue for each value that differs from the one that stands."""
        if customer.fields:
            lists, values = self.fill_parts.get(Group.CONNECTION, set()), customer.fields.values
            for given, old in zip(GIVEN_OF_CONNECTION, stored.values, strict=True):
                if old not in BLANK and given.list_name:
                    self._compare_lookup(customer, given.name, given.list_name, values, old, lists)
                elif given.column in lists:
                    line = customer.fields.line_of(given.column)
                    self._compare(customer, Target(given.column), line, values.get(given.column), old)
        for key, merged in customer.addresses.items():
            known = stored.addresses.get(key)
            for part in self.fill_parts.get(merged.block.group, set()) & set(ADDRESS_FIELDS) if known else ():
                old = getattr(known.values, part) if known else ""
                self._compare(customer, merged.target(part), merged.line_of(part), merged.values.get(part), old)
        for email, merged in customer.buyers.items():
            buyer = stored.buyers.get(email)
            if buyer and "name" in self.fill_parts.get(Group.BUYERS, ()):
                target, line = merged.target("name"), merged.line_of("name")
                self._compare(customer, target, line, merged.values.get("name"), buyer.name)
        for kind in ASSIGNMENTS:
            if self.fill_parts.get(kind) and stored.assignments[kind]:
                self._compare_assignments(customer, kind, stored.assignments[kind])

    def _compare(self, customer: Customer, target: Target, line: int, wanted: Any, stands: Any) -> None:
        if wanted not in (None, KEEP) and stands not in BLANK and wanted != stands:
            self._note(customer, target, line, "" if wanted is CLEAR else str(wanted), str(stands))

    def _compare_lookup(
        self, customer: Customer, name: str, list_name: str, values: Mapping[str, Any], old: int, parts: set[str]
    ) -> None:
        entry = self.directory.entry(list_name, old)
        known = {f"{name}_code": entry.code, f"{name}_name": entry.name}
        for part, standing in known.items():
            if values.get(part) not in (None, KEEP):
                if part in parts and customer.fields:
                    self._compare(customer, Target(part), customer.fields.line_of(part), values[part], standing)
                return  # the code decides where there is one

    def _compare_assignments(self, customer: Customer, kind: Group, stored: Iterable[int]) -> None:
        entries = [self.directory.entry(kind, lookup) for lookup in stored]
        stand, names = {entry.code for entry in entries}, {entry.name for entry in entries}
        for given in customer.assignments.get(kind, {}).values():
            values = {part: value for part, value in given.values.items() if value not in (KEEP, CLEAR)}
            if kind is Group.PRICE_TYPES and values:
                wanted = price_type_code(str(values.get("currency", "")), str(values.get("name", "")))
            else:
                wanted = str(values.get("code") or values.get("name") or "")
            if wanted and wanted not in (stand if kind is Group.PRICE_TYPES or "code" in values else names):
                target = entry_target(self.mapping, kind, given.number)
                self._note(customer, target, given.line, wanted, ", ".join(sorted(stand)))

    def _note(self, customer: Customer, target: Target, line: int, wanted: str, stands: str) -> None:
        says = f"says {wanted!r}" if wanted else "wants it blank"
        message = f"{target} stays {stands!r}: a file only fills this field while it is blank, and this one {says}."
        column = self.mapping.column_label(target)
        customer.problem(line, KEPT, message, column=column, field=str(target), value=wanted, severity="info")


def entry_target(mapping: CustomerMapping, kind: Group, number: int) -> Target:
    """The field by which a file names an entry of a list that is given to a customer."""
    targets = [Target(name, number) for name in _NAMES[kind]]
    return next((target for target in targets if mapping.column_label(target)), targets[0])


_NAMES = {
    Group.WAREHOUSES: ("warehouse_code", "warehouse_name"),
    Group.PAYMENT_TERMS: ("payment_terms_code", "payment_terms"),
    Group.SHIPPING_TERMS: ("shipping_terms",),
    Group.PRICE_TYPES: ("price_type_name", "price_type_currency"),
}
