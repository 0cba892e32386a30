"""Compounds: long words as the known words that they are made of, or as a known word with an ending."""

from __future__ import annotations

from functools import lru_cache

from imports.onboarding.lexicon import SYLLABLES, lexicon

SHORTEST_COMPOUND = 5
"""How many letters a word made of words has at least, where letters are no syllables."""
SHORTEST_STEM, SHORTEST_PIECE = 4, 3
"""How many letters of a word must be known for the rest to be an ending, and to be surely a piece of a compound."""


@lru_cache(4096)
def take_apart(word: str) -> tuple[str, ...]:
    """A long word as the known words it is made of, the fewest there can be; itself where it is not.

    German joins some to the owner by an s: "Verbandsnummer".
    """
    known = lexicon().words
    is_syllabic = word >= SYLLABLES
    if word in known or word.isdecimal() or len(word) < (3 if is_syllabic else SHORTEST_COMPOUND):
        return (word,)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 24), end if is_syllabic else end - 1):
            before, piece = best[start], word[start:end]
            if before is None:
                continue
            if piece not in known:
                piece = piece.removesuffix("s") if end < len(word) else ""
                if len(piece) <= SHORTEST_COMPOUND or piece not in lexicon().owners:
                    continue
            if best[end] is None or len(before) + 1 < len(best[end] or ()):
                best[end] = (*before, piece)
    pieces = best[-1] or ()
    lengths = [*map(len, pieces)] or [0]
    if pieces and (is_syllabic or min(lengths) >= SHORTEST_PIECE or max(lengths) >= SHORTEST_STEM):
        return pieces
    if stem := _stem(word):
        return (stem,)
    return pieces if max(lengths) >= SHORTEST_PIECE else (word,)


def _stem(word: str) -> str:
    """The known word that a word is with an ending of a letter or two, "ülkesi" or "Lande"; "" where none is."""
    stems = (word[:-letters] for letters in (1, 2) if len(word) - letters >= SHORTEST_STEM)
    return next((stem for stem in stems if stem in lexicon().words), "")
