"""Codes: the customer codes of a file and their numbers, in little memory however many there are."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANY = 2**17
"""So many codes are kept in a dict, which takes some 20 MB then; from there on memory counts more than time."""
_FEWEST_SLOTS = 2 * MANY
_HASH = 0xFFFFFFFF
"""The bits of a hash that are kept."""


class Codes:
    """Codes, numbered from 0 in the order in which they came."""

    def __init__(self, codes: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._table: _Table | None = None
        for code in codes:
            self.add(code)

    def __len__(self) -> int:
        return len(self._numbers if self._table is None else self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers if self._table is None else self._table)

    def __contains__(self, code: str) -> bool:
        return self.get(code) is not None

    def __getitem__(self, code: str) -> int:
        """The number of a code; raises KeyError where it did not come."""
        number = self.get(code)
        if number is None:
            raise KeyError(code)
        return number

    def get(self, code: str) -> int | None:
        """The number of a code; none where it did not come."""
        return self._numbers.get(code) if self._table is None else self._table.get(code)

    def name(self, number: int) -> str:
        """The code that has a number, which is one that some code has."""
        if self._table is not None:
            return self._table.name(number)
        if number >= len(self._names):
            self._names = [*self._numbers]
        return self._names[number]

    def add(self, code: str) -> int:
        """The number of a code, which is the next one where it is new."""
        if self._table is not None:
            return self._table.add(code)
        number = self._numbers.setdefault(code, len(self._numbers))
        if number == MANY:
            self._table = _Table(self._numbers)
            self._numbers, self._names = {}, []
        return number


class _Table:
    """The same of many codes, in a quarter of the memory of a dict: about 30 bytes for each of ten characters.

    A hash table with open addressing: a slot holds the number of a code, plus one, or 0, and at least half of the slots
    are free. Hashes are Python's own, whose secret differs with each process, so nobody can make codes that collide.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self._text = bytearray()
        self._ends = array("Q", [0])
        self._hashes = array("I")
        self._slots = array("I", [0]) * _FEWEST_SLOTS
        for code in codes:
            self.add(code)

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[str]:
        for start, end in pairwise(self._ends):
            yield self._text[start:end].decode()

    def get(self, code: str) -> int | None:
        number = self._slots[self._find_slot(code.encode())]
        return number - 1 if number else None

    def name(self, number: int) -> str:
        return self._text[self._ends[number] : self._ends[number + 1]].decode()

    def add(self, code: str) -> int:
        raw = code.encode()
        slot = self._find_slot(raw)
        if number := self._slots[slot]:
            return number - 1
        self._text += raw
        self._ends.append(len(self._text))
        self._hashes.append(hash(raw) & _HASH)
        self._slots[slot] = number = len(self._hashes)
        if 2 * number > len(self._slots):
            self._grow()
        return number - 1

    def _find_slot(self, raw: bytes) -> int:
        """The slot of a code, or the free one where it belongs."""
        slots, hashes, ends = self._slots, self._hashes, self._ends
        key, last = hash(raw) & _HASH, len(slots) - 1
        slot = key & last
        while number := slots[slot]:
            if hashes[number - 1] == key and self._text[ends[number - 1] : ends[number]] == raw:
                break
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        slots = array("I", [0]) * (2 * len(self._slots))
        last = len(slots) - 1
        for number, key in enumerate(self._hashes, 1):
            slot = key & last
            while slots[slot]:
                slot = (slot + 1) & last
            slots[slot] = number
        self._slots = slots
