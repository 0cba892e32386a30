"""Block: keys that the same customer entered twice has in common at least one of, so that few have to be compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connections.matching.normalising import Name
    from connections.matching.profiles import Profile

MOST_KEYS = 60
"""A customer with very many doors is found by the keys of the first of them."""
BEGINNING = 5
"""Letters of a name that are seldom misspelt."""


def keys_of(profile: Profile, account_id: int = 0) -> list[int]:
    """The keys of a profile as numbers of 64 bits, the most telling first; no two accounts share one."""
    return list(dict.fromkeys(_number(f"{account_id} {key}") for key in _keys(profile)))[:MOST_KEYS]


def _keys(profile: Profile) -> Iterator[str]:
    if profile.near_key:
        yield f"code {profile.near_key}"
    for mail in sorted(profile.mailboxes):
        yield f"mail {mail}"
    for phone in sorted(profile.phones):
        yield f"phone {phone[-7:]}"
    for web in sorted(profile.webs):
        yield f"web {web}"
    for name in profile.names:
        yield f"name {name.joined}"
        yield f"words {' '.join(_all_words(name))}"
    for place in profile.places:
        area = place.zip or place.city
        if not area:
            continue
        if place.numbers:
            yield f"door {area} {place.numbers[0]}"
        for name in profile.names:
            yield f"beginning {area} {name.joined[:BEGINNING]}"
            yield from (f"word {area} {word}" for word in name.telling)
    for name in profile.names:  # who has moved, or gave no postal code
        for city in {place.city for place in profile.places if place.city}:
            yield from (f"in {city} {word}" for word in name.telling)


def _all_words(name: Name) -> list[str]:
    return sorted({*name.telling, *(() if name.telling else name.common)})


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)
