"""The lists of an account, loaded once to resolve what a file names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from accounts.replicas import read_from
from lookups import models
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from accounts.models import Account

CODED_LISTS: dict[str, type[models.CodedLookup]] = {
    "payment_terms": models.PaymentTerm,
    "shipping_terms": models.ShippingTerm,
    "sales_reps": models.SalesRep,
    "warehouses": models.Warehouse,
    "customer_groups": models.CustomerGroup,
    "company_numbers": models.CompanyNumber,
}
LISTS: dict[str, type[models.Lookup]] = {"price_types": models.PriceType, **CODED_LISTS}
"""The names of the lists, as files and commands write them."""


class Entry(NamedTuple):
    """An entry of a list; of a price type the code names both of its parts, and the name is its label."""

    code: str
    name: str
    currency: str = ""


GONE = Entry("", "")
"""What stands for an entry that was deleted."""


class LookupList:
    """One list of an account: ids and names by code (of price types: by "EUR label"), and codes by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.longest_code = 100 if name in ("customer_groups", "company_numbers") else 255
        self.ids: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.entries: dict[int, Entry] = {}
        self._codes_by_name: dict[str, list[str]] = defaultdict(list)

    def add(self, pk: int, entry: Entry) -> None:
        code, name = read_key(entry.code), read_key(entry.name)
        self.ids[code] = pk
        self.names[code] = name
        self.entries[pk] = Entry(code, name, entry.currency)
        self._codes_by_name[name].append(code)

    def find(self, code: str | None, name: str | None) -> int | None:
        """The id of the entry with this code; none where the list calls it by another name than one that is given."""
        if code is None or (name is not None and self.names.get(code) not in (name, "")):
            return None
        return self.ids.get(code)

    def codes_named(self, name: str) -> list[str]:
        """The codes of all entries with exactly this name."""
        return self._codes_by_name.get(name, [])


class LookupDirectory:
    """All lists of an account as they stand now; what files name is looked up there and nowhere else.

    `revision` is 16 bytes that differ when any entry differs: it is derived from the entries, so that no way of
    editing a list can forget to raise it.

    With `only`, ids by the name of their list, no other entries are read; the revision is then good for nothing.
    """

    def __init__(self, account: Account, only: Mapping[str, Collection[int]] | None = None) -> None:
        self.account = account
        self.lists = {name: LookupList(name) for name in LISTS}
        digest = hashlib.blake2b(digest_size=16)
        for name, pk, first, second in _fetch_entries(account, only):
            self.lists[name].add(pk, _entry(name, first, second))
            told = (pk, first, second) if name == "price_types" else (name, pk, first, second)
            digest.update(repr(told).encode())
        self.revision = digest.digest()
        self.created: list[tuple[str, int]] = []
        self._newer: dict[tuple[str, int], Entry] = {}

    def __getitem__(self, name: str) -> LookupList:
        return self.lists[name]

    def entry(self, list_name: str, pk: int) -> Entry:
        """The entry of a stored id.

        Customers are read later than the lists, and may have an entry that somebody added meanwhile: it is read now,
        but no file finds it that is judged by these lists. One that was deleted meanwhile is GONE.
        """
        known = self.lists[list_name].entries.get(pk) or self._newer.get((list_name, pk))
        if known is None:
            found = _fetch_entries(self.account, {list_name: [pk]})
            known = next((_entry(list_name, first, second) for _, _, first, second in found), GONE)
            self._newer[list_name, pk] = known
        return known

    @cached_property
    def rep_codes(self) -> dict[str, str]:
        """The codes of the sales reps by their e-mails in small letters; asked only where a code is not known."""
        reps = models.SalesRep.objects.filter(account=self.account).values_list("email", "code")
        return {email.lower(): code for email, code in reps}

    def create(self, pk: int, list_name: str, code: str, name: str, currency: str = "") -> None:
        """Add an entry under a reserved id, to be stored by `insert_created`; a price type with its currency."""
        self.lists[list_name].add(pk, Entry(code, name, currency))
        self.created.append((list_name, pk))

    def insert_created(self) -> None:
        """Store the entries that were created."""
        for name, pk in self.created:
            code, label, currency = self.lists[name].entries[pk]
            model: Any = LISTS[name]  # abstract to mypy, which knows no id of it
            values = {"currency": currency, "label": label} if name == "price_types" else {"code": code, "name": label}
            model._default_manager.create(id=pk, account=self.account, **values)


def _fetch_entries(account: Account, only: Mapping[str, Collection[int]] | None) -> list[tuple[str, int, str, str]]:
    """List, id, code and name of the account's entries by one query, each list in the order of its codes.

    Of price types currency and label are given.
    """
    parts: list[str] = []
    parameters: list[int | list[int]] = []
    for place, (name, model) in enumerate(LISTS.items()):
        columns = 'currency COLLATE "C", label COLLATE "C"' if name == "price_types" else "code, name"
        table = connection.ops.quote_name(model._meta.db_table)
        part = f"SELECT {place}, id, {columns} FROM {table} WHERE account_id = %s"
        parameters.append(account.pk)
        if only is not None:
            part += " AND id = ANY(%s)"
            parameters.append(list(only.get(name, ())))
        parts.append(part)
    with read_from(models.SalesRep).cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1, 3, 4", parameters)
        names = list(LISTS)
        return [(names[place], pk, code, name) for place, pk, code, name in cursor]


def _entry(list_name: str, first: str, second: str) -> Entry:
    """An entry as `_fetch_entries` gives it."""
    if list_name == "price_types":
        return Entry(price_type_code(first, second), second, first)
    return Entry(first, second)


def price_type_code(currency: str, label: str) -> str:
    """What names a price type where others have a code; made to be looked up and shown, never to be taken apart."""
    return f"{currency} {label}"
