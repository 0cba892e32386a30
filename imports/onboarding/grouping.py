"""Grouping: a line above the header says whose the columns below it are, "Billing;;;;Shipping;;;"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.onboarding.headers import ANY_PART, KINDS, LOCATION_PARTS, Meaning
from imports.onboarding.headings import group_owner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.onboarding.columns import Column

OWN = ("", "customer")
"""The owners of a header that leaves open whose it is."""
OF_PERSON = ("name", "first_name", "last_name", "email")
OF_ADDRESS = (*LOCATION_PARTS, *ANY_PART, "phone", "email", "suburb")
LESS = 0.02
SURE_ENOUGH = 0.7
"""From this score on a header that says another owner ends its group, of which nobody knows how wide it is."""


def name_groups(columns: Sequence[Column], groups: Sequence[str]) -> None:
    """Let the columns below a group's name be its owner's, as far as their own headers leave that open."""
    ended = ""
    for column, group in zip(columns, groups, strict=False):
        owner, best = group_owner(group), column.best
        if not owner or column.named_by_system:
            continue
        is_first = column.index == 0 or groups[column.index - 1] != group
        if is_first:
            ended = ""
        if best is not None and best.owner not in (*OWN, "address", owner) and best.score >= SURE_ENOUGH:
            ended = group
        if best is None or ended == group:
            continue
        meanings = [meaning for meaning in column.meanings if _can_have(owner, meaning)]
        if meanings:
            why = f"{meanings[0].why}, and it stands below {group!r}"
            column.meanings = (meanings[0]._replace(owner=owner, score=meanings[0].score - LESS, why=why),)


def _can_have(owner: str, meaning: Meaning) -> bool:
    if meaning.owner not in (*OWN, "address", owner):
        return False
    if owner in KINDS:
        return meaning.part in OF_ADDRESS
    return meaning.part in (OF_PERSON if owner == "contact" else ANY_PART)
