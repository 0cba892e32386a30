"""Doubt: what a customer may have by the rules, but seems to be something else than it should → warnings.

Only what is new or differs is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from connections.nothing import ELSEWHERE, NO_PLACE, NOT_YET, ZEROS
from connections.rules import country_names
from connections.stored import ADDRESS_FIELDS, NO_ADDRESS, NO_CONNECTION
from imports.files.totals import UNCHANGED, find_change
from imports.formats.fillers import is_nobodys_email, may_be_filler, unfilled
from imports.formats.mangling import NOT_MISSPELT, UNPRINTED, find_misspelt_figure, has_lost_letters, is_printed
from imports.formats.marked_names import UNMARKED, find_mark, may_say_gone
from imports.formats.postal_codes import find_other_country, has_form
from imports.formats.postal_doubts import doubt_postal_code
from imports.formats.states import find_state_meant, is_no_state
from lookups.validators import lower_ascii

if TYPE_CHECKING:
    from connections.stored import AddressValues
    from imports.files.mapping import CustomerMapping
    from imports.pipeline.judging import JudgedRecord, Verdict
    from imports.template import Target

PLACES = ("address_1", "address_2", "city", "state", "zip")
"""Parts of an address in which words may stand for what nobody knows yet."""
_NOT_KNOWN = NOT_YET | ZEROS
"""What stands there then."""
_NO_ENDING = re.compile(r"https?://www\.[^./:?#]*(?:[/:?#]|$)", re.IGNORECASE)
"""How a website begins of whose host the ending is missing: www.oak."""
_NAMES = ("profile_name", "customer_alias", "alternate_name")
_TEXTS = ("name", "address_1", "address_2", "city")
"""Parts of an address that people write in words."""
_FIGURES = ("zip", "phone")
_NAME = ADDRESS_FIELDS.index("name")
_names_of = attrgetter(*_NAMES)
_USUAL_NAMES = re.compile("\n".join([UNMARKED] * len(_NAMES)))
_USUAL_PARTS = {
    **dict.fromkeys(_TEXTS, UNPRINTED), "name": UNMARKED, **{part: unfilled(part) + NOT_MISSPELT for part in _FIGURES},
}  # fmt: skip
_USUAL = re.compile("\n".join([UNCHANGED, *(_USUAL_PARTS.get(part, ".*") for part in ADDRESS_FIELDS)]))
"""An address: its code and its parts, each in a line."""


def is_usual(code: str, values: AddressValues) -> bool:
    """Whether one look at an address says that nothing is doubtful of its code, its texts and figures, as of most; but
    for a name that says that the customer is gone.
    """
    return _USUAL.fullmatch("\n".join((code, *values))) is not None


@dataclass(frozen=True, slots=True)
class Doubts:
    """What is doubtful of one customer, said as warnings of its fields."""

    verdict: Verdict
    mapping: CustomerMapping

    def warn(self) -> None:
        verdict = self.verdict
        before = verdict.stored.values if verdict.stored else NO_CONNECTION
        own_names = "\n".join(_names_of(verdict.values))
        names = "\n".join([own_names, *[record.values[_NAME] for record in verdict.addresses]])
        may_be_gone = may_say_gone(names)
        if verdict.stored or may_be_gone or not _USUAL_NAMES.fullmatch(own_names):
            for name in _NAMES:
                value, old = getattr(verdict.values, name), getattr(before, name)
                if value and value != old:
                    for code, why in doubts_of_text(value, old, is_name=True):
                        self._say(verdict.customer.own_place(name), value, code, why)
        site = verdict.values.website
        if site and site != before.website and _NO_ENDING.match(site):
            why = "has no ending, such as .com, behind the name of its host. Send the whole address."
            self._say(verdict.customer.own_place("website"), site, "mangled_value", why)
        for record in verdict.addresses:
            self._doubt_address(record, may_be_gone)
        for record in verdict.buyers:
            if record.id is None and is_nobodys_email(email := record.key[0]):
                merged = verdict.customer.buyers[lower_ascii(email)]
                self._say(merged.place_of("email"), email, "placeholder", NOBODYS)

    def _doubt_address(self, record: JudgedRecord, may_be_gone: bool) -> None:
        customer, stored = self.verdict.customer, self.verdict.stored
        kind, key = record.key
        old = stored.addresses.get((kind, key)) if stored else None
        values, before = cast("AddressValues", record.values), old.values if old else NO_ADDRESS
        merged = customer.addresses[kind, key]
        seems_usual = not may_be_gone and is_usual(key, values)
        if old is None and not seems_usual and (doubt := find_change(key)):
            self._say(merged.place_of("code"), key, "mangled_value", f"{doubt.what}. {doubt.remedy}")
        for part, code, why in doubts_of(values, seems_usual=seems_usual):
            is_refused = str(merged.target(part)) in customer.errors
            if not is_refused and (value := getattr(values, part)) != getattr(before, part):
                self._say(merged.place_of(part), value, code, why)
        if seems_usual and old is None:
            return
        moves = old is not None and values.country != before.country
        if moves and values.state and values.state == before.state and "state" not in merged.values:
            why = (
                f"stays, though the country changes from {before.country} to {values.country}. Send it too; where "
                "there is none any more, clear it on the customer's page, or by the clear token of a format."
            )
            self._say((merged.target("state"), merged.line_of("country")), values.state, "stale_value", why)
        for part in _TEXTS:
            value, was = getattr(values, part), getattr(before, part)
            if value and value != was:
                for code, why in doubts_of_text(value, was, is_name=part == "name"):
                    self._say(merged.place_of(part), value, code, why)

    def _say(self, place: tuple[Target, int], value: str, code: str, why: str) -> None:
        target, line = place
        column = self.mapping.column_label(target)
        message = f"{target} {value!r} {why}"
        self.verdict.customer.problem(
            line, code, message, column=column, field=str(target), value=value, severity="warning"
        )


def doubts_of_text(text: str, before: str, *, is_name: bool) -> list[tuple[str, str]]:
    """What is doubtful of a text that people write: the code of an issue, and why and what to do."""
    found = []
    if is_name and (mark := find_mark(text)):
        found.append(("marked_name", _say_marked(mark)))
    if before and has_lost_letters(text, before):
        found.append(("lost_character", f"was {before!r}, and seems to have lost letters. {_AS_AGREED}"))
    if is_printed(text):
        found.append(("mangled_value", _PRINTED))
    return found


def _say_marked(mark: str) -> str:
    return (
        f"says {mark!r}, by which people mark customers that are gone or not to be used; it is taken like any other. "
        "Leave out rows of such customers, or reject the customer in review."
    )


NOBODYS = "seems to be nobody's address; it is kept. Leave such cells blank."
POINTS = "points to another cell; it is kept as it is. Send the value itself, or leave the cell blank."
_AS_AGREED = "Send it in the agreed encoding."
_PRINTED = "is written as programs print values for those who write them. Send the text alone."
UNKNOWN = "seems to stand for what nobody knows yet; it is kept. Leave such cells blank."


def doubts_of(values: AddressValues, *, seems_usual: bool) -> list[tuple[str, str, str]]:
    """Parts of an address that are doubtful, each with the code of an issue, and why and what to do."""
    country, found = values.country, []
    is_sound = has_form(values.zip, country)
    if meant := find_state_meant(country, values.state, values.zip):
        why = (
            f"is {country_names()[country]}, but state and postal code are of {meant} in the United States. Send US if "
            "that is meant, and the state in its own column."
        )
        found.append(("country", "doubtful_country", why))
    elif not is_sound and (other := find_other_country(values.zip, country)):
        why = f"does not go with the postal code {values.zip!r}, which is of {other}. Send the country of the address."
        found.append(("country", "doubtful_country", why))
    elif not is_sound and values.zip and (why := doubt_postal_code(values.zip, country)):
        found.append(("zip", "mangled_value", why))
    if values.city.isdecimal() and values.city not in ZEROS:
        found.append(("city", "mangled_value", "holds no letter, and so no city. Send the city in its own column."))
    if is_no_state(values.state, country) and values.state not in _NOT_KNOWN:
        found.append(
            ("state", "unknown_state", f"is no state of {country}. Send its code or name, {_EXAMPLES[country]}.")
        )
    if not NO_PLACE.isdisjoint(values):
        found += [(part, "placeholder", UNKNOWN) for part in PLACES if getattr(values, part) in _NOT_KNOWN]
        found += [(part, "placeholder", POINTS) for part in PLACES if getattr(values, part) in ELSEWHERE]
    for part, figure in () if seems_usual else (("zip", values.zip), ("phone", values.phone)):
        if figure and (may_be_filler(figure) or (part == "phone" and figure in ZEROS)):
            found.append((part, "placeholder", UNKNOWN))
        elif figure and (why := find_misspelt_figure(figure, part == "phone")):
            found.append((part, "mangled_value", why))
    if values.email and is_nobodys_email(values.email):
        found.append(("email", "placeholder", NOBODYS))
    return found


_EXAMPLES = {
    "US": "such as NY or New York",
    "CA": "such as ON or Ontario",
    "AU": "such as NSW or New South Wales",
    "JP": "such as 13 or Tokyo",
}
