"""Judge: a customer's rows and what is stored → what shall stand, or why the customer is rejected.

Required and conditional rules are judged on the result, so a delta file may leave out what is stored.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from connections.rules import STATE_REQUIRED_COUNTRIES
from connections.stored import ADDRESS_FIELDS, StoredCustomer
from imports.formats import AssignmentMode, UnknownLookup
from imports.resources import CLEAR
from imports.template import ASSIGNMENTS, Group, Target
from lookups.directory import price_type_code

if TYPE_CHECKING:
    from imports.grouping import Customer, Given
    from imports.resources import CustomerResource
    from lookups.directory import LookupDirectory, LookupList


class NewLookup(NamedTuple):
    """An entry that a customer asks to be created; made only when the customer is accepted."""

    list_name: str
    code: str
    name: str


@dataclass(slots=True)
class Verdict:
    """What shall stand of one customer after the merge: its values in the order of CONNECTION_FIELDS, and of its
    records those that are new (without an id) or differ. Lookups are ids, or NewLookup until it is accepted.
    """

    customer: Customer
    stored: StoredCustomer | None
    values: list[Any] = field(default_factory=list)
    addresses: list[tuple[Any, ...]] = field(default_factory=list)
    doors: list[tuple[Any, ...]] = field(default_factory=list)
    buyers: list[tuple[Any, ...]] = field(default_factory=list)
    given: list[tuple[Group, int | NewLookup, int]] = field(default_factory=list)
    taken: list[tuple[Group, int, int]] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether anything of a stored customer will differ."""
        return (
            bool(self.addresses or self.doors or self.buyers or self.given or self.taken)
            or self.stored is None
            or self.values != [*self.stored.values.values()]
        )


NO_IDS: frozenset[int] = frozenset()
_TEXT_FIELDS = ("profile_name", "customer_alias", "alternate_name", "website")
_LOOKUP_FIELDS = (
    ("company_number", "company_numbers"),
    ("customer_group", "customer_groups"),
    ("sales_rep", "sales_reps"),
)
_NAMES = {
    Group.WAREHOUSES: ("warehouse_code", "warehouse_name"),
    Group.PAYMENT_TERMS: ("payment_terms_code", "payment_terms"),
    Group.SHIPPING_TERMS: ("shipping_terms", "shipping_terms"),
    Group.PRICE_TYPES: ("price_type_name", "price_type_name"),
}


class Judge:
    """Applies the rules of the template and a format's policies with the account's lists."""

    def __init__(self, resource: CustomerResource, directory: LookupDirectory) -> None:
        self.resource = resource
        self.directory = directory
        self.policies = resource.spec.policies
        self.clear_parts: dict[Group, set[str]] = {}
        self.fill_parts: dict[Group, set[str]] = {}
        self._unknown_messages: dict[tuple[str, str], str] = {}
        for block in resource.blocks:
            self.clear_parts.setdefault(block.group, set()).update(block.clear_parts)
            self.fill_parts.setdefault(block.group, set()).update(block.fill_parts)
        # Groups of which a new record takes just what the file says.
        self.plain_groups = {
            group for group, parts in self.clear_parts.items() if not parts and not self.policies.clear_token
        }

    def judge(self, customer: Customer, stored: StoredCustomer | None) -> Verdict:
        """The verdict; its customer has errors when it is rejected."""
        verdict = Verdict(customer, stored)
        if customer.unread:
            return verdict
        self._judge_fields(verdict)
        names = self._judge_addresses(verdict)
        self._judge_doors(verdict, names)
        self._judge_buyers(verdict)
        for kind in ASSIGNMENTS:
            self._judge_assignments(verdict, kind)
        return verdict

    # -- single values

    def _result(self, group: Group, part: str, values: dict[str, Any], stored: Any, blank: Any = "") -> Any:
        """What stands after a file's value (if any) met the stored one."""
        value = values.get(part)
        if value is None:
            if part not in self.clear_parts[group]:
                return stored
            value = CLEAR
        if stored not in ("", None) and part in self.fill_parts[group]:
            return stored
        return blank if value is CLEAR else value

    def _judge_fields(self, verdict: Verdict) -> None:
        customer, stored = verdict.customer, verdict.stored
        file = customer.fields.values if customer.fields else {}
        group = Group.CONNECTION
        result = {name: self._result(group, name, file, stored.values[name] if stored else "") for name in _TEXT_FIELDS}
        if not result["profile_name"]:
            self._require(
                customer, "profile_name", "is required" if stored is None else "is required and cannot be cleared"
            )
        for name, list_name in _LOOKUP_FIELDS:
            old = stored.values[f"{name}_id"] if stored else None
            result[f"{name}_id"] = self._judge_lookup_field(customer, name, list_name, file, old)
        for name in ("discount", "discount_line_item_level"):
            result[name] = self._result(group, name, file, stored.values[name] if stored else None, None)
        if result["discount"] is not None and result["discount_line_item_level"] is None:
            self._require(customer, "discount_line_item_level", "is required when a discount is given")
        verdict.values = list(result.values())

    def _judge_lookup_field(
        self, customer: Customer, name: str, list_name: str, file: dict[str, Any], stored: int | None
    ) -> int | NewLookup | None:
        """company_number, customer_group or sales_rep of the result."""
        group = Group.CONNECTION
        code, label = file.get(f"{name}_code"), file.get(f"{name}_name")
        if code is None and (label is None or label is CLEAR):
            clear = label is CLEAR or f"{name}_code" in self.clear_parts[group]
            code = CLEAR if clear else None
        if code is None and label is None:
            return stored
        if stored is not None and f"{name}_code" in self.fill_parts[group]:
            return stored
        if code is CLEAR:
            return None
        line = customer.fields.line_of(f"{name}_code" if code else f"{name}_name") if customer.fields else customer.line
        found = self._find(
            customer, self.directory[list_name], code, label, Target(f"{name}_code"), Target(f"{name}_name"), line
        )
        return stored if found is None else found

    # -- records

    def _judge_addresses(self, verdict: Verdict) -> dict[str, str]:
        """Address rows of the verdict; returns the shipping addresses' names by code."""
        customer, stored = verdict.customer, verdict.stored
        names: dict[str, str] = {}
        for (kind, code), merged in customer.addresses.items():
            old = stored.addresses.get((kind, code)) if stored else None
            group, values = merged.block.group, merged.values
            if old is None and group in self.plain_groups:
                result = {part: values.get(part, "") for part in ADDRESS_FIELDS}
            else:
                result = {
                    part: self._result(group, part, values, old[number] if old else "")
                    for number, part in enumerate(ADDRESS_FIELDS, 1)
                }
            if not result["country"]:
                self._require(customer, merged.target("country"), "is required for an address", merged.lines)
            elif result["country"] in STATE_REQUIRED_COUNTRIES and not result["state"]:
                why = f"is required for addresses in {result['country']}"
                self._require(customer, merged.target("state"), why, merged.lines)
            if kind == "S":
                names[code] = result["name"]
            if old is None:
                verdict.addresses.append((None, merged.line, kind, code, *result.values()))
            elif (*result.values(),) != old[1:]:
                verdict.addresses.append((old[0], merged.line, kind, code, *result.values()))
        return names

    def _judge_doors(self, verdict: Verdict, names: dict[str, str]) -> None:
        for code, line in verdict.customer.doors.items():
            old = verdict.stored.doors.get(code) if verdict.stored else None
            if old is None or old[1] != names[code]:
                verdict.doors.append((old[0] if old else None, line, code, names[code]))

    def _judge_buyers(self, verdict: Verdict) -> None:
        for key, merged in verdict.customer.buyers.items():
            old = verdict.stored.buyers.get(key) if verdict.stored else None
            name = self._result(Group.BUYERS, "name", merged.values, old[2] if old else "")
            if old is None:
                verdict.buyers.append((None, merged.line, merged.values["email"], name))
            elif old[2] != name:
                verdict.buyers.append((old[0], merged.line, old[1], name))

    # -- lookups

    def _judge_assignments(self, verdict: Verdict, kind: Group) -> None:
        customer = verdict.customer
        stored = verdict.stored.assignments[kind] if verdict.stored else NO_IDS
        given = customer.assignments.get(kind, {})
        found: dict[int | NewLookup, int] = {}
        cleared = False
        for entry in given.values():
            if self.policies.clear_token and CLEAR in entry.values.values():
                cleared = True
            elif (lookup := self._find_assignment(customer, kind, entry)) is not None:
                found.setdefault(lookup, entry.line)
        cleared = not found and (cleared or bool(self.clear_parts.get(kind)))
        if stored and self.fill_parts.get(kind):
            return
        verdict.given += [(kind, lookup, line) for lookup, line in found.items() if lookup not in stored]
        if cleared or (found and self.policies.assignments.get(kind) is not AssignmentMode.ADD):
            verdict.taken += [(kind, lookup, customer.line) for lookup in sorted(stored - found.keys())]
        nothing_left = not found and (cleared or not stored)
        if kind is Group.PRICE_TYPES and nothing_left:
            self._require_price_type(customer, given=bool(given))

    def _require_price_type(self, customer: Customer, *, given: bool) -> None:
        if any(problem.field.startswith("price_type") and problem.severity == "error" for problem in customer.problems):
            return  # what is wrong with the ones given has been said
        why = "is required: a customer needs at least one price type that is known" if given else "is required"
        for name in ("price_type_currency", "price_type_name"):
            self._require(customer, Target(name), why)

    def _find_assignment(self, customer: Customer, kind: Group, given: Given) -> int | NewLookup | None:
        values, number = given.values, given.number
        code, label = values.get("code"), values.get("name")
        if kind is Group.PRICE_TYPES:
            currency = values.get("currency")
            if currency is None or label is None:
                missing = Target("price_type_currency" if currency is None else "price_type_name", number)
                self._require(customer, missing, "is required: a price type is a currency and a name", (given.line,))
                return None
            code = price_type_code(currency, label)
        entries = self.directory[kind]
        if code is not None and label is not None and entries.names.get(code) == label:
            return entries.ids[code]
        code_name, label_name = (Target(name, number) for name in _NAMES[kind])
        return self._find(customer, self.directory[kind], code, label, code_name, label_name, given.line)

    def _find(
        self,
        customer: Customer,
        entries: LookupList,
        code: str | None,
        label: str | None,
        code_target: Target,
        label_target: Target,
        line: int,
    ) -> int | NewLookup | None:
        """The entry that a code, or a name alone, means; none with a problem noted when it is not known."""
        if code is not None:
            pk = entries.ids.get(code)
            if pk is not None:
                if label is not None and entries.names[code] not in (label, ""):
                    message = (
                        f"{label_target} is {label!r}; the list calls {code!r} {entries.names[code]!r}, which stays."
                    )
                    self._note(customer, label_target, line, "name_differs", message, label, "warning")
                return pk
            return self._unknown(customer, entries, code, label or code, code_target, line)
        if label is None:
            return None
        codes = entries.codes_named(label)
        if len(codes) == 1:
            return entries.ids[codes[0]]
        if codes:
            message = f"{label_target} {label!r} names {len(codes)} entries ({', '.join(codes[:5])}). Send the code."
            self._note(customer, label_target, line, "ambiguous_name", message, label)
            return None
        return self._unknown(customer, entries, label, label, label_target, line)

    def _unknown(
        self, customer: Customer, entries: LookupList, code: str, name: str, target: Target, line: int
    ) -> NewLookup | None:
        policy = self.policies.unknown_lookup.get(entries.name, UnknownLookup.REJECT)
        if policy is UnknownLookup.CREATE:
            if len(code) <= entries.longest_code:
                return NewLookup(entries.name, code, name)
            self._note(customer, target, line, "too_long", f"{target} is too long to become a code; send a code.", code)
            return None
        message = self._unknown_messages.get((entries.name, code))
        if message is None:
            close = difflib.get_close_matches(code, entries.ids, 3, 0.6)
            known = f" Did you mean {' or '.join(repr(match) for match in close)}?" if close else ""
            words = entries.name.replace("_", " ")
            message = f" {code!r} is not in the account's {words}.{known} Correct it or add it to the list."
            self._unknown_messages[entries.name, code] = message
        message = f"{target}{message}"
        severity = "warning" if policy is UnknownLookup.SKIP else "error"
        self._note(customer, target, line, "unknown_lookup", message, code, severity)
        return None

    # -- problems

    def _note(
        self,
        customer: Customer,
        target: Target,
        line: int,
        code: str,
        message: str,
        value: str,
        severity: str = "error",
    ) -> None:
        customer.problem(line, self.resource.column_label(target), str(target), code, message, value, severity)

    def _require(self, customer: Customer, target: Target | str, why: str, lines: tuple[int, ...] = ()) -> None:
        """Say that a field is missing, unless its cell was already found wrong: on these lines, or anywhere."""
        target = Target(target) if isinstance(target, str) else target
        name = str(target)
        for problem in customer.problems:
            if problem.field == name and problem.severity == "error" and (not lines or problem.line in lines):
                return
        column = self.resource.column_label(target)
        missing = "" if column else " The file has no such column."
        line = lines[0] if lines else customer.line
        customer.problem(line, column, name, "required", f"{name} {why}.{missing}")
