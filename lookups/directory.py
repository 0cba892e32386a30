"""The lists of an account, loaded once to resolve what a file names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

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


class LookupList:
    """One list of an account: entries by code (of price types: by "EUR label") and codes by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.longest_code = 100 if name in ("customer_groups", "company_numbers") else 255
        self.ids: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.codes: dict[int, str] = {}
        self._codes_by_name: dict[str, list[str]] = defaultdict(list)

    def add(self, pk: int, code: str, name: str) -> None:
        code, name = read_key(code), read_key(name)
        self.ids[code] = pk
        self.names[code] = name
        self.codes[pk] = code
        self._codes_by_name[name].append(code)

    def codes_named(self, name: str) -> list[str]:
        """The codes of all entries with exactly this name."""
        return self._codes_by_name.get(name, [])


class LookupDirectory:
    """All lists of an account as they stand now.

    `revision` is 16 bytes that differ when any entry differs: it is derived from the entries, so that no way of
    editing a list can forget to raise it. `price_types` are the currency and label of each by its id.

    With `only`, ids by the name of their list, no other entries are read; the revision is then good for nothing.
    """

    def __init__(self, account: Account, only: Mapping[str, Collection[int]] | None = None) -> None:
        self.account = account
        self.lists = {name: LookupList(name) for name in LISTS}
        self.price_types: dict[int, tuple[str, str]] = {}
        digest = hashlib.blake2b(digest_size=16)
        for name, pk, code, entry in _fetch_entries(account, only):
            if name == "price_types":
                self.lists[name].add(pk, price_type_code(code, entry), entry)
                self.price_types[pk] = code, entry
                digest.update(repr((pk, code, entry)).encode())
            else:
                self.lists[name].add(pk, code, entry)
                digest.update(repr((name, pk, code, entry)).encode())
        self.revision = digest.digest()
        self.created: list[tuple[str, int]] = []

    def __getitem__(self, name: str) -> LookupList:
        return self.lists[name]

    @cached_property
    def rep_codes(self) -> dict[str, str]:
        """The codes of the sales reps by their e-mails in small letters; asked only where a code is not known."""
        reps = models.SalesRep.objects.filter(account=self.account).values_list("email", "code")
        return {email.lower(): code for email, code in reps}

    def create(self, pk: int, list_name: str, code: str, name: str, currency: str = "") -> None:
        """Add an entry under a reserved id, to be stored by `insert_created`; a price type with its currency."""
        self.lists[list_name].add(pk, code, name)
        if list_name == "price_types":
            self.price_types[pk] = currency, name
        self.created.append((list_name, pk))

    def insert_created(self) -> None:
        """Store the entries that were created."""
        for name, pk in self.created:
            if name == "price_types":
                currency, label = self.price_types[pk]
                models.PriceType.objects.create(id=pk, account=self.account, currency=currency, label=label)
            else:
                code = self.lists[name].codes[pk]
                entry = self.lists[name].names[code]
                model: Any = CODED_LISTS[name]  # abstract to mypy, which knows no id of it
                model._default_manager.create(id=pk, account=self.account, code=code, name=entry)


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


def price_type_code(currency: str, label: str) -> str:
    """What names a price type where others have a code; made to be looked up and shown, never to be taken apart."""
    return f"{currency} {label}"
