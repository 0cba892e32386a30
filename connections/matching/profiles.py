"""Profiles: a connection as it is compared with others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connections.matching.normalising import domain_of, names_in, phone_of, place_of, web_of
from connections.matching.words import MAIL_FOR_ALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connections.matching.normalising import Name, Place

MOST_RECORDS = 50
"""How many addresses, and how many buyers, are compared; the others of a customer with more of them are not."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What tells a customer from others; every part may be empty."""

    names: tuple[Name, ...] = ()
    places: tuple[Place, ...] = ()
    phones: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    webs: frozenset[str] = frozenset()
    code: str = ""
    near_key: str = ""
    said: dict[str, str] = field(default_factory=dict, compare=False)
    """Postal codes and telephones as they were written, for reasons."""


def make_profile(
    names: Sequence[str],
    website: str = "",
    addresses: Iterable[Sequence[str]] = (),
    mails: Iterable[str] = (),
    code: str = "",
    near_key: str = "",
) -> Profile:
    """A profile of raw values; an address is (name, street, city, zip, country, email, phone)."""
    called = list(dict.fromkeys(filter(None, names)))
    places, phones, mailboxes, said = [], set(), {*filter(None, mails)}, {}
    for name, street, city, postal_code, country, mail, phone in list(addresses)[:MOST_RECORDS]:
        called.append(name)
        places.append(place_of(country, postal_code, city, street))
        if number := phone_of(phone):
            phones.add(number)
            said[number] = phone
        mailboxes.add(mail)
    mailboxes = {mail.strip().lower() for mail in mailboxes if "@" in mail}
    webs = {web_of(website), *(domain_of(mail.rpartition("@")[2]) for mail in mailboxes)} - {""} - MAIL_FOR_ALL
    return Profile(
        tuple(dict.fromkeys(found for name in dict.fromkeys(filter(None, called)) for found in names_in(name))),
        tuple(dict.fromkeys(places)),
        frozenset(phones),
        frozenset(mailboxes),
        frozenset(webs),
        code,
        near_key,
        said,
    )
