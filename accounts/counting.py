"""Counts in words: 1 customer, 12,061 customers."""

from __future__ import annotations


def counted(count: int, nouns: str) -> str:
    """The count with its noun; behind a comma the noun of several, where that is not the same with an s."""
    one, _, several = nouns.partition(",")
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
