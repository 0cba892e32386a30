"""Loading a file of lookups into an account: the whole file or nothing of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Account
from accounts.waiting import done_again, some_patience
from lookups.checking import check_rows
from lookups.directory import CODED_LISTS, LISTS
from lookups.models import CodedLookup, PriceType, SalesRep
from lookups.reading import read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from lookups.checking import Key
    from lookups.reading import Problem, Row


@dataclass
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class LoadResult:
    """What became of a file: counts per list, or the problems it was refused for."""

    lists: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in LISTS})
    problems: list[Problem] = field(default_factory=list)

    @property
    def status(self) -> str:
        return "rejected" if self.problems else "succeeded"


def load_file(account: Account, path: Path, *, dry_run: bool = False) -> LoadResult:
    """Add the entries the account does not have and rename those it has; nothing is ever deleted.

    A file with any problem is refused whole. A dry run is the real one rolled back. Raises OSError where there is
    no file to read, and Busy as below.
    """
    return load_rows(account, *read_rows(path), dry_run=dry_run)


@done_again
def load_rows(account: Account, rows: list[Row], problems: list[Problem], *, dry_run: bool = False) -> LoadResult:
    """The same for rows that come from elsewhere, with what was wrong with them already.

    Raises Busy where others, such as a file that is being imported, hold the lists for longer than a person waits.
    """
    result = LoadResult()
    with some_patience(lambda: [account.pk]):
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # two loads of an account take turns
        accepted, found = check_rows(account, rows)
        result.problems = sorted([*problems, *found], key=lambda problem: problem.line or 0)
        if not result.problems:
            result.lists["price_types"] = _store_price_types(account, accepted.rows["price_types"])
            for name, model in CODED_LISTS.items():
                result.lists[name] = _store_coded(account, model, accepted.rows[name])
        if dry_run:
            transaction.set_rollback(True)
    return result


def _store_price_types(account: Account, rows: dict[Key, Row]) -> Counts:
    stored = set(PriceType.objects.filter(account=account).values_list("currency", "label"))
    new = [
        PriceType(account=account, currency=currency, label=label)
        for currency, label in rows
        if (currency, label) not in stored
    ]
    PriceType.objects.bulk_create(new)
    return Counts(created=len(new), unchanged=len(rows) - len(new))


def _store_coded(account: Account, model: type[CodedLookup], rows: dict[Key, Row]) -> Counts:
    """Add or rename the entries of one list. A blank name leaves the name as it is."""
    columns = ["name", "email"] if model is SalesRep else ["name"]
    manager: Any = model._default_manager
    stored = {code: values for code, *values in manager.filter(account=account).values_list("code", *columns)}
    wanted: dict[str, list[str]] = {}
    for (code,), row in rows.items():
        values = [row.cells[column] for column in columns]
        if code in stored and not values[0]:
            values[0] = stored[code][0]
        if stored.get(code) != values:
            wanted[code] = values
    changed = [code for code in wanted if code in stored]
    if model is SalesRep:
        _vacate_emails(account, changed)
    manager.bulk_create(
        [
            model(account=account, code=code, **dict(zip(columns, values, strict=True)))
            for code, values in wanted.items()
        ],
        update_conflicts=True,
        unique_fields=["account", "code"],
        update_fields=columns,
    )
    return Counts(created=len(wanted) - len(changed), updated=len(changed), unchanged=len(rows) - len(wanted))


def _vacate_emails(account: Account, codes: list[str]) -> None:
    """Free the e-mails of reps that are about to change, so that they can be passed from one to another."""
    SalesRep.objects.filter(account=account, code__in=codes).update(
        email=Concat(Value("moving-"), Cast(F("pk"), TextField()))
    )
