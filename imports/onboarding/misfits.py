"""Misfits: values that the field of a column would not take, and values that stand without what they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.errors import CellError
from imports.formats.widgets import WIDGETS
from imports.template import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imports.onboarding.columns import Column
    from imports.onboarding.profiles import Profile
    from imports.template import Target

BESIDE_A_NAME = ("email",)
BESIDE_A_PHONE = ("code", "address_1", "city", "zip")


def find_untaken(profile: Profile, target: Target, value_map: Mapping[str, str]) -> list[str]:
    """Values that the field takes neither as they are nor by the value map; a person must map them."""
    widget = WIDGETS[target.field.kind](target.field)
    wrong = []
    for cell in profile.counts:
        try:
            widget.clean(value_map.get(cell, cell))
        except CellError:
            wrong.append(cell)
    return wrong


def count_alone(column: Column, target: Target, columns_of: Mapping[Target, Column]) -> int:
    """On how many rows a buyer's name, or a phone or an e-mail of an address, stands without what it is of."""
    if target.name == "buyer_name":
        needed: tuple[str, ...] = BESIDE_A_NAME
    elif target.field.group in ADDRESSES and target.field.part in ("phone", "email"):
        needed = BESIDE_A_PHONE
    else:
        return 0
    block = (target.field.group, target.number)
    others = [
        _taken_cells(beside.profile, other)
        for other, beside in columns_of.items()
        if (other.field.group, other.number) == block and other.field.part in needed
    ]
    rows = zip(column.profile.cells, *others, strict=True)
    return sum(bool(cell) and not any(beside) for cell, *beside in rows) if others else 0


def _taken_cells(profile: Profile, target: Target) -> list[str]:
    """The cells that the field takes, by row; "" for the others."""
    wrong = set(find_untaken(profile, target, profile.value_map(target.field.kind)))
    return ["" if cell in wrong else cell for cell in profile.cells]
