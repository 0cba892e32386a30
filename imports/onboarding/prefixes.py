"""Prefixes: headers that are made of a block's name and a part, "Address 2 : City", "LOC_ZIP", whatever the name is."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from imports.onboarding.headers import ANY_PART, KINDS, LOCATION_PARTS, NOTHING, Meaning, read_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.onboarding.columns import Column

FEWEST_PARTS = 3
"""How many parts of an address must stand behind a name for it to be an address's."""
MOST = 0.6
"""What share of a file's columns one address can be; a name before more of them is the file's."""
SURE_ENOUGH = 0.85
LESS = 0.02
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
    found = {
        name: of_name
        for name, of_name in blocks.items()
        if _is_block(of_name) and (len(of_name) <= len(columns) * MOST or " " in of_name[0][0].header)
    }
    unknown = [name for name in found if not _kind(name)]
    for name, of_name in found.items():
        number = unknown.index(name) + 1 if name in unknown and len(unknown) > 1 else None
        for column, text in of_name:
            meanings = tuple(_meanings(name, text, number))
            is_sure = column.best is not None and column.best.owner in KINDS and column.best.score >= SURE_ENOUGH
            says_less = column.best is not None and meanings and meanings[0].part == NOTHING != column.best.part
            if meanings and not is_sure and not says_less:
                column.meanings, column.block = meanings, "" if _kind(name) else name


def _is_block(columns: Sequence[tuple[Column, str]]) -> bool:
    parts = {(best.owner, best.part) for _, text in columns if (best := _read(text))}
    return len({part for _, part in parts if part in LOCATION_PARTS}) >= FEWEST_PARTS


def _read(text: str) -> Meaning | None:
    meanings = read_header(text)
    return meanings[0] if meanings and meanings[0].score >= SURE_ENOUGH else None


def _kind(name: str) -> str:
    return next((meaning.owner for meaning in read_header(name) if meaning.owner in KINDS), "")


def _meanings(name: str, text: str, number: int | None) -> list[Meaning]:
    meanings = []
    for meaning in read_header(text):
        owner = meaning.owner if meaning.owner in KINDS else _kind(name)
        if meaning.owner == "company_number" and _kind(name):
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
