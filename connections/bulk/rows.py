"""Rows: what a batch of customers comes to, as a merge takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connections.bulk.entities import RECORDS, STAGED, Entity
from connections.bulk.texts import CopyText, as_copy_text

if TYPE_CHECKING:
    from collections.abc import Sequence

Some = list["Sequence[Any]"] | CopyText
"""Rows of one entity, which may be a text already."""


def _none_of(entities: Sequence[Entity]) -> list[Some]:
    return [[] for _ in entities]


@dataclass
class Rows:
    """Connections and what belongs to them. Records of new customers need no comparing, and are not staged."""

    staged: Sequence[Some] = field(default_factory=lambda: _none_of(STAGED))
    """By entity in the order of `STAGED`, each in that of `Entity.stage_columns`."""
    new: Sequence[int] = field(default_factory=lambda: [0] * len(STAGED))
    """How many of them are records that are not known."""
    added: Sequence[Some] = field(default_factory=lambda: _none_of(RECORDS))
    """Records of new customers: by entity in the order of `RECORDS`, each in that of `Entity.table_columns`."""
    entries: dict[Entity, set[int]] = field(default_factory=dict)
    """The entries of lists that new customers are given, by their ids."""

    def as_text(self) -> Rows:
        """The same as text."""
        staged, added = ([_as_text(some) for some in rows] for rows in (self.staged, self.added))
        return Rows(staged, self.new, added, self.entries)


def _as_text(some: Some) -> CopyText:
    return some if isinstance(some, CopyText) else as_copy_text(some)
