"""Naming: of several columns of names, which is the customer's, which a second one, and which an address's."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from imports.onboarding.headers import KINDS, LOCATION_PARTS, Meaning
from imports.onboarding.profiles import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.onboarding.columns import Column

OWN = ("", "customer")
OFFICIAL = ("legal", "fiscal", "full", "pełna", "complet", "vollständig", "úplný", "juridi", "volledig", "полн", "юрид")
"""What headers of names say of which there is a shorter one."""
BEFORE, ALIKE = 0.85, 0.3
"""How sure a name is that stands before an address, and on how many rows it is the customer's or begins like it."""


def settle_names(columns: Sequence[Column]) -> None:
    """Put the meaning of every name first that the columns around it speak for."""
    _settle_second_names(columns)
    _settle_official_names(columns)
    _settle_names_of_addresses(columns)


def _settle_second_names(columns: Sequence[Column]) -> None:
    """ "Descr2" right behind "Description" is a second line of the name."""
    for before, column in pairwise(columns):
        best, first = column.best, before.best
        if best is None or first is None or (best.part, first.part) != ("name", "name"):
            continue
        if best.number == 2 and first.number in (None, 1) and {best.owner, first.owner} <= {"", "customer"}:
            why = f"{best.why}, and it follows {before.header!r}"
            column.meanings = (best._replace(part="alternate_name", number=None, why=why),)


def _settle_official_names(columns: Sequence[Column]) -> None:
    """ "Legal Name" or "Nazwa pełna" beside a plain name is the second name, where it has no address of its own."""
    located = {best.owner for column in columns if (best := column.best) and best.part in LOCATION_PARTS}
    named = [column for column in columns if (best := column.best) and best.part == "name" and not column.is_decided]
    official = [column for column in named if any(map(column.header.casefold().__contains__, OFFICIAL))]
    plain = [column for column in named if column not in official and column.best and column.best.owner in OWN]
    for column in official if plain else ():
        best = column.best
        if best is not None and (best.owner in OWN or (best.owner == "billing" and best.owner not in located)):
            why = f"{best.why}, and {plain[0].header!r} is the name"
            column.meanings = (best._replace(owner="customer", part="alternate_name", number=None, why=why),)


def _settle_names_of_addresses(columns: Sequence[Column]) -> None:
    """A name right before the street or the code of an address is that address's, where another names the customer.

    Its header may say nothing, or only another word for a customer: "Odbiorca", "Spedire a".
    """
    blocks: dict[tuple[str, int | None], set[str]] = defaultdict(set)
    for column in columns:
        if (best := column.best) and best.owner in KINDS:
            blocks[best.owner, best.number].add(best.part)
    own = next(
        (column for column in columns if (best := column.best) and best.part == "name" and best.owner in OWN), None
    )
    if own is None:
        return
    for (kind, number), parts in blocks.items():
        if "name" in parts or not {"city", "zip"} & parts:
            continue
        of_block = (
            column for column in columns if (best := column.best) and (best.owner, best.number) == (kind, number)
        )
        first = next(column for column in of_block if column.best and column.best.part)
        before = columns[first.index - 1] if first.index else None
        if (
            before is None
            or before is own
            or before.is_decided
            or not _may_be_name(before, own, kind if "address_1" in parts else "")
        ):
            continue
        why = f"it stands before {first.header!r}, and {own.header!r} is the customer's name"
        before.meanings = (Meaning(kind, "name", number, BEFORE, why),)


def _may_be_name(column: Column, own: Column, kind: str) -> bool:
    best, profile = column.best, column.profile
    if profile.letters < 0.8 or profile.distinct < 2 or profile.emails or profile.length < 4:
        return False
    if best is not None:
        is_alone = bool(kind) and best.owner == kind and not best.part and not best.number and profile.codes < ENOUGH
        return is_alone or (best.owner == "customer" and best.part in ("", "name"))
    pairs = [(name, cell) for name, cell in zip(own.profile.cells, profile.cells, strict=True) if name and cell]
    alike = sum(name.split()[0].casefold() in cell.casefold() for name, cell in pairs)
    return alike >= max(2, len(pairs) * ALIKE)
