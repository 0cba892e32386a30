"""Guessing: what a column is whose words say nothing, by its values and by the columns beside it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from imports.onboarding.headers import KINDS, LOCATION_PARTS, NOTHING
from imports.onboarding.profiles import ENOUGH
from imports.onboarding.vocabulary import words_of
from imports.template import FIELDS, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imports.onboarding.blocks import AddressBlocks
    from imports.onboarding.columns import Column
    from imports.onboarding.profiles import Profile
    from imports.onboarding.rows import Customers

UNNAMED = 0.85
"""What an unknown header leaves of the confidence: it may name something that only looks like the field."""
NEAR = 2
"""How many columns away another part of the same address stands."""

KEYS = 0.95
"""The share of codes among the values of a system's key."""
FEWEST_ROWS, LONGEST_MARK = 2, 4
"""How many rows do not tell that all have the same, and how many letters the mark of a record has at most."""


def guess_columns(columns: Sequence[Column], blocks: AddressBlocks, customers: Customers) -> None:
    """Propose fields for the columns that no word says anything about."""
    places = {column.index: place for column in columns if (place := _place(column, customers))}
    _settle_streets(columns, places)
    _settle_states(columns, places)
    for column in columns:
        if column.is_decided or column.profile.is_blank or _is_mark(column, columns):
            continue
        if column.meanings:
            _guess_address_code(column, blocks, customers)
            _guess_address_name(column, blocks, customers)
            continue
        group = (_kind_called_so(column, columns) or blocks.plain_kind or "address") if column.header else "address"
        factor = UNNAMED if column.header else 1.0
        for name, confidence, why in _guess(column, columns, places, customers):
            field = f"{group}_{name}" if f"{group}_{name}" in FIELDS and name not in FIELDS else name
            if field in FIELDS:
                column.propose(Target(field), confidence * factor, why)
    _guess_code(columns, customers)


def _settle_streets(columns: Sequence[Column], places: dict[int, str]) -> None:
    """Of two columns that look like streets side by side, the first is the name where no other can be: "Store No 1"."""
    for first, second in pairwise(columns):
        both = places.get(first.index) == places.get(second.index) == "address_1"
        if (
            not both
            or first.meanings
            or first.profile.uniqueness < 0.7
            or second.profile.fill < first.profile.fill * 0.9
        ):
            continue
        others = [column for column in columns if column.index != first.index and column.index not in places]
        is_city = second.profile.share(lambda cell: cell[:4].isdigit()) > 0.5  # "69001 Lyon"
        if not is_city and not any(_may_be_name(column.profile) for column in others):
            del places[first.index]
        return


def _may_be_name(profile: Profile) -> bool:
    return profile.letters > 0.8 and profile.uniqueness > 0.7 and not profile.emails and not profile.websites


def _settle_states(columns: Sequence[Column], places: dict[int, str]) -> None:
    """A state that all rows have is told from a flag by the postal code beside it."""
    for column in columns:
        profile = column.profile
        beside = {places.get(column.index - 1), places.get(column.index + 1)}
        is_code = profile.states > 0.95 and profile.length == 2
        if column.index not in places and not column.meanings and is_code and "zip" in beside:
            places[column.index] = "state"


def _guess_address_code(column: Column, blocks: AddressBlocks, customers: Customers) -> None:
    """A code that says not whose it is may be the address's, where customers have several of it."""
    best = column.best
    owners = ("", "customer", "address", "shipping")
    says_code = best is not None and best.owner in owners and best.part in ("code", "") and not best.number
    if says_code and customers.has_names and customers.counts_addresses(column):
        group = _kind_called_so(column, blocks.columns) or blocks.plain_kind or "shipping"
        column.propose(Target(f"{group}_code"), 0.75, "customers have several of its values, and none has one twice")


def _guess_address_name(column: Column, blocks: AddressBlocks, customers: Customers) -> None:
    """A second name, of which a customer's rows have several, is the address's."""
    best = column.best
    says_name = best is not None and best.part == "name" and best.owner in ("", "customer") and not best.number
    others = customers.has_names and column is not customers.name and customers.several
    if says_name and others and column.profile.letters > 0.8 and not customers.is_constant(column):
        group = blocks.plain_kind or "shipping"
        column.propose(
            Target(f"{group}_name"), 0.8, "customers have several of its values, and another column names them"
        )


def _kind_called_so(column: Column, columns: Sequence[Column]) -> str:
    """The kind of the address whose parts' headers begin with the same word, "Lev." of "Lev. by"; "" for none."""
    first = words_of(column.header)[:1]
    parts = [best for other in columns if words_of(other.header)[:1] == first and (best := other.best)]
    placed = {best.part for best in parts if best.owner in KINDS and best.part in LOCATION_PARTS}
    kinds = {best.owner for best in parts if best.owner in KINDS}
    return kinds.pop() if first and len(kinds) == 1 and len(placed) > 1 else ""


def _place(column: Column, customers: Customers) -> str:
    """Which part of an address a column is, by its words or else by its values; "" for none."""
    best, profile = column.best, column.profile
    if best is not None:
        return best.part if best.part in ("city", "state", "zip", "country", "address_1") else ""
    if profile.is_blank or profile.dates + profile.emails + profile.terms > 0.5 or customers.goes_on_from_code(column):
        return ""
    if customers.goes_on_from_name(column):
        return "name"
    if _is_mark(column, customers.columns):
        return ""
    if _is_country(profile) or _is_state(profile):
        return "state" if _is_state(profile) else "country"
    if profile.zips > 0.8 and 3.5 < profile.length < 10 and profile.letters < 0.5 and column.index:
        return "zip"
    return "address_1" if profile.streets > 0.6 else ""


def _is_mark(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a column without a header marks what kind of record a row is: before the address, short, alike on all."""
    profile = column.profile
    if column.header or profile.distinct != 1 or profile.rows <= FEWEST_ROWS or profile.length > LONGEST_MARK:
        return False
    return not any(before.profile.streets > ENOUGH for before in columns[: column.index]) and (
        not column.index or any(behind.profile.streets > ENOUGH for behind in columns[column.index :])
    )


def _is_state(profile: Profile) -> bool:
    """A state is one of several; a single letter, or a word that all rows have, is a flag."""
    return profile.states > 0.8 and 1.5 < profile.length < 4 and profile.distinct > 2 and profile.countries < 0.95


def _is_country(profile: Profile) -> bool:
    return profile.countries > 0.9 and profile.length > 1.5


def _is_currency(profile: Profile) -> bool:
    return profile.currencies > 0.95 and profile.length < 4 and profile.distinct <= 12


def _guess(
    column: Column, columns: Sequence[Column], places: dict[int, str], customers: Customers
) -> Iterator[tuple[str, float, str]]:
    """The fields that a column may be: name or part of an address, confidence, reason."""
    profile = column.profile
    near = {places.get(column.index + step, "") for step in range(-NEAR, NEAR + 1) if step}
    if column.kinds:
        yield "address_type", 0.75, "one of its values stands on one row of each customer, as billing addresses do"
    elif profile.emails > 0.9:
        yield "buyer_email", 0.8, "its values are e-mail addresses"
    elif profile.websites > 0.9:
        yield "website", 0.75, "its values are web addresses"
    elif profile.tax_numbers > 0.8:
        return
    elif _is_second_line(column, places):
        yield "address_2", 0.6, "it follows the street, and is often blank"
    elif customers.goes_on_from_code(column):
        yield "code", 0.75, "its values begin with the customer's code"
    elif places.get(column.index) == "name":
        yield "name", 0.7, "its values begin with the customer's name, and differ by address"
    elif profile.dates > 0.5 or profile.decimals > 0.5:
        return
    elif _is_currency(profile):
        yield "price_type_currency", 0.75, "its values are currencies"
    elif places.get(column.index) == "country":
        yield "country", 0.75 if near & {"city", "state", "zip", "address_1"} else 0.6, "its values are countries"
        if profile.states > 0.9 and profile.distinct > 2:
            yield "state", 0.5, "its values are states or provinces"
    elif places.get(column.index) == "state":
        yield "state", 0.75 if near & {"city", "zip", "country"} else 0.55, "its values are states or provinces"
    elif profile.terms > 0.7:
        yield "payment_terms", 0.6, "its values read like terms of payment"
    elif profile.days > 0.9 and profile.distinct <= 8 and profile.filled > profile.distinct:
        yield "payment_terms_code", 0.55, "its values are numbers of days, and repeat"
    elif profile.phones > 0.7 and profile.length > 8:
        yield "phone", 0.7, "its values look like phone numbers"
    elif places.get(column.index) == "zip":
        yield "zip", 0.75 if near & {"city", "state", "country"} else 0.55, "its values look like postal codes"
    elif places.get(column.index) == "address_1":
        yield "address_1", 0.75 if near else 0.6, "its values look like streets"
    elif customers.counts_addresses(column):
        yield "code", 0.6, "customers have several of its values, and none has one twice"
    elif profile.letters > 0.8 and profile.fill > 0.1:
        yield from _guess_words(column, columns, places, customers)


def _is_second_line(column: Column, places: dict[int, str]) -> bool:
    """Whether the column may go on with the street before it: texts, which few addresses need."""
    profile = column.profile
    follows = places.get(column.index - 1) == "address_1" and places.get(column.index) in (None, "address_1")
    return follows and 0 < profile.fill < 0.8 and profile.letters + profile.streets > 0.7 and profile.length > 3


def _guess_words(
    column: Column, columns: Sequence[Column], places: dict[int, str], customers: Customers
) -> Iterator[tuple[str, float, str]]:
    """A column of words is a city beside the postal code, the customer's name before the street, or a list's entry."""
    profile = column.profile
    many_words = profile.share(lambda cell: " " in cell)
    varied = profile.uniqueness if customers.code is None else profile.distinct / max(1, len(customers.rows))
    beside = [places.get(column.index + step, "") for step in (-1, 1)]
    before = columns[column.index - 1] if column.index else None
    is_word = profile.distinct <= 6 and profile.distinct < profile.filled and profile.length > 1.5
    if before is not None and is_word and profile.booleans < 0.9 and _is_currency(before.profile):
        yield "price_type_name", 0.55, "it follows the currency, and few values repeat"
    if profile.length <= 2:
        return
    if {"zip", "state"} & set(beside) and many_words < 0.7:
        yield "city", 0.75, "its values read like places, and the postal code or the state is beside it"
    elif "address_1" in beside and places.get(column.index + 2) == "zip" and many_words < 0.7:
        yield "city", 0.6, "its values read like places, between the street and the postal code"
    elif "country" in beside and many_words < 0.5:
        yield "city", 0.6, "its values read like places"
    elif varied > 0.4 and many_words < 0.5 and profile.distinct > 3:
        yield "city", 0.45, "its values read like places"
    street = min((index for index, part in places.items() if part == "address_1"), default=len(columns))
    if varied > 0.7 and column.index < street and _is_first_words(column, columns):
        yield "profile_name", 0.75, "its values read like names, each its own, and the address follows"
    elif varied > 0.85 and many_words > 0.5:
        yield "profile_name", 0.5, "its values read like names, each its own"
    if profile.persons > 0.8 and many_words > 0.9 and column.index > street:
        yield "buyer_name", 0.55, "its values read like persons"


def _is_first_words(column: Column, columns: Sequence[Column]) -> bool:
    """Whether no column before it is of words that differ by row."""
    return not any(
        other.profile.letters > 0.8 and other.profile.distinct > column.profile.distinct / 2
        for other in columns[: column.index]
    )


def _guess_code(columns: Sequence[Column], customers: Customers) -> None:
    """A customer's code for files that call it nothing we know."""
    if customers.code is not None:
        best = customers.code.best
        named = any(
            column.best
            and column.best[:2] == ("customer", "code")
            and (column.profile.uniqueness < 0.9 or not customers.has_names)
            for column in columns
        )
        if not named and (best is None or best.part in ("code", "")):
            customers.code.propose(Target("customer_code"), 0.85, "it repeats on several rows, with one name each")
            for target in [target for target in customers.code.candidates if target.name.endswith("ing_code")]:
                del customers.code.candidates[target]
            for column in columns:
                if column is not customers.code and Target("customer_code") in column.candidates:
                    column.candidates[Target("customer_code")].confidence *= 0.5  # another one on each row
    candidates = []
    for column in columns:
        profile, best = column.profile, column.best
        if profile.fill < 0.99 or profile.emails or profile.dates > 0.5 or profile.decimals > 0.5 or profile.is_counter:
            continue
        if profile.length > 25 or profile.codes < 0.9 or (profile.phones > 0.5 and profile.length > 9):
            continue
        named_code = best is not None and (best.part == "code" or column.header.casefold().endswith("id"))
        if best is not None and (
            not named_code or best.owner not in ("", "customer", "company_number") or NOTHING in (best.part, best.owner)
        ):
            continue
        if profile.uniqueness > 0.2 and not customers.goes_on_from_code(column):
            candidates.append(column)
    for column in candidates:
        is_first = all(other.profile.distinct < 2 for other in columns[: column.index])
        confidence = 0.75 if is_first else 0.65 if len(candidates) == 1 else 0.45
        less = 0.1 if column.profile.uniqueness < 0.5 else 0
        column.propose(Target("customer_code"), confidence - less, "its values are codes, filled on every row")
    if not any(Target("customer_code") in column.candidates for column in columns):
        _guess_key(columns)


def _guess_key(columns: Sequence[Column]) -> None:
    """A key of the system, "external_id", rather than a name that people change, where no column has a code."""
    for column in columns:
        profile, best = column.profile, column.best
        is_named = best is not None and best.part == NOTHING and words_of(column.header)[-1:] in (("id",), ("key",))
        if is_named and profile.fill == profile.uniqueness == 1 and profile.codes > KEYS and not profile.is_counter:
            column.propose(
                Target("customer_code"), 0.55, "no column has the customer's code, and it differs on every row"
            )
            return
