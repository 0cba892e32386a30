"""Columns of a sample: their headers' meanings, their values, and the fields that they may be."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from imports.onboarding import vocabulary
from imports.onboarding.grouping import name_groups
from imports.onboarding.headers import KINDS, Meaning, read_header
from imports.onboarding.lexicon import split_meaning
from imports.onboarding.prefixes import name_blocks
from imports.onboarding.profiles import ENOUGH, Profile
from imports.template import normalize

if TYPE_CHECKING:
    from imports.onboarding.dialects import Table
    from imports.template import Target

_TECHNICAL = re.compile(r"[A-Z][A-Z0-9_]{3,}")
FEWEST_NAMES, LONGEST_PREFIX = 6, 3
"""How many short technical names must begin alike for their beginning, of two or three letters, to mean nothing."""
LEAST = 0.3
"""Below this confidence nothing is proposed."""


@dataclass
class Candidate:
    """A field that a column may be."""

    target: Target
    confidence: float
    evidence: list[str]


@dataclass
class Column:
    """A column of the sample, and what has been found out about it."""

    index: int
    header: str
    profile: Profile
    meanings: tuple[Meaning, ...]
    candidates: dict[Target, Candidate] = field(default_factory=dict)
    known_as_nothing: str = ""
    named_by_system: bool = False
    is_decided: bool = False
    block: str = ""
    """The name before the header's last part, where it is an address's and says no kind."""
    kinds: dict[str, str] = field(default_factory=dict)
    """B or S by the column's values, where the rows say that these are kinds of address."""

    @property
    def best(self) -> Meaning | None:
        return self.meanings[0] if self.meanings else None

    @property
    def says_both_kinds(self) -> bool:
        """Whether the header names both kinds of address, and the values too: "BillTo/ShipTo"."""
        owners = {meaning.owner for meaning in self.meanings if not meaning.part}
        return owners.issuperset(KINDS) and self.profile.address_kinds > ENOUGH

    def propose(self, target: Target, confidence: float, *evidence: str) -> None:
        known = self.candidates.get(target)
        if confidence >= LEAST and (known is None or known.confidence < confidence):
            self.candidates[target] = Candidate(target, min(confidence, 0.99), [text for text in evidence if text])


def read_columns(table: Table) -> list[Column]:
    """The columns of a table, with what their headers say."""
    headers = [text.strip() for text in table.header] or [""] * table.width
    prefix = _common_prefix(headers)
    named = _names_of_system(headers)
    columns = []
    for index, header in enumerate(headers):
        meanings = named.get(_name_in_system(header), ()) if header else ()
        if meanings:
            columns.append(
                Column(index, header, Profile([row[index] for row in table.rows]), meanings, named_by_system=True)
            )
            continue
        meanings = read_header(header) if header else ()
        if prefix and header.startswith(prefix) and (not meanings or meanings[0].score < 0.95):
            meanings = read_header(header.removeprefix(prefix).strip("_"))
        if not meanings and index < len(table.labels):
            meanings = read_header(table.labels[index])
        columns.append(Column(index, header, Profile([row[index] for row in table.rows]), meanings))
    name_blocks(columns)
    name_groups(columns, table.groups)
    return columns


def _names_of_system(headers: list[str]) -> dict[str, tuple[Meaning, ...]]:
    """What headers mean in the well-known system that the file comes from; nothing for an unknown one."""
    present = set(map(_name_in_system, headers))
    for system, entry in vocabulary.load("systems").items():
        if set(map(_name_in_system, entry["known_by"])) <= present:
            return {
                _name_in_system(header): (
                    Meaning(*split_meaning(meaning), None, 1.0, f"{header!r} is the name that {system} gives it"),
                )
                for header, meaning in entry["columns"].items()
            }
    return {}


def _name_in_system(header: str) -> str:
    """A header as it is compared, without the 0 that some exports put behind what there is once: "BPCNUM_0"."""
    return normalize(header).removesuffix("_0")


def _common_prefix(headers: list[str]) -> str:
    """What a system puts before the names of its columns and means nothing by: "A1_", or "AN" of "ANINDIRI"; "" for no
    such thing.
    """
    if len(headers) >= FEWEST_NAMES and all(map(_TECHNICAL.fullmatch, headers)):
        alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*headers, strict=False))
        start = "".join(letters[0] for letters in alike)[:LONGEST_PREFIX].rstrip("_")
        if len(start) > 1 and not read_header(start):
            return start
    prefixes = Counter(match[0] for header in headers if (match := re.match(r"[A-Za-z0-9]{1,8}[_.]", header)))
    prefix, count = max(prefixes.items(), key=lambda item: item[1], default=("", 0))
    return prefix if count > len(headers) * 0.6 and not read_header(prefix) else ""


def is_address_type(column: Column) -> bool:
    """A column of few values that are all words for the two kinds of address, or that the rows show to be kinds."""
    best = column.best
    if column.kinds or column.says_both_kinds:
        return True
    named = best is not None and (best.part in ("type", "address_type") or (best.part, best.owner) == ("none", "none"))
    return (named or best is None) and column.profile.address_kinds > 0.95 and 1 < column.profile.distinct < 8
