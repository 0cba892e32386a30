"""Lexicon: the words of the data files, as headers are looked up in them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from imports.onboarding import vocabulary
from imports.onboarding.vocabulary import squash, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SYLLABLES = "\u3000"
"""From here on a letter is a syllable or a word."""
GUESS = 0.7
"""The score of a phrase that only may mean what it is listed for."""
FEWEST_LETTERS = 2
"""How many letters a header of one abbreviated word has at least."""
_POINTED = re.compile(r"([^\W\d_]+)(\.?)")


@dataclass
class Lexicon:
    """The words of the data files, by their squashed spelling."""

    phrases: dict[str, list[tuple[str, str, float]]]
    owners: dict[str, list[str]]
    parts: dict[str, list[str]]
    words: frozenset[str]
    languages: dict[str, list[str]]
    spelt: dict[tuple[str, ...], set[tuple[str, str]]]
    """By the words of a phrase, without those that say nothing: owner and part."""
    terms: dict[str, frozenset[str]]
    """Words for conditions, and for what these may be about."""


@cache
def lexicon() -> Lexicon:
    phrases: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    owners: dict[str, list[str]] = defaultdict(list)
    parts: dict[str, list[str]] = defaultdict(list)
    words: set[str] = set()
    languages: dict[str, list[str]] = defaultdict(list)
    spelt: dict[tuple[str, ...], set[tuple[str, str]]] = defaultdict(set)
    noise = {
        word for listed in vocabulary.load("owners")["noise"].values() for text in listed for word in words_of(text)
    }
    for table, entries in ((owners, vocabulary.load("owners")), (parts, vocabulary.load("parts"))):
        for name, by_language in entries.items():
            for language, listed in by_language.items():
                for phrase in listed:
                    words.update(words_of(phrase))
                    if said := tuple(word for word in words_of(phrase) if word not in noise):
                        spelt[said].add((name, "") if table is owners else ("", name))
                    for spelling in vocabulary.spellings(phrase):
                        words.add(spelling)
                        languages[spelling].append(language)
                        if name not in table[spelling]:
                            table[spelling].append(name)
    for name, listed in vocabulary.load("phrases").items():
        owner, part = split_meaning(name.rstrip("?"))
        score = GUESS if name.endswith("?") else 1.0
        for phrase in listed:
            words.update(word for word in words_of(phrase) if len(word) > 3)
            if said := tuple(word for word in words_of(phrase) if word not in noise):
                spelt[said].add((owner, part))
            for spelling in vocabulary.spellings(phrase):
                if (owner, part, score) not in phrases[spelling]:
                    phrases[spelling].append((owner, part, score))
    terms = {
        name: frozenset(squash(text) for listed in by_language.values() for text in listed)
        for name, by_language in vocabulary.load("terms").items()
    }
    words.update(*terms.values())
    return Lexicon(
        dict(phrases),
        dict(owners),
        dict(parts),
        frozenset(word for word in words if len(word) > 1 or word >= SYLLABLES),
        dict(languages),
        dict(spelt),
        terms,
    )


def split_meaning(name: str) -> tuple[str, str]:
    """Owner and part of "shipping.city"; a part alone has no owner."""
    owner, _, part = name.rpartition(".")
    return owner, part


def find_abbreviated(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The phrases whose words a header has, or begins where a point stands behind: each with its owner and part.

    A word for a code may stand beside them: "Cod. condiz. pagam."
    """
    pairs = [(bool(point), word) for raw, point in _POINTED.findall(text) for word in words_of(raw)]
    noise = lexicon().owners
    said = [(point, word) for point, word in pairs if point or "noise" not in noise.get(word, ())]
    if not any(point for point, _ in said) or sum(len(word) for _, word in said) < FEWEST_LETTERS:
        return
    found = [*_begun_by(said)]
    yield from found
    bare = [(point, word) for point, word in said if "code" not in lexicon().parts.get(word, ())]
    if not found and len(bare) < len(said) and any(point for point, _ in bare):
        yield from ((phrase, (owner, part or "code")) for phrase, (owner, part) in _begun_by(bare))


def _begun_by(said: list[tuple[bool, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """The phrases of these words, each the beginning of one where a point stands behind."""
    for words, meanings in lexicon().spelt.items():
        if len(words) == len(said) and all(
            word.startswith(beginning) if point else word == beginning
            for (point, beginning), word in zip(said, words, strict=True)
        ):
            for meaning in meanings:
                yield " ".join(words), meaning
