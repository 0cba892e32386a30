"""Block: keys that the same customer entered twice has in common at least one of, so that few have to be compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connections.matching.normalising import Name
    from connections.matching.profiles import Profile

MOST_KEYS = 40
"""A customer with very many doors is found by the keys of the first of them."""
MOST_NAMES = 3
MOST_OF_A_KIND = 8
BEGINNING = 5
"""Letters of a name that are seldom misspelt."""


def keys_of(profile: Profile, account_id: int = 0) -> list[int]:
    """The keys of a profile as numbers of 64 bits, the most telling first; no two accounts share one."""
    return list(dict.fromkeys(_number(f"{account_id} {key}") for key in _keys(profile)))[:MOST_KEYS]


def _keys(profile: Profile) -> Iterator[str]:
    names = profile.names[:MOST_NAMES]
    for name in names:
        yield f"name {name.joined}"
        yield f"words {' '.join(_all_words(name))}"
    yield from (f"mail {mail}" for mail in sorted(profile.mailboxes)[:MOST_OF_A_KIND])
    yield from (f"phone {phone[-7:]}" for phone in sorted(profile.phones)[:MOST_OF_A_KIND])
    yield from (f"web {web}" for web in sorted(profile.webs)[:MOST_OF_A_KIND])
    for place in profile.places:
        area = place.zip or place.city
        if not area:
            continue
        if place.numbers:
            yield f"door {area} {place.numbers[0]}"
        for name in names[:1]:
            yield f"beginning {area} {name.joined[:BEGINNING]}"
        for word in sorted({word for name in names for word in name.telling}):
            yield f"word {area} {word}"


def _all_words(name: Name) -> list[str]:
    return sorted({*name.telling, *(() if name.telling else name.common)})


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)
