"""Pairing: a code and, right behind it, the name of what it stands for, also where all pairs have the same headers."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from imports.onboarding.headers import ANY_PART, Meaning
from imports.onboarding.lexicon import GUESS, lexicon
from imports.onboarding.vocabulary import words_of
from imports.template import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.onboarding.columns import Column
    from imports.onboarding.profiles import Profile

OWN = ("", "customer")
LISTS = ("customer_group", "company_number", "payment_terms", "shipping_terms", "warehouse", "sales_rep", "price_type")
"""Whose entries have a code and a name."""
ENOUGH, REPEATS = 0.5, 0.8
"""The share of the values that say whose they are, and of different values below which they repeat."""
BEHIND, BY_VALUES, UNKNOWN = 0.9, 0.8, 0.45
"""How sure a pair is behind a code whose owner is known, one whose values say it, and one that only may be a group."""


def settle_pairs(columns: Sequence[Column]) -> None:
    """Give names the owner of the code before them: "Depot;Name;Terms;Name", "Code;Name;Code;Name"."""
    headers = Counter(normalize(column.header) for column in columns)
    customer_is_named = False
    for code, name in pairwise(columns):
        first, second = code.best, name.best
        if first is None or second is None or name.is_decided or code.is_decided:
            continue
        if first.owner == "sales_rep" and second[:2] == ("contact", "name") and _share_word(code, name):
            name.meanings = (second._replace(owner="sales_rep"),)
        is_bare = second.part == "name" and not second.number and (second.owner == "" or second.score <= GUESS)
        if not is_bare or not _goes_with(code.profile, name.profile):
            continue
        is_doubled = headers[normalize(name.header)] > 1
        if first.owner in LISTS and first.part in ("", *ANY_PART) and (is_doubled or code.profile.uniqueness < REPEATS):
            why = f"it stands behind {code.header!r}, and goes with it"
            code.meanings = (first._replace(part="code"), *code.meanings[1:])
            name.meanings = (Meaning(first.owner, "name", first.number, BEHIND, why),)
        elif is_doubled and headers[normalize(code.header)] > 1 and first.part == "code" and first.owner in OWN:
            if not customer_is_named and code.profile.uniqueness >= REPEATS:
                customer_is_named = True
                _name(code, name, "customer", BY_VALUES)
            else:
                owner = _owner_by_values(name.profile)
                _name(code, name, owner or "customer_group", BY_VALUES if owner else UNKNOWN)


def _share_word(code: Column, name: Column) -> bool:
    """Whether both headers begin with the same word, as the code and the name of one person: 担当者コード, 担当者名."""
    first, second = words_of(code.header), words_of(name.header)
    return len(first) > 1 and first[0] == second[0]


def _name(code: Column, name: Column, owner: str, score: float) -> None:
    why = f"{code.header!r} and {name.header!r} stand side by side several times, and the values say {owner}"
    code.meanings = (Meaning(owner, "code", None, score, why),)
    name.meanings = (Meaning(owner, "name", None, score, why),)


def _goes_with(code: Profile, name: Profile) -> bool:
    """Whether every code has one name, and as many names are different as codes."""
    pairs = {pair for pair in zip(code.cells, name.cells, strict=True) if all(pair)}
    is_text = name.letters > ENOUGH
    return bool(pairs) and is_text and len(pairs) == code.distinct and name.distinct > code.distinct * ENOUGH


def _owner_by_values(profile: Profile) -> str:
    """Whose names the values are: terms of payment, ways of shipping or warehouses; "" where they do not say."""
    owners = lexicon().owners
    shares = {
        "payment_terms": profile.terms,
        "shipping_terms": profile.carriers,
        "warehouse": profile.share(lambda cell: any("warehouse" in owners.get(word, ()) for word in words_of(cell))),
    }
    owner = max(shares, key=lambda name: shares[name])
    return owner if shares[owner] > ENOUGH else ""
