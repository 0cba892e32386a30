"""Matching: each column → the template fields it may be, with a confidence and its evidence.

The header says whose the column is and what of it; the values confirm or contradict; what stands around it says which
address a bare "City" belongs to.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from imports.onboarding import vocabulary
from imports.onboarding.blocks import ADDRESS_PARTS, AddressBlocks
from imports.onboarding.columns import is_address_type
from imports.onboarding.corrections import prepare_decided, prepare_learned, settle_decided, settle_learned
from imports.onboarding.entries import recognise_entries
from imports.onboarding.fitting import fits, weigh
from imports.onboarding.guessing import guess_columns
from imports.onboarding.headers import KINDS, LOCATION_PARTS, NOTHING
from imports.onboarding.profiles import ENOUGH
from imports.onboarding.rows import Customers
from imports.onboarding.settling import settle_meanings
from imports.template import FIELDS, Target, find_target

if TYPE_CHECKING:
    from imports.onboarding.columns import Column
    from imports.onboarding.corrections import Corrections
    from imports.onboarding.entries import Entries
    from imports.onboarding.headers import Meaning


def match_columns(columns: list[Column], corrections: Corrections, entries: Entries) -> None:
    """Propose fields for every column, around what is decided and by what was learned.

    Raises FormatError for a decision about a column that is not there.
    """
    decided = corrections.find_columns(columns)
    prepare_decided(columns, decided)
    learned = corrections.find_learned(columns)
    prepare_learned(columns, learned)
    settle_meanings(columns)
    customers = Customers(columns)
    blocks = AddressBlocks(columns, customers)
    for column in columns:
        if column.is_decided:
            continue
        target = find_target(column.header) if column.header and not column.named_by_system else None
        if target is not None and blocks.agrees(column, target):
            confidence = max(0.95, weigh(column.profile, target, 0.99))
            column.propose(target, confidence, f"{column.header!r} is the field's own name")
            continue
        for meaning in column.meanings:
            _propose_meaning(column, meaning, blocks)
    guess_columns(columns, blocks, customers)
    recognise_entries(columns, entries)
    settle_learned(columns, learned)
    settle_decided(columns, decided)


@cache
def fields_by_meaning() -> dict[tuple[str, str], str]:
    """The field that an owner and a part make."""
    return {
        (owner, part): name
        for name, meanings in vocabulary.load("fields").items()
        for owner, _, part in (meaning.partition(".") for meaning in meanings)
    }


ASSUMED = 0.85
"""As sure as a column can be of an address whose kind no header says."""
SECOND_NAMES = {
    "name": ("alternate_name",),
    "alias": ("alternate_name",),
    "alternate_name": ("customer_alias",),
}
"""By what a header says, what else a name may be where another column is better."""

_CODE_OR_NAME = {
    "warehouse": ("warehouse_code", "warehouse_name"),
    "customer_group": ("customer_group_code", "customer_group_name"),
    "company_number": ("company_number_code", "company_number_name"),
    "payment_terms": ("payment_terms_code", "payment_terms"),
    "customer": ("customer_code", "profile_name"),
}


def _propose_meaning(column: Column, meaning: Meaning, blocks: AddressBlocks) -> None:
    """Propose the fields that a header's meaning stands for, weighed by the values."""
    profile = column.profile
    if is_address_type(column) and meaning.part in ("type", "address_type", NOTHING):
        column.propose(Target("address_type"), 0.93, meaning.why, "its values are the kinds of address")
        return
    if column.best is not None and NOTHING in (column.best.part, column.best.owner):
        column.known_as_nothing = column.known_as_nothing or "known, but no field of the template holds it"
        return
    if NOTHING in (meaning.part, meaning.owner):
        return
    if meaning.part in ("zip", "city") and profile.zips_and_cities > ENOUGH:
        column.known_as_nothing = "its values are postal codes and cities in one, which no field takes"
        return
    score = meaning.score
    if meaning.owner in KINDS or (meaning.owner in ("", "address") and meaning.part in ADDRESS_PARTS):
        for target, factor, why in blocks.targets(column, meaning) if _is_place(meaning) else ():
            confidence = weigh(profile, target, score * factor)
            if column.index in blocks.assumed:
                confidence = min(confidence, ASSUMED)
            column.propose(target, confidence, meaning.why, why, fits(profile, target)[1])
    if (meaning.owner, meaning.part) == ("shipping", "code") and profile.carriers > 0.5:
        _propose_field(column, meaning, "shipping_terms", 1, score)
        column.candidates.pop(Target("shipping_code"), None)
        return
    if meaning.owner in ("", "customer") and profile.letters > 0.8 and profile.uniqueness > 0.5:
        for name in SECOND_NAMES.get(meaning.part, ()):
            column.propose(Target(name), 0.45 * score, meaning.why, "another column may be the customer's name")
    number = meaning.number if meaning.number else 1
    if meaning.owner in _CODE_OR_NAME and meaning.part in ("", "code", "name"):
        _propose_code_or_name(column, meaning, number)
        return
    field_name = fields_by_meaning().get((meaning.owner, meaning.part))
    if field_name == "sales_rep_code" and profile.persons > 0.7 and profile.codes < 0.5:
        score *= 0.45
    if field_name == "customer_code" and meaning.owner == "" and blocks.follows_street(column):
        column.known_as_nothing = "a number right behind the street is the house's"
        return
    if field_name is not None:
        vague = 0.75 if (meaning.owner, meaning.part) == ("", "code") else 1
        _propose_field(column, meaning, field_name, number, score * vague)
    _propose_besides(column, meaning, number)


def _propose_code_or_name(column: Column, meaning: Meaning, number: int) -> None:
    """Of an entry or a customer that the header names: its code or its name, as the values look."""
    profile, score = column.profile, meaning.score
    looks_like_code = profile.codes > 0.8 and profile.terms < 0.5 and profile.length < 12
    if meaning.owner == "customer" and not meaning.part:
        looks_like_code = profile.codes > 0.8  # a customer's code may be long
    for name, is_code in zip(_CODE_OR_NAME[meaning.owner], (True, False), strict=True):
        right = looks_like_code == is_code
        explicit = meaning.part == ("code" if is_code else "name")
        factor = (1.0 if right else 0.8) if explicit else (0.93 if right else 0.3)
        if explicit and not right and len(column.meanings) > 1:
            factor = 0.4
        if not explicit and meaning.part:
            factor = 0.7 if right else 0
        if meaning.owner == "customer" and explicit:
            factor = 0.95 if column.header.casefold().endswith("id") else 1.0  # rather a system's own key
        _propose_field(column, meaning, name, number, score * factor)


def _propose_besides(column: Column, meaning: Meaning, number: int) -> None:
    """What an e-mail or an address's name may be where no other column is."""
    profile, score = column.profile, meaning.score
    if meaning.owner in ("", "customer", "address") and meaning.part == "email":
        column.propose(
            Target("buyer_email", number),
            weigh(profile, Target("buyer_email"), score),
            meaning.why,
            fits(profile, Target("buyer_email"))[1],
        )
    if meaning.owner == "billing" and meaning.part == "email":
        column.propose(Target("buyer_email"), weigh(profile, Target("buyer_email"), score * 0.6), meaning.why)
    if meaning.owner in (*KINDS, "address") and meaning.part == "name":
        column.propose(Target("profile_name"), weigh(profile, Target("profile_name"), 0.6), meaning.why)


def _is_place(meaning: Meaning) -> bool:
    if meaning.owner in KINDS:
        return meaning.part in ADDRESS_PARTS or not meaning.part
    return meaning.part in (*LOCATION_PARTS, "phone", "email") or (
        meaning.owner == "address" and meaning.part in ADDRESS_PARTS
    )


def _propose_field(column: Column, meaning: Meaning, name: str, number: int, score: float) -> None:
    target = Target(name, number if FIELDS[name].repeats else 1)
    if score > 0:
        column.propose(target, weigh(column.profile, target, score), meaning.why, fits(column.profile, target)[1])
