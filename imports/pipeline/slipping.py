"""Slip: columns of new customers whose values go with those of each other, as when a spreadsheet sorts or moves one
column without the rest → warnings of the file.

Of known customers `connections.history.shifts` tells by what stood before. Of new ones nothing did; but states have
their postal codes, countries the form of theirs, and websites and e-mails are named after who has them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from connections.history.shifts import FEWEST
from connections.models import Connection
from connections.stored import fetch_stored
from imports.errors import Problem
from imports.formats.postal_codes import find_country, postal_country
from imports.formats.us_states import find_us_state, is_us_zip

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from connections.stored import AddressValues, StoredCustomer
    from imports.models import Run

MOST_CUSTOMERS = 500
"""How many new customers of a file are looked at, the last ones: what slips in the middle is slipped at the end."""
MOST_SAID = 3
"""How many warnings a file gets; slipped names differ from websites, e-mails and addresses."""
LEAST_OF_PLACES = 5
"""One of so many addresses must contradict itself."""
LEAST_OF_NAMES = 3
"""One of so many names must go with another customer: shops of one owner may bear the names of each other."""
SHORTEST_NAME = 5
"""Letters and digits of a name that is no chance."""
_HOST = re.compile(r"(?:https?://)?(?:(?:www|shop)\.)?([^./:?#]+)\.", re.IGNORECASE)
_BETWEEN = re.compile(r"[\W_]+")
"""What stands between letters and digits, accents apart as well."""
_REMEDY = (
    "A column seems to be sorted or moved without the others. If so, undo this run and have the file sent again as the "
    "ERP writes it; nothing is to be done if they are right."
)

Named = dict[str, dict[str, tuple[str, str]]]
"""By field and folded name, the customer code and the value as it stands."""


@dataclass
class Agreement:
    """How many values go with the others of their record, and of which customers they do not."""

    fields: str
    fits: int = 0
    misfits: list[str] = field(default_factory=list)
    """What is said of each."""

    @property
    def judged(self) -> int:
        return self.fits + len(self.misfits)

    def is_slipped(self, least: int) -> bool:
        return len(self.misfits) >= FEWEST and least * len(self.misfits) >= self.judged


def find_slips(run: Run, at: datetime) -> list[Problem]:
    """Warnings of what seems slipped among the customers that a run made at a time; in its transaction.

    Where most customers of a file are known, these tell of it.
    """
    if run.created < FEWEST or 2 * run.created < run.customers:
        return []
    created = Connection.objects.filter(account=run.account_id, updated_at=at, created_at=at).order_by("-pk")
    last = fetch_stored(created[:MOST_CUSTOMERS])
    return list(_find_slips([*reversed(last.values())]))


def _find_slips(customers: Collection[StoredCustomer]) -> Iterator[Problem]:
    """Of the most misfits first."""
    places = [found for found in _compare_places(customers) if found.is_slipped(LEAST_OF_PLACES)]
    names = [found for found in _compare_names(customers) if found.is_slipped(LEAST_OF_NAMES)]
    for found in sorted(places + names, key=lambda found: -len(found.misfits))[:MOST_SAID]:
        message = (
            f"{found.fields} go with other customers in {len(found.misfits):,} of {found.judged:,} cases: "
            f"{'; '.join(found.misfits[:2])}. {_REMEDY}"
        )
        yield Problem(code="slipped_column", message=message, severity="warning", field=found.fields.split()[0])


# -- places


def _compare_places(customers: Iterable[StoredCustomer]) -> Iterable[Agreement]:
    """States of the US with postal codes, and countries with what state and postal code say."""
    found: dict[str, Agreement] = {}
    for customer in customers:
        for (kind, _), (_, address) in customer.addresses.items():
            word = "shipping" if kind == "S" else "billing"
            for name, fits, said in _judge_place(address):
                fields = f"{word}_{name} and {word}_zip"
                agreement = found.setdefault(fields, Agreement(fields))
                if fits:
                    agreement.fits += 1
                else:
                    agreement.misfits.append(f"{customer.code!r} has {said}")
    return found.values()


def _judge_place(address: AddressValues) -> Iterator[tuple[str, bool, str]]:
    """What of an address can be told: the field, whether it goes with the postal code, and what is said if not."""
    country = postal_country(address.country)
    state = find_us_state(address.state) if is_us_zip(address.zip) else None
    goes = state is not None and state.has(address.zip)
    if state and country == "US":
        yield "state", goes, f"{address.state!r} with {address.zip!r}"
    if told := "US" if goes else find_country(address.zip):
        yield "country", told == country, f"{address.country!r} with {address.zip!r}, which is of {told}"


# -- names


def _compare_names(customers: Iterable[StoredCustomer]) -> Iterator[Agreement]:
    """Fields two by two: whether the name that a value of one bears is that of the customer's own other, or of the
    other of somebody else who has both.
    """
    owners: Named = defaultdict(dict)
    named: dict[str, set[str]] = defaultdict(set)
    shared: set[tuple[str, str]] = set()
    for customer in customers:
        for name, value, bears in _texts_of(customer):
            if len(folded := _fold(bears)) < SHORTEST_NAME:
                continue
            named[name].add(customer.code)
            owner, _ = owners[name].setdefault(folded, (customer.code, value))
            if owner != customer.code:
                shared.add((name, folded))
    for name, folded in shared:
        del owners[name][folded]
    for one, other in combinations(owners, 2):
        yield _compare_fields(one, other, owners, named[one] & named[other])


def _compare_fields(one: str, other: str, owners: Named, with_both: set[str]) -> Agreement:
    """Of two fields, by the names that one customer alone bears in each."""
    agreement = Agreement(f"{one} and {other}")
    for folded in owners[one].keys() & owners[other].keys():
        (code, value), (owner, theirs) = owners[one][folded], owners[other][folded]
        if code == owner:
            agreement.fits += 1
        elif code in with_both and owner in with_both:
            agreement.misfits.append(f"{code!r} has {value!r}, but {owner!r} has {theirs!r}")
    agreement.misfits.sort()
    return agreement


def _texts_of(customer: StoredCustomer) -> Iterator[tuple[str, str, str]]:
    """What may be named after a customer or a person: the field, its value, and the part of it that bears a name."""
    values = customer.values
    yield "profile_name", values.profile_name, values.profile_name
    if host := _HOST.match(values.website):
        yield "website", values.website, host[1]
    for buyer in customer.buyers.values():
        person, _, host_name = buyer.email.rpartition("@")
        yield "buyer_email", buyer.email, person
        yield "buyer_email", buyer.email, host_name.partition(".")[0]
        yield "buyer_name", buyer.name, buyer.name
    for (kind, _), (_, address) in customer.addresses.items():
        if kind == "S":
            yield "shipping_name", address.name, address.name
            yield "shipping_email", address.email, address.email.rpartition("@")[2].partition(".")[0]


def _fold(text: str) -> str:
    """A name as names are compared: without case, accents, and all that is no letter or digit."""
    letters = text.casefold() if text.isascii() else unicodedata.normalize("NFKD", text.casefold())
    return _BETWEEN.sub("", letters)
