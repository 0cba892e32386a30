"""Withhold: what a file wants of values that people keep (see `connections.history.keeping`), which stay as they are.

What is stored stands before any rule is judged, and of a kept entry or list nothing is looked up or created. A customer
that is accepted is told what it did not get, as issues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connections.history.states import as_text
from imports.files.blocks import CLEAR, KEEP
from imports.formats.policies import AssignmentMode
from imports.pipeline.owning import KEPT, entry_target
from imports.template import Group, Target
from lookups.directory import GONE, price_type_code

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from connections.stored import Kept
    from imports.files.customers import Customer, Given
    from imports.files.mapping import CustomerMapping
    from lookups.directory import LookupDirectory

Place = tuple[Target, int]
"""A field and the line that says it."""


class Wish(NamedTuple):
    """A value that somebody keeps, and what the file says instead; what is blank is ""."""

    target: Target
    line: int
    wanted: str
    stands: str
    kept: Kept


class Withheld:
    """What the rows of one customer after the other do not get."""

    def __init__(self, mapping: CustomerMapping, directory: LookupDirectory) -> None:
        self.mapping = mapping
        self.directory = directory
        self.wishes: list[Wish] = []

    def note(self, customer: Customer) -> None:
        """One issue for each value that the customer's rows would have changed."""
        for target, line, wanted, stands, kept in self.wishes:
            says = f"says {wanted!r}" if wanted else "wants it blank"
            stays = repr(stands) if stands else "blank"
            message = f"{target} stays {stays}: {_say(kept)}, and this file {says}."
            column = self.mapping.column_label(target)
            customer.problem(line, KEPT, message, column=column, field=str(target), value=wanted, severity="info")

    def values(
        self,
        kept: Mapping[str, Kept],
        names: Iterable[str],
        result: Sequence[Any],
        stored: Sequence[Any],
        place_of: Callable[[str], Place],
    ) -> list[Any]:
        """What stands of a record's values, in the order of names, once those that are kept stay as stored."""
        return [
            self.value(kept[name], now, old, place_of(name)) if name in kept and now != old else now
            for name, now, old in zip(names, result, stored, strict=True)
        ]

    def value(self, kept: Kept, wanted: Any, stored: Any, place: Place) -> Any:
        """The stored value, which the file wanted to be another one."""
        self.wishes.append(Wish(*place, as_text(wanted) or "", as_text(stored) or "", kept))
        return stored

    def entry(
        self, kept: Kept, list_name: str, code: str | None, name: str | None, stored: int | None, place: Place
    ) -> None:
        """Note that a file names another entry than the stored one, by its code or else by its name, or none."""
        stands = GONE if stored is None else self.directory.entry(list_name, stored)
        meant = [code] if code is not None else self.directory[list_name].codes_named(name) if name else [""]
        if meant != [stands.code]:
            shown = stands.name if name and code is None else stands.code
            self.wishes.append(Wish(*place, code or name or "", shown, kept))

    def entries(self, kept: Kept, kind: Group, customer: Customer, stored: Collection[int], *, clears: bool) -> None:
        """Note that a file gives other entries than the stored ones, or takes some away; `clears` where blanks do."""
        wanted: dict[str, Place] = {}
        named = False
        for given in customer.assignments.get(kind, {}).values():
            clears, named = clears or CLEAR in given.values.values(), named or KEEP in given.values.values()
            if text := _text_of(kind, given):
                wanted.setdefault(text, (entry_target(self.mapping, kind, given.number), given.line))
        stand = {self.directory.entry(kind, lookup).code for lookup in stored}
        codes = {code for text in wanted for code in self._codes_meant(kind, text)}
        adds = self.mapping.spec.policies.assignments.get(kind) is AssignmentMode.ADD
        is_kept = codes <= stand if adds else codes == stand
        if not is_kept if wanted else clears and stand and not named:
            place = next(iter(wanted.values()), (entry_target(self.mapping, kind, 1), customer.line))
            self.wishes.append(Wish(*place, ", ".join(wanted), ", ".join(sorted(stand)), kept))

    def _codes_meant(self, kind: Group, text: str) -> Collection[str]:
        entries = self.directory[kind]
        return [text] if text in entries.ids else entries.codes_named(text) or [text]


def say_kept(kept: Mapping[str, Kept], *names: str) -> str:
    """Who keeps which of these fields, where that may be why a rule is broken; blank where nobody does."""
    said = [f"{name}: {_say(kept[name])}" for name in names if name in kept]
    return f" ({'; '.join(said)})" if said else ""


def _say(kept: Kept) -> str:
    return f"{kept.by or 'somebody'} keeps it since {kept.at:%Y-%m-%d}"


def _text_of(kind: Group, given: Given) -> str:
    """How a row names an entry: its code or else its name; of a price type both of its parts."""
    values = {part: str(value) for part, value in given.values.items() if value not in (KEEP, CLEAR)}
    if kind is Group.PRICE_TYPES and values:
        return price_type_code(values.get("currency", ""), values.get("name", "")).strip()
    return values.get("code") or values.get("name") or ""
