"""Resolve: what rows name of a list → its entry, or what is wrong with it by the format's policy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from connections.near_keys import name_differences, near_key
from connections.nothing import says_nothing
from imports.files.columns import CellProblem
from imports.files.totals import doubt_code, says_total
from imports.formats.policies import UnknownLookup
from imports.pipeline.suggesting import Budget, Suggested, Suggestion, Suggestions, describe_difference, describe_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.files.customers import Customer
    from imports.files.mapping import CustomerMapping
    from imports.template import Target
    from lookups.directory import LookupDirectory, LookupList


class Reference(NamedTuple):
    """An entry as a row names it, by code, by name or by both, and the fields that do.

    A price type has its currency besides."""

    code: str | None
    name: str | None
    code_target: Target
    name_target: Target
    line: int
    currency: str = ""


@dataclass(slots=True, eq=False)
class NewLookup:
    """An entry that a customer asks to be created; made only when the customer is accepted. One object for a code.

    A name that no row gives is blank, and will be the code.
    """

    list_name: str
    code: str
    name: str
    currency: str = ""


class Resolver:
    """Finds entries in the account's lists, or notes at the customer why there is none."""

    def __init__(self, mapping: CustomerMapping, directory: LookupDirectory) -> None:
        self.mapping = mapping
        self.directory = directory
        self.policies = mapping.spec.policies.unknown_lookup
        self.start()
        self._suggestions: dict[str, Suggestions] = {}
        self._near: dict[str, dict[str, str]] = {}
        self._seen: Counter[str] = Counter()
        """Of each list, the codes by their near-keys, and of how many; a run adds to lists, and takes nothing away."""
        self.budget = Budget()

    def start(self) -> None:
        """Begin with another customer, who asks for entries of its own."""
        self.wanted: dict[tuple[str, str], NewLookup] = {}
        self.called: dict[tuple[str, str], NewLookup] = {}

    def find(self, customer: Customer, list_name: str, reference: Reference) -> int | NewLookup | None:
        """The entry that a code, or a name alone, means; none with a problem noted when it is not known."""
        entries = self.directory[list_name]
        code, name = reference.code, reference.name
        if code is not None:
            pk = entries.ids.get(code)
            if pk is None:
                return self._unknown(customer, entries, reference)
            if name is not None and entries.names[code] not in (name, ""):
                why = f"the list calls {code!r} {entries.names[code]!r}, which stays"
                if others := entries.codes_named(name):
                    why += f", and calls {_listed(others)} {name!r}: the code counts; correct it if the name is right"
                self._warn_of_name(customer, reference, why)
            return pk
        if name is None:
            return None
        codes = entries.codes_named(name)
        if len(codes) == 1:
            return entries.ids[codes[0]]
        if codes:
            message = f"{reference.name_target} {name!r} names {len(codes)} entries ({', '.join(codes[:5])}). "
            self._note(customer, reference, "ambiguous_name", f"{message}Send the code.")
            return None
        return self._unknown(customer, entries, reference)

    def _unknown(self, customer: Customer, entries: LookupList, reference: Reference) -> int | NewLookup | None:
        if says_nothing(_own_text(reference)):
            said = f"{_target(reference)} {_own_text(reference)!r} is a word for nothing; it is read as a blank cell."
            target, value = str(_target(reference)), _value(reference)
            column = self.mapping.column_label(_target(reference))
            word = CellProblem(column, target, "word_for_nothing", said, value, "warning")
            customer.words.setdefault(target, {})[reference.line] = word
            has_name = reference.code and reference.name and not reference.currency
            return self.find(customer, entries.name, reference._replace(code=None)) if has_name else None
        policy = self.policies.get(entries.name, UnknownLookup.REJECT)
        if policy is UnknownLookup.CREATE:
            return self._create(customer, entries, reference)
        severity = "warning" if policy is UnknownLookup.SKIP else "error"
        message = self._say_unknown(entries, reference)
        self._note(customer, reference, "unknown_lookup", message, severity)
        return None

    # -- entries to be created

    def _create(self, customer: Customer, entries: LookupList, reference: Reference) -> int | NewLookup | None:
        if reference.code is not None:
            return self._create_code(customer, entries, reference, reference.code)
        name = reference.name or ""
        if wanted := self.called.get((entries.name, name)):
            return wanted
        if name in entries.ids:
            called = entries.names[name]
            self._warn_of_name(
                customer, reference, f"no entry has that name, but {called!r} has that code and is taken"
            )
            return entries.ids[name]
        new = self._create_code(customer, entries, reference, name)
        if new:
            message = f"{reference.name_target} {name!r} is new and comes without a code, so the name becomes the code."
            self._note(customer, reference, "name_becomes_code", message, "warning")
        return new

    def _create_code(
        self, customer: Customer, entries: LookupList, reference: Reference, code: str
    ) -> NewLookup | None:
        name, target = reference.name or "", _target(reference)
        if len(code) > entries.longest_code:
            self._note(customer, reference, "too_long", f"{target} is too long to become a code; send a code.")
            return None
        if (entries.name, code) not in self.wanted and (doubt := self._doubt_entry(entries, code)):
            issue, why = doubt
            self._note(
                customer, reference, issue, f"{target} {code!r} is new and is added to the list, {why}", "warning"
            )
        new = self.wanted.setdefault((entries.name, code), NewLookup(entries.name, code, name, reference.currency))
        if name and new.name != name:
            if new.name:
                self._warn_of_name(
                    customer, reference, f"{code!r} is new and was called {new.name!r} before, which stays"
                )
            else:
                new.name = name
        self.called.setdefault((entries.name, new.name), new)
        return new

    def _doubt_entry(self, entries: LookupList, code: str) -> tuple[str, str] | None:
        """Why a new entry may be none, as an issue's code and words; nothing for what most are like."""
        if near := self._find_near(entries, code):
            differ = name_differences(code, near)
            same = "Send the code as the list has it if they are one entry."
            return "near_entry", f"which has {near!r}: they differ only in {differ}. {same}"
        if several := self._suggestions_of(entries).split(code):
            return "placeholder", f"which has {_listed(several)}: a cell takes one code."
        if doubt := doubt_code(code):
            return doubt.issue, f"but {doubt.what}. {doubt.remedy}"
        if says_total(code):
            return "placeholder", "but reads like a total. Leave the row out if it is one."
        return None

    def _suggestions_of(self, entries: LookupList) -> Suggestions:
        if entries.name not in self._suggestions:
            self._suggestions[entries.name] = Suggestions(entries, self.budget)
        return self._suggestions[entries.name]

    def _find_near(self, entries: LookupList, code: str) -> str:
        """Another code of the list, or one that is to be created, that looks like a new one; "" for none."""
        known = self._near.setdefault(entries.name, {})
        for other in islice(entries.ids, self._seen[entries.name], None):
            known.setdefault(near_key(other), other)
            if entries.name != "price_types" and (name := entries.names[other]):
                known.setdefault(near_key(name), name)
        self._seen[entries.name] = len(entries.ids)
        wanted = {near_key(other): other for name, other in self.wanted if name == entries.name}
        key = near_key(code)
        near = known.get(key) or wanted.get(key, "")
        return near if near != code else ""

    # -- what several processes look for

    def forget_suggestions(self, comparisons: int) -> None:
        """Begin with no suggestion looked for, and so many comparisons left."""
        self.budget.left, self.budget.is_short = comparisons, False
        for suggestions in self._suggestions.values():
            suggestions.found.clear()

    def suggested(self) -> list[Suggested]:
        """All that was looked for."""
        return [suggested for suggestions in self._suggestions.values() for suggested in suggestions.found.values()]

    def learn(self, suggested: Sequence[Suggested]) -> bool:
        """Take what another process looked for as if it was looked for here; false where too few comparisons are left.

        So what a file is told does not depend on how many processes check it.
        """
        lists = {found.list_name: self._suggestions_of(self.directory[found.list_name]) for found in suggested}
        new = [found for found in suggested if (found.text, found.is_code) not in lists[found.list_name].found]
        cost = sum(found.cost for found in new)
        if cost > self.budget.left:
            return False
        self.budget.left -= cost
        for found in new:
            lists[found.list_name].found[found.text, found.is_code] = found
        return True

    # -- words

    def _say_unknown(self, entries: LookupList, reference: Reference) -> str:
        words = entries.name.replace("_", " ")
        if reference.code is not None:
            what = f"{reference.code_target} {reference.code!r} is not in the account's {words}."
            codes = entries.codes_named(reference.code)
            hint = f" It is the name of {' and '.join(map(repr, codes[:3]))}; send the code." if codes else ""
            if entries.name == "sales_reps" and (rep := self.directory.rep_codes.get(reference.code.lower())):
                hint = f" It is the e-mail of the rep whose code is {rep!r}; send the code."
        else:
            what = f"{reference.name_target} {reference.name!r} is no name in the account's {words}."
            known = reference.name in entries.ids
            hint = f" It is a code there; send it as {reference.code_target}." if known else ""
        return f"{what}{hint or self._suggest(entries, reference)} Correct it or add it to the list."

    def _suggest(self, entries: LookupList, reference: Reference) -> str:
        """What may have been meant, as the column takes it."""
        value, is_code = _value(reference), reference.code is not None
        suggestions = self._suggestions_of(entries)
        if is_code and (several := suggestions.split(value)):
            return f" The cell holds {len(several)} codes, {_listed(several)}; a cell takes one."
        if is_code and (both := suggestions.code_with_name(value)):
            return f" The cell holds the code {both!r} and its name; send the code."
        close = suggestions.close_to(value, is_code=is_code)
        if close is None:
            return " So many unknown values came before that none like it was looked for."
        if not close:
            return ""
        meant = " or ".join(_show(entry, is_code=is_code) for entry in close)
        differ = describe_difference(value, close[0].text) if len(close) == 1 else describe_hidden(value, close[0].text)
        return f" Did you mean {meant}?{differ and ' '}{differ}"

    def _warn_of_name(self, customer: Customer, reference: Reference, why: str) -> None:
        message = f"{reference.name_target} is {reference.name!r}; {why}."
        target, name = reference.name_target, reference.name or ""
        column = self.mapping.column_label(target)
        customer.problem(
            reference.line,
            "name_differs",
            message,
            column=column,
            field=str(target),
            value=name,
            severity="warning",
        )

    def _note(self, customer: Customer, reference: Reference, code: str, message: str, severity: str = "error") -> None:
        target = _target(reference)
        column = self.mapping.column_label(target)
        customer.problem(
            reference.line,
            code,
            message,
            column=column,
            field=str(target),
            value=_value(reference),
            severity=severity,
        )


def _target(reference: Reference) -> Target:
    return reference.name_target if reference.code is None else reference.code_target


def _value(reference: Reference) -> str:
    return (reference.name if reference.code is None else reference.code) or ""


def _own_text(reference: Reference) -> str:
    """What the cell says; of a price type the name alone."""
    return reference.name or "" if reference.currency else _value(reference)


def _listed(texts: list[str]) -> str:
    return f"{', '.join(map(repr, texts[:-1]))} and {texts[-1]!r}" if len(texts) > 1 else repr(texts[0])


def _show(entry: Suggestion, *, is_code: bool) -> str:
    """An entry by what the column takes, with its other name where that is the one that looks like what came."""
    if is_code:
        return repr(entry.code) if entry.is_code else f"{entry.code!r}, which is called {entry.name!r}"
    return f"{entry.name!r}, whose code is {entry.code!r}" if entry.is_code and entry.name else repr(entry.text)
