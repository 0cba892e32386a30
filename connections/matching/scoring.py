"""Score: how likely two connections are one customer, and the reasons in words.

The evidence of each part is added up (Fellegi and Sunter's model): a weight is the logarithm of how much more often the
same customers agree in this way than different ones do. The sum becomes a probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from connections.matching.normalising import same_phone
from connections.matching.words import KINDS
from connections.near_keys import name_differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connections.matching.normalising import Name, Place
    from connections.matching.profiles import Profile

PRIOR = -5.0
"""Of two customers who share a key by chance."""
SAME_NAME = 4.5
UNCONTRADICTED = 0.7
"""For the same name where nothing else that is known speaks against it."""
SUGGESTED = 0.5
"""The score from which on two connections are suggested."""


class Evidence(NamedTuple):
    """What one part of two profiles speaks for (above zero) or against, and in which words."""

    weight: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """How likely two connections are one customer, from 0 to 1, and why."""

    score: float
    reasons: tuple[str, ...]


def compare(first: Profile, second: Profile) -> Match:
    """Compare two profiles. What speaks for it comes first among the reasons, the strongest before all."""
    found = list(_find_evidence(first, second))
    score = 1 / (1 + math.exp(-(PRIOR + sum(evidence.weight for evidence in found))))
    if near := _compare_codes(first, second):
        found.append(near)
        score = max(score, SUGGESTED)
    reasons = sorted((evidence for evidence in found if evidence.reason), key=lambda evidence: -evidence.weight)
    return Match(round(score, 3), tuple(evidence.reason for evidence in reasons))


def _find_evidence(first: Profile, second: Profile) -> Iterator[Evidence]:
    name, *others = (
        _compare_names(first, second),
        _compare_phones(first, second),
        _compare_mails(first, second),
        _compare_places(first, second),
    )
    yield from (name, *others)
    if name.weight >= SAME_NAME and all(evidence.weight >= 0 for evidence in others):
        yield Evidence(UNCONTRADICTED)


def _compare_codes(first: Profile, second: Profile) -> Evidence | None:
    if not first.near_key or first.near_key != second.near_key or first.code == second.code:
        return None
    return Evidence(4, f"codes differ only in {name_differences(first.code, second.code)}")


def _compare_names(first: Profile, second: Profile) -> Evidence:
    if not first.names or not second.names:
        return Evidence(0)
    pairs = [(similarity_of(one, other), one, other) for one in first.names for other in second.names]
    similar, one, other = max(pairs, key=lambda pair: pair[0])
    if one.numbers and other.numbers and one.numbers.isdisjoint(other.numbers):
        return Evidence(-5, "but numbers in the names differ")
    kinds, other_kinds = one.common & KINDS, other.common & KINDS
    if kinds and other_kinds and kinds.isdisjoint(other_kinds):
        return Evidence(-3, "but another kind of shop")
    telling = bool(one.telling and other.telling)
    if similar >= 0.97:
        return Evidence(SAME_NAME if telling else 2.5, "same name")
    if similar >= 0.93:
        return Evidence(3.8 if telling else 2.1, "names nearly alike")
    if similar >= 0.85:
        return Evidence(3.2 if telling else 2.1, "names nearly alike")
    if telling and _contains(first.names, second.names):
        return Evidence(2.1, "one name within the other")
    if similar >= 0.7:
        return Evidence(1.8 if telling else 0.5, "names alike")
    if first.names[0].is_latin != second.names[0].is_latin:
        return Evidence(1.5)  # whoever writes in another script or language writes of the same more often than not
    if similar >= 0.5:
        return Evidence(-0.5)
    return Evidence(-2.5, "but other name")


def _contains(first: Iterable[Name], second: Iterable[Name]) -> bool:
    """Whether all telling words of some name are in one of the other's."""
    return any(
        one.telling
        and other.telling
        and _share(one.telling, other.telling) >= min(len(one.telling), len(other.telling))
        for one in first
        for other in second
    )


def similarity_of(first: Name, second: Name) -> float:
    """How alike two names are, from 0 to 1: their telling words each with its likest, or all letters in a row."""
    if first.joined == second.joined:
        return 1.0
    if first.joined == second.initials or second.joined == first.initials:
        return 0.85
    in_a_row = fuzz.ratio(first.joined, second.joined) / 100
    by_words = _compare_words(first, second)
    return max(by_words, in_a_row if in_a_row >= 0.85 else 0)


def _compare_words(first: Name, second: Name) -> float:
    telling = 2 * _share(first.telling, second.telling)
    total = float(len(first.telling) + len(second.telling))
    if not total:
        shared, all_words = first.common & second.common, first.common | second.common
        return 0.9 * len(shared) / len(all_words) if all_words else 0.0
    common = 0.3 * 2 * len(first.common & second.common)
    return (telling + common) / (total + 0.3 * (len(first.common) + len(second.common)))


def _share(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    """How many words of one name the other has too, in part where they are only alike."""
    left = list(second)
    total = 0.0
    for word in first:
        alike = max(((_compare_word(word, other), other) for other in left), default=(0.0, ""))
        if alike[0] >= 0.75:
            total += alike[0]
            left.remove(alike[1])
    return total


def _compare_word(first: str, second: str) -> float:
    if first == second:
        return 1.0
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) <= 3:
        return 0.8 if longer.startswith(shorter) else 0.0
    return JaroWinkler.similarity(first, second) if fuzz.ratio(first, second) >= 75 else 0.0


def _compare_phones(first: Profile, second: Profile) -> Evidence:
    if not first.phones or not second.phones:
        return Evidence(0)
    for one in first.phones:
        for other in second.phones:
            if same_phone(one, other):
                return Evidence(4, f"same phone number {second.said.get(other, other)}")
    return Evidence(-1.2)


def _compare_mails(first: Profile, second: Profile) -> Evidence:
    if shared := first.mailboxes & second.mailboxes:
        return Evidence(3, f"same e-mail {min(shared)}")
    if shared := first.webs & second.webs:
        return Evidence(1.5, f"same domain {min(shared)}")
    return Evidence(-0.5 if first.webs and second.webs else 0)


def _compare_places(first: Profile, second: Profile) -> Evidence:
    pairs = [_compare_place(one, other) for one in first.places for other in second.places]
    return max(pairs, default=Evidence(0), key=lambda evidence: evidence.weight)


def _compare_place(first: Place, second: Place) -> Evidence:
    if first.country and second.country and first.country != second.country:
        return Evidence(-3, "but other country")
    same_zip = bool(first.zip) and first.zip == second.zip
    same_city = _same_city(first, second)
    if same_zip or same_city:
        if door := _compare_doors(first, second, same_zip=same_zip):
            return door
        return Evidence(1.3, f"same postal code {second.zip}") if same_zip else Evidence(0.5, "same city")
    if not (first.city and second.city):
        return Evidence(0)
    return Evidence(-2, "but other city")


def _compare_doors(first: Place, second: Place, *, same_zip: bool) -> Evidence | None:
    """What the streets of two addresses in one place say; nothing where one of them is not given."""
    if not (first.street or first.numbers) or not (second.street or second.numbers):
        return None
    same_number = bool({*first.numbers} & {*second.numbers})
    alike = fuzz.token_sort_ratio(first.street, second.street) >= 75 or _holds(first.street, second.street)
    if same_number and alike:
        return Evidence(3, "same address")
    if same_number and same_zip:
        return Evidence(2, f"same house number in postal code {second.zip}")
    if first.numbers and second.numbers and not same_number:
        return Evidence(0) if alike else Evidence(-0.5 if same_zip else -1.5, "but other address")
    return Evidence(0.5, "same street") if alike and not same_zip else None


def _holds(first: str, second: str) -> bool:
    shorter, longer = sorted((first.split(), second.split()), key=len)
    return bool(shorter) and {*shorter} <= {*longer}


def _same_city(first: Place, second: Place) -> bool:
    if not first.city or not second.city:
        return False
    return fuzz.ratio(first.city, second.city) >= 80 or _holds(first.city, second.city)
