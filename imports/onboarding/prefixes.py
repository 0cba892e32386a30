"""Prefixes: headers that are made of a block's name and a part, "Address 2 : City", "LOC_ZIP", whatever the name is.

A name of a letter or two with a number may also stand behind the part: "S1/City", "L2-Ort", "City B".
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from imports.onboarding import vocabulary
from imports.onboarding.headers import ANY_PART, KINDS, LOCATION_PARTS, NOTHING, Meaning, read_header
from imports.onboarding.lexicon import lexicon
from imports.onboarding.vocabulary import squash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imports.onboarding.columns import Column

FEWEST_PARTS = 3
"""How many parts of an address must stand behind a name for it to be an address's."""
PERSON = "contact"
PERSONS = ("", "customer", PERSON)
MOST_OF_PERSON = 8
"""How many columns a person has at most."""
LONGEST_SHORT = 4
"""How many letters a short name for a kind of address has at most, before its number."""
SHORTEST = 3
"""How many letters an abbreviation has at least."""
MOST = 0.6
"""What share of a file's columns one address can be; a name before more of them is the file's."""
SURE_ENOUGH, KNOWN = 0.85, 0.99
LESS = 0.02
FEWEST_OF_PAIR = 2
"""As `FEWEST_PARTS`, where names of both kinds of address have the same ones."""
_SHORT_NAME = rf"(?P<name>[^\W\d_]{{1,{LONGEST_SHORT}}}[ ]?\d{{0,2}})"
_SHORT_CUTS = (
    re.compile(rf"{_SHORT_NAME}\s*(?:[-–\s(\[]\s*|(?=\#))(?P<part>(?:[^\W\d]|\#).*?)[)\]]?", re.DOTALL),
    re.compile(rf"(?P<part>[^\W\d].*?)\s*(?:[-–\s(\[:|>/._]\s*){_SHORT_NAME}[)\]]?", re.DOTALL),
)
_LAST_SEPARATOR = re.compile(r"(.*\S)\s*(?:[:|>/._]|(?<=\s)[-–](?=\s))\s*(\S.*)", re.DOTALL)


def name_blocks(columns: Sequence[Column]) -> None:
    """Give the columns of a block the meaning of what stands behind the block's name.

    Where the name says a kind of address, the block is of that kind; where there are several names that say none, they
    are counted.
    """
    blocks: dict[str, list[tuple[Column, str]]] = defaultdict(list)
    for column in columns:
        if not column.named_by_system and (cut := _LAST_SEPARATOR.fullmatch(column.header)):
            blocks[cut[1].strip()].append((column, cut[2]))
    short = _find_short(columns)
    found = short | {
        name: of_name
        for name, of_name in blocks.items()
        if squash(name) not in short
        and _is_block(of_name)
        and (len(of_name) <= len(columns) * MOST or " " in of_name[0][0].header)
    }
    for name in blocks.keys() - found.keys():
        if len(blocks[name]) <= MOST_OF_PERSON:
            _name_person(name, blocks[name])
    found |= _find_spaced(columns, found)
    has_bare = _has_bare(columns, found)
    kinds = {name: _short_kind(name) if name in short else "" for name in found}
    others = any(best.owner in KINDS and best.part in LOCATION_PARTS for column in columns if (best := column.best))
    kinds |= {name: _kind(name, may_be_short=len(found) + has_bare + others > 1) for name in found if not kinds[name]}
    numbers = _count([name for name in found if not kinds[name]], has_bare=has_bare)
    numbers |= {name: int(digits[0]) for name in short if (digits := re.findall(r"\d+", name))}
    for name, of_name in found.items():
        number = numbers.get(name)
        for column, text in of_name:
            meanings = tuple(_meanings(name, text, kinds[name], number))
            is_sure = column.best is not None and _is_sure(column.best)
            says_less = column.best is not None and meanings and _says_less(meanings[0], column.best)
            if meanings and not is_sure and not says_less:
                column.meanings, column.block = meanings, "" if kinds[name] else name


def _find_short(columns: Sequence[Column]) -> dict[str, list[tuple[Column, str]]]:
    """The columns of blocks whose names are short for a kind of address and a number, before a part or behind it.

    Such names say something together alone: some must be for billing and others for shipping, with the same parts.
    """
    for cut_of in (_LAST_SEPARATOR, *_SHORT_CUTS):
        blocks: dict[str, list[tuple[Column, str]]] = defaultdict(list)
        for column in columns:
            if column.named_by_system or not (cut := cut_of.fullmatch(column.header)):
                continue
            name, part = (cut["name"], cut["part"]) if cut_of in _SHORT_CUTS else (cut[1], cut[2])
            if _short_kind(name):
                blocks[squash(name)].append((column, part))
        found = {name: of_name for name, of_name in blocks.items() if _is_block(of_name, FEWEST_OF_PAIR)}
        if {_short_kind(name) for name in found} == set(KINDS):
            return found
    return {}


def _find_spaced(
    columns: Sequence[Column], found: Mapping[str, Sequence[tuple[Column, str]]]
) -> dict[str, list[tuple[Column, str]]]:
    """The columns of blocks whose names are a word before the part, "Odbiorca ulica", beside an address without a name.

    Nothing is known of the word, or it names a customer, where what has no name is of the customer as well.
    """
    taken = {column.index for of_name in found.values() for column, _ in of_name}
    blocks: dict[str, list[tuple[Column, str]]] = defaultdict(list)
    for column in columns:
        name, _, part = column.header.partition(" ")
        if part and column.index not in taken and not column.named_by_system and _may_name_block(name):
            blocks[name].append((column, part.strip()))
    return {
        name: of_name
        for name, of_name in blocks.items()
        if _is_block(of_name)
        and _has_bare(columns, {**found, name: of_name})
        and (not read_header(name) or _has_bare_name(columns, of_name))
    }


def _may_name_block(name: str) -> bool:
    said = read_header(name)
    return not said or said[0][:2] == ("customer", "")


def _has_bare_name(columns: Sequence[Column], of_name: Sequence[tuple[Column, str]]) -> bool:
    """Whether a column beside a block names the customer, and one of the block names whoever the block is of."""
    named = {column.index for column, _ in of_name}
    has_own = any((best := _read(text)) and best.part == "name" for _, text in of_name)
    return has_own and any(
        column.best and column.best.part == "name" and column.best.owner in PERSONS
        for column in columns
        if column.index not in named
    )


def _short_kind(name: str) -> str:
    """The kind of address that a short name says as rows say it, with a number or without: "S2", "bt"."""
    stem = re.sub(r"\d+$", "", squash(name))
    return next((kind for kind, words in _short_names().items() if stem in words), "")


@cache
def _short_names() -> dict[str, frozenset[str]]:
    values = vocabulary.load("values")
    listed = {"billing": values["B"], "shipping": values["S"]}
    return {
        kind: frozenset(squash(word) for word in words if len(squash(word)) <= LONGEST_SHORT)
        for kind, words in listed.items()
    }


def _is_sure(meaning: Meaning) -> bool:
    """Whether a header says a kind of address itself, or is known as a whole, such as "ship_via"."""
    is_known = meaning.score >= KNOWN and meaning.owner not in ("", "customer", "address")
    return is_known or (meaning.owner in KINDS and meaning.score >= SURE_ENOUGH)


def _says_less(meaning: Meaning, best: Meaning) -> bool:
    """Whether what stands behind a block's name says nothing or is only guessed, and the whole header says more."""
    return meaning.part == NOTHING != best.part or meaning.score < SURE_ENOUGH - LESS <= best.score - LESS


def _name_person(name: str, columns: Sequence[tuple[Column, str]]) -> None:
    """A name and an e-mail behind one word that says nothing else, or says a person, are a person's."""
    said = read_header(name)
    texts = {best.part: (column, best) for column, text in columns if (best := _read(text)) and best.owner in PERSONS}
    if {"name", "email"} <= texts.keys() and not (said and said[0].score >= SURE_ENOUGH and said[0].owner != PERSON):
        for part in ("name", "email"):
            column, best = texts[part]
            why = f"{best.why}, and {name!r} has an e-mail too, as a person"
            column.meanings = (best._replace(owner=PERSON, part=part, score=best.score - LESS, why=why),)


def _count(names: Sequence[str], *, has_bare: bool) -> dict[str, int]:
    """The numbers of blocks whose names say no kind; one alone, without another address beside it, needs none."""
    return {name: number for number, name in enumerate(names, 1 + has_bare)} if len(names) + has_bare > 1 else {}


def _has_bare(columns: Sequence[Column], found: Mapping[str, Sequence[tuple[Column, str]]]) -> bool:
    """Whether the file has an address without a name, beside those with one."""
    named = {column.index for of_name in found.values() for column, _ in of_name}
    bare = [column.best for column in columns if column.index not in named and column.best]
    return len({best.part for best in bare if not best.owner and best.part in LOCATION_PARTS}) >= FEWEST_PARTS


def _is_block(columns: Sequence[tuple[Column, str]], fewest: int = FEWEST_PARTS) -> bool:
    parts = {(best.owner, best.part) for _, text in columns if (best := _read(text))}
    return len({part for _, part in parts if part in LOCATION_PARTS}) >= fewest


def _read(text: str) -> Meaning | None:
    meanings = read_header(text)
    return meanings[0] if meanings and meanings[0].score >= SURE_ENOUGH else None


def _kind(name: str, *, may_be_short: bool) -> str:
    """The kind of address that a block's name says; only beside another address a short form of its words does."""
    said = next((meaning.owner for meaning in read_header(name) if meaning.owner in KINDS), "")
    return said or (_read_abbreviation(squash(name)) if may_be_short else "")


def _read_abbreviation(text: str) -> str:
    """The kind of address all of whose words begin so, where words of one kind do."""
    if len(text) < SHORTEST:
        return ""
    kinds = {kind for word, owners in lexicon().owners.items() if word.startswith(text) for kind in owners}
    return next(iter(found)) if len(found := kinds & set(KINDS)) == 1 else ""


def _meanings(name: str, text: str, kind: str, number: int | None) -> list[Meaning]:
    meanings = []
    for meaning in read_header(text) or read_header(f"address {text}"):  # "address1_line2"
        owner = meaning.owner if meaning.owner in KINDS else kind
        if meaning.owner == "company_number" and kind:
            meaning = meaning._replace(part="name")  # whom the address is of
        if not owner:
            is_own = meaning.part in ANY_PART and meaning.owner in ("", "customer")
            owner = "address" if is_own else meaning.owner
        if meaning.part == NOTHING:
            owner = meaning.owner
        why = f"{meaning.why}, and {name!r} is an address's name"
        meanings.append(
            meaning._replace(owner=owner, number=meaning.number or number, score=meaning.score - LESS, why=why)
        )
    return meanings
