"""Settling: which of the meanings of a header is meant, by its values and by the columns around it."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from imports.onboarding.blocks import ADDRESS_PARTS
from imports.onboarding.headers import ANY_PART, KINDS, LOCATION_PARTS, NOTHING, Meaning, by_score
from imports.onboarding.lexicon import GUESS
from imports.onboarding.naming import settle_names
from imports.onboarding.pairing import settle_pairs
from imports.onboarding.profiles import ENOUGH
from imports.onboarding.vocabulary import words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from imports.onboarding.columns import Column

SECOND_LINES = {"address_2": "address_1", "alternate_name": "name"}
"""The part that comes before a second line."""
FEWEST_PLACES = 3
"""How many parts of an address a word must stand before to be an address's, whatever else it may mean."""
MANY, REPEATED = 8, 0.3
"""From how many values on, and below which share of different ones, they are entries of a list."""
FURTHER = 3
"""The first line of an address that no field holds as such."""
_NUMBERED = re.compile(r"(.*\D)(\d)")
_PLACES = ("city", "state", "zip", "country")
AS_A_WHOLE = 0.95
"""The least score of a header that is known as it stands, not by one of its words."""
FOLLOWING = 0.85
"""The score of a guessed second line behind its first."""
FIRST_LINES, LAST_LINE = 0.85, 0.4
"""The scores of a name, a street and what follows them in numbered lines; a last line is often the city's."""


def settle_meanings(columns: list[Column]) -> None:
    """Put the meaning of every column first that its surroundings speak for."""
    for column in columns:
        _choose_by_values(column)
    _settle_places_of_lists(columns)
    _settle_second_lines(columns)
    settle_pairs(columns)
    settle_names(columns)
    _settle_streets_of_lines(columns)
    _settle_numbers(columns)
    _settle_guesses(columns)
    _settle_suburbs(columns)
    _settle_further_lines(columns)
    _settle_lines(columns)


def _choose_by_values(column: Column) -> None:
    """Put the meaning first that the values speak for, where a header's words can mean several."""
    profile = column.profile
    if column.says_both_kinds:
        column.meanings = (Meaning("", "address_type", None, AS_A_WHOLE, "its header and its values name both kinds"),)
        return
    countries = any(meaning.part == "country" for meaning in column.meanings)
    repeats = profile.filled >= MANY and profile.uniqueness < REPEATED
    is_either = {"shipping", "warehouse"} <= {meaning.owner for meaning in column.meanings}
    tests: dict[str, Callable[[], float]] = {
        "email": lambda: profile.emails,
        "country": lambda: profile.countries if profile.filled else 1,
        "website": lambda: profile.websites,
        "phone": lambda: profile.phones,
        "zip": lambda: profile.zips,
        "currency": lambda: profile.currencies,
        "address_type": lambda: profile.address_kinds,
    }
    weighed = []
    for meaning in column.meanings:
        score = meaning.score
        doubtful = len(column.meanings) > 1 and not profile.is_blank
        if doubtful and meaning.part in tests and tests[meaning.part]() < 0.3:
            score *= 0.6
        is_word = meaning.part == NOTHING and meaning.score < AS_A_WHOLE
        if doubtful and is_word and any(tests[other.part]() > 0.9 for other in column.meanings if other.part in tests):
            score *= 0.9  # "Mobile / Tel."
        if (
            doubtful
            and is_word
            and profile.streets > 0.9
            and any(other.part == "address_1" for other in column.meanings)
        ):
            score *= 0.9  # "Straße/Hausnr."
        if doubtful and meaning[:2] == ("customer", "name") and profile.letters < 0.2 and profile.codes > 0.8:
            score *= 0.6  # a "Store" may be its name or its number
        if doubtful and meaning.part in ("city", "state") and profile.streets > ENOUGH:
            score *= 0.6
        if doubtful and is_either and meaning.owner == ("shipping" if repeats else "warehouse"):
            score *= 0.6  # a "magasin" is where many are sent from, or where one is sent to
        if doubtful and meaning.part == "address_1" and profile.states > 0.8 and profile.length < 4:
            score *= 0.6  # "St" is a street or a state
        if doubtful and meaning.part == "address_1" and profile.streets < 0.1 and profile.letters > 0.9:
            score *= 0.9  # "Postadress" is a street or a city
        if (
            meaning.part == "state"
            and profile.countries > 0.9
            and (countries or (profile.length > 3 and profile.states < ENOUGH))
        ):
            score *= 0.8
        weighed.append(meaning._replace(score=score))
    column.meanings = tuple(sorted(weighed, key=by_score))


def _settle_places_of_lists(columns: list[Column]) -> None:
    """A "Location" with a street, a city and a postal code is no warehouse: it is where goods go."""
    owner = "warehouse"
    parts: dict[str, set[str]] = defaultdict(set)
    for column in columns:
        if (best := column.best) and best.owner == owner and best.part in LOCATION_PARTS:
            parts[words_of(column.header)[0]].add(best.part)
    names = {word for word, of_word in parts.items() if len(of_word) >= FEWEST_PLACES}
    for column in columns:
        if not column.header or column.is_decided or names.isdisjoint(words_of(column.header)[:1]):
            continue
        said = [meaning for meaning in column.meanings if meaning.owner == owner]
        if said and said[0].part in (*LOCATION_PARTS, *ANY_PART, "phone", "email"):
            why = f"{said[0].why}, and a street, a city and more are called so"
            column.meanings = (said[0]._replace(owner="shipping", why=why),)


def _settle_second_lines(columns: list[Column]) -> None:
    """ "Invoice address 2" right behind "Invoice address" is its second line, where no second block has a place."""
    located = {(best.owner, best.number) for column in columns if (best := column.best) and best.part in _PLACES}
    numbered = {(best.owner, best.number) for column in columns if (best := column.best)}
    for before, column in pairwise(columns):
        best, first = column.best, before.best
        if best is None or first is None or best.owner != first.owner or best.owner not in KINDS:
            continue
        streets = (best.part in ("", "address_1"), first.part in ("", "address_1"))
        is_second = best.number == 2 and first.number in (None, 1) and (best.owner, 3) not in numbered
        if all(streets) and is_second and (best.owner, 2) not in located:
            line = best._replace(part="address_2", number=first.number)
            column.meanings = (line,)
            if not first.part:
                before.meanings = (first._replace(part="address_1"),)


def _settle_streets_of_lines(columns: list[Column]) -> None:
    """ "DIRCLI1" and "DIRCLI2", or "Rue" and "Rue 2", are lines of one street where no other part has such a number."""
    counted = {
        (best.owner, best.number) for column in columns if (best := column.best) and best.part not in ("", "address_1")
    }
    for before, column in pairwise(columns):
        best, first = column.best, before.best
        if best is None or first is None or not first[:2] == best[:2] == (best.owner, "address_1"):
            continue
        if best.number == 2 and first.number in (None, 1) and not counted & {(best.owner, 1), (best.owner, 2)}:
            before.meanings = (first._replace(number=None),)
            column.meanings = (best._replace(part="address_2", number=None),)


def _settle_numbers(columns: list[Column]) -> None:
    """Where the file numbers its addresses, "City 1" and "Phone 2" are of them, whatever else they may mean."""
    parts: dict[tuple[str, int | None], set[str]] = defaultdict(set)
    for column in columns:
        best = column.best
        if best is not None and best.number is not None and best.part in LOCATION_PARTS:
            parts[best.owner, best.number].add(best.part)
    counted = {block for block, of_block in parts.items() if len(of_block - {"address_1"}) > 1}
    for column in columns:
        best = column.best
        if best is None or (best.part in ADDRESS_PARTS and best.number is not None):
            continue
        numbered = next((meaning for meaning in column.meanings if (meaning.owner, meaning.number) in counted), None)
        if numbered is not None and numbered.part in ADDRESS_PARTS:
            column.meanings = (numbered, *(other for other in column.meanings if other[:2] != numbered[:2]))
        elif best.part == "address_2":  # "Address 2" is the second line of a street, not the street of a second block
            column.meanings = tuple(other for other in column.meanings if other.part != "address_1")


def _settle_guesses(columns: list[Column]) -> None:
    """A word for any second line is the second line of what stands before it."""
    for before, column in pairwise(columns):
        if column.best is None or before.best is None or column.best.score > GUESS or column.named_by_system:
            continue
        for meaning in column.meanings:
            if SECOND_LINES.get(meaning.part) == before.best.part:
                why = f"{meaning.why}, and it follows {before.header!r}"
                others = (other for other in column.meanings if other is not meaning)
                column.meanings = (meaning._replace(score=FOLLOWING, why=why), *others)
                break


def _settle_suburbs(columns: list[Column]) -> None:
    """A suburb is the city, unless the same address has one beside it."""
    cities = {(best.owner, best.number) for column in columns if (best := column.best) and best.part == "city"}
    for column in columns:
        best = column.best
        if best is not None and best.part == "suburb":
            part = NOTHING if (best.owner, best.number) in cities else "city"
            column.meanings = (best._replace(part=part),)


def _settle_further_lines(columns: list[Column]) -> None:
    """ "SoldToAddr3" and on, behind two lines of a street, hold what parts of the address have no column, by values."""
    owners: dict[str, str] = {}
    located = set()
    for column in columns:
        best, found = column.best, _NUMBERED.fullmatch(column.header)
        if best is not None and found and best.part in ("address_1", "address_2"):
            owners[found[1]] = best.owner
        if best is not None and best.part in ("city", "zip", "country"):
            located.add((best.owner, best.number))
    placed = {(best.owner, best.part) for column in columns if (best := column.best)}
    for column in columns:
        found = _NUMBERED.fullmatch(column.header)
        number = int(found[2]) if found and found[1] in owners else 0
        if found is None or number < FURTHER or column.is_decided or (owners[found[1]], number) in located:
            continue
        owner, part = owners[found[1]], _part_of_line(column)
        if part and (owner, part) not in placed:
            why = f"{column.header!r} is a line of the address, and its values say the {part}"
            column.meanings = (Meaning(owner, part, None, FIRST_LINES, why),)
            placed.add((owner, part))
        elif column.best is not None:
            column.meanings = (column.best._replace(part=NOTHING),)


def _settle_lines(columns: list[Column]) -> None:
    """Numbered lines of an address: "Bill to 1" to "Bill to 4", or the third line beside two that have fields."""
    by_owner: dict[str, list[Column]] = defaultdict(list)
    located: set[tuple[str, int | None]] = set()
    for column in columns:
        best = column.best
        if best is None:
            continue
        if best.owner in KINDS and not best.part and best.number:
            by_owner[best.owner].append(column)
        if best.part in ("city", "zip", "country"):
            located.add((best.owner, best.number))
    placed = {(best.owner, best.number, best.part) for column in columns if (best := column.best)}
    for column in columns:
        best = column.best
        third = best is not None and best.part == "address_1" and (best.number or 0) > 2
        if best is not None and third and (best.owner, best.number) not in located:
            part = _part_of_line(column)
            if part and not any((best.owner, number, part) in placed for number in (None, 1)):
                column.meanings = (best._replace(part=part, number=None, score=FIRST_LINES),)
                placed.add((best.owner, None, part))
                continue
            column.meanings = (best._replace(part=NOTHING),)
            column.known_as_nothing = "a further line of the address, which no field of the template holds"
    for owner, lines in by_owner.items():
        if any((owner, line.best.number) in located for line in lines if line.best):
            continue
        if len(lines) < 3 or [line.best.number for line in lines if line.best] != list(range(1, len(lines) + 1)):
            continue
        parts = ["address_1", "address_2"] if lines[0].profile.streets > ENOUGH else ["name", "address_1", "address_2"]
        for count, line in enumerate(lines, 1):
            part = parts[count - 1] if count <= len(parts) else NOTHING
            why = f"{line.header!r} is line {count} of an address"
            line.meanings = (Meaning(owner, part, None, LAST_LINE if part == "address_2" else FIRST_LINES, why),)


def _part_of_line(column: Column) -> str:
    """Which part of an address a further line is, by its values; "" where they do not tell."""
    profile = column.profile
    if profile.states > 0.8 and profile.length < 4:
        return "state"
    if profile.countries > 0.9:
        return "country"
    if profile.zips > 0.9 and profile.letters < 0.5:
        return "zip"
    return "city" if profile.letters > 0.9 and profile.fill > 0.8 and profile.streets < 0.1 else ""
