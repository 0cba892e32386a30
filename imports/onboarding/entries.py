"""Entries: what an account's lists hold is evidence, for a column whose values all stand in one of them is of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imports.onboarding.headers import NOTHING
from imports.template import Target
from lookups.directory import LookupDirectory
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from accounts.models import Account
    from imports.onboarding.columns import Column
    from imports.onboarding.profiles import Profile

_FIELDS = {
    "price_types": ("", "price_type_name"),
    "payment_terms": ("payment_terms_code", "payment_terms"),
    "shipping_terms": ("shipping_terms", ""),
    "sales_reps": ("sales_rep_code", ""),
    "warehouses": ("warehouse_code", "warehouse_name"),
    "customer_groups": ("customer_group_code", "customer_group_name"),
    "company_numbers": ("company_number_code", "company_number_name"),
}
"""By list, the fields that take its codes and its names."""
ALMOST_ALL = 0.95
CONFIRMED, HELD, SHORT = 0.95, 0.78, 0.55
"""How sure a column is whose header says the list as well, says nothing, or whose values may be in it by accident."""
SAYS_OTHERWISE = 0.7
"""From this confidence on, what the header and the values say goes before a list that holds them as well."""


@dataclass(frozen=True)
class Entries:
    """The entries of an account's lists by the field that takes them, and its price types as currency and label."""

    by_field: Mapping[str, Collection[str]] = field(default_factory=dict)
    price_types: Sequence[tuple[str, str]] = ()


def load_entries(account: Account) -> Entries:
    """What the lists of an account hold."""
    directory = LookupDirectory(account)
    by_field: dict[str, set[str]] = {}
    for name, (of_codes, of_names) in _FIELDS.items():
        entries = directory[name]
        if of_codes:
            by_field[of_codes] = set(entries.ids)
        if of_names:
            by_field[of_names] = set(entries.names.values())
    by_field["sales_rep_code"] |= directory.rep_codes.keys()
    price_types = directory["price_types"].entries.values()
    return Entries(by_field, [(entry.currency, entry.name) for entry in price_types])


def recognise_entries(columns: Sequence[Column], entries: Entries) -> None:
    """Propose the fields of lists that hold all values of a column."""
    for column in columns:
        profile = column.profile
        if column.is_decided or profile.is_blank or profile.booleans > ALMOST_ALL:
            continue
        found = [name for name, held in entries.by_field.items() if held and _are_held(profile, held)]
        for name in found:
            target = Target(name)
            known = column.candidates.get(target)
            says_otherwise = any(
                other.confidence >= SAYS_OTHERWISE for other in column.candidates.values() if other.target.name != name
            )
            if known is None and says_otherwise and not _says_nothing(column):
                continue
            sure = HELD if len(found) == 1 and _is_distinctive(profile) else SHORT
            evidence = "the account's list has all its values"
            if known is not None and known.confidence >= SHORT:
                column.propose(
                    target, max(CONFIRMED if sure == HELD else sure, known.confidence), *known.evidence, evidence
                )
            else:
                column.propose(target, sure, evidence)


def _are_held(profile: Profile, held: Collection[str]) -> bool:
    return profile.share(lambda cell: read_key(cell) in held or ("@" in cell and cell.lower() in held)) >= ALMOST_ALL


def _is_distinctive(profile: Profile) -> bool:
    """Whether the values are hardly in a list by accident."""
    return any(len(cell) > 2 for cell in profile.counts) or (profile.distinct > 2 and profile.length > 1)


def _says_nothing(column: Column) -> bool:
    return column.best is not None and NOTHING in (column.best.owner, column.best.part)
