"""Compare codes: those that an account does not have → the ones it has that look like them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db.models import Q

from connections.mangled_codes import ACCENTED, DIGITS_KEPT, LONG_NUMBER, keys_left, keys_meant, name_mangling
from connections.models import Connection
from connections.near_keys import name_differences, near_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_NAMED = 3
"""How many codes a sentence names."""


def find_near(account_id: int, codes: Iterable[str]) -> dict[str, list[str]]:
    """For those of the codes that look like others of the account: the others, rejected ones last. One query, by index.

    Connections without a near-key, which code of the release before adds during an upgrade, are found as well.
    """
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for code in codes:
        for key in (near_key(code), *keys_meant(code)):
            asked[key].append(code)
    wanted = Q(near_key__in=[*asked, ""])
    if not all(key.isdigit() for key in asked):
        wanted |= Q(near_key__regex=ACCENTED)
    if any(len(key) > DIGITS_KEPT and key.endswith("0") and key.isdigit() for key in asked):
        wanted |= Q(near_key__regex=LONG_NUMBER)
    known = Connection.objects.filter(wanted, account=account_id).order_by()
    near: defaultdict[str, list[str]] = defaultdict(list)
    rows = known.values_list("status", "customer_code", "near_key")
    for _, other, stored in sorted(rows, key=lambda row: (row[0] == Connection.Status.REJECTED, row[1])):
        key = stored or near_key(other)
        for code in dict.fromkeys(code for own in (key, *keys_left(key)) for code in asked.get(own, ())):
            if code != other:
                near[code].append(other)
    return dict(near)


def describe_near(code: str, others: Sequence[str]) -> str:
    """The others with what tells them from the code: "'00123', which differs only in leading zeros"."""
    named = [f"{other!r}, which differs only in {name_difference(code, other)}" for other in others[:MOST_NAMED]]
    more = len(others) - len(named)
    return ", and ".join(named) + (f", and {more} more" if more else "")


def name_difference(code: str, other: str) -> str:
    """What two codes that look like each other differ in."""
    return name_differences(code, other) if near_key(code) == near_key(other) else name_mangling(code, other)
