"""Await: entries that lists lack, and how many rejected customers wait for each of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, Max

from accounts.counting import counted
from connections.given import given_fields
from connections.models import Change, Connection
from imports.errors import SettingsWrong
from imports.pipeline.issues import MOST_OF_A_CODE
from imports.runs.replaying import queue_replay
from imports.template import Group, find_target
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from accounts.models import Account, User
    from imports.models import Run
    from lookups.models import Lookup

RUNS_LOOKED_AT = 20
"""How many of an account's newest runs that rejected something are looked at."""
MOST_LOOKED_AT = 2000
"""How many issues are looked at, of the newest runs first, where it is only named what is awaited."""
LONGEST = 200
"""Issues keep no more of a value."""

_FIELDS = {
    f"{given.name}_{part}": (given.list_name, part == "code")
    for given in given_fields(Connection)
    if given.list_name
    for part in ("code", "name")
}


class Awaited(NamedTuple):
    """An entry that a list lacks, by code or by name, how many customers wait for it, and the runs to replay.

    With `is_least` not everything was looked at, and there may be more of both.
    """

    list_name: str
    value: str
    is_code: bool
    customers: int
    runs: tuple[int, ...]
    is_least: bool = False

    def __str__(self) -> str:
        who = counted(self.customers, "customer waits,customers wait")
        return f"{'at least ' if self.is_least else ''}{who} for {self.list_name.replace('_', ' ')} {self.value}"

    @property
    def fields(self) -> dict[str, str]:
        """What is known of the entry, by the fields of its model."""
        if self.list_name == "price_types":
            currency, _, label = self.value.partition(" ")
            return {"currency": currency, "label": label}
        return {"code": self.value} if self.is_code else {"name": self.value}


def find_awaited_in(account: Account, list_name: str | None = None, most: int | None = None) -> list[Awaited]:
    """What the account's newest files wait for, of one list or of all; those with most customers first."""
    runs = account.runs.replayable()[:RUNS_LOOKED_AT]
    return find_awaited(account, [run.pk for run in runs], list_name, most)


def find_awaited(
    account: Account, runs: Collection[int], list_name: str | None = None, most: int | None = None
) -> list[Awaited]:
    """What runs of the account (by id) rejected customers for. Who was changed since by a later run does not wait.

    Looks at no more than so many issues, if `most` is given: at those of the first of the runs first.
    """
    found = _find_lacking(runs, most)
    is_least = most is not None and sum(count for *_, count in found) == most
    waiting = [(code, *entry, value, run) for code, field, value, run, _ in found
               if len(value) < LONGEST and (entry := find_entry(field)) and list_name in (None, entry[0])]  # fmt: skip
    taken = _find_taken(account, {code for code, *_ in waiting})
    customers: dict[tuple[str, bool, str], set[str]] = defaultdict(set)
    runs_of: dict[tuple[str, bool, str], set[int]] = defaultdict(set)
    for code, of_list, is_code, value, run in waiting:
        if taken.get(code, 0) <= run:
            customers[of_list, is_code, value].add(code)
            runs_of[of_list, is_code, value].add(run)
    awaited = [
        Awaited(of_list, value, is_code, len(codes), tuple(sorted(runs_of[of_list, is_code, value])), is_least)
        for (of_list, is_code, value), codes in customers.items()
    ]
    return sorted(awaited, key=lambda entry: (-entry.customers, entry.list_name, entry.value))


def _find_lacking(runs: Collection[int], most: int | None) -> list[tuple[str, str, str, int, int]]:
    """Customers that lists lacked something for: code, field, value, the last of the runs that says so, and how many
    issues do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_code, field, value, max(run_id), count(*)"
            " FROM (SELECT issue.* FROM unnest(%s::bigint[]) run CROSS JOIN LATERAL ("
            "SELECT run_id, customer_code, field, value FROM imports_issue WHERE run_id = run"
            " AND code = 'unknown_lookup' AND severity = 'error' AND customer_code <> '' ORDER BY line, id LIMIT %s"
            ") issue LIMIT %s) lacking GROUP BY customer_code, field, value",
            [list(runs), MOST_OF_A_CODE, most],
        )
        found: list[tuple[str, str, str, int, int]] = cursor.fetchall()
    return found


def find_entry(field: str) -> tuple[str, bool] | None:
    """The list that a field of the template names entries of, and whether by their codes."""
    target = find_target(field)
    if target is None:
        return None
    group = target.field.group
    if group in LISTS:
        return str(group), group == Group.PRICE_TYPES or target.field.part == "code"
    return _FIELDS.get(target.name)


def _find_taken(account: Account, codes: set[str]) -> dict[str, int]:
    """The last run that changed each of these customers."""
    changes = Change.objects.filter(account=account.pk, customer_code__in=codes, run_id__isnull=False)
    return dict(changes.order_by().values_list("customer_code").annotate(last=Max(F("run_id"))))


def add_and_replay(account: Account, entry: Lookup | None, runs: Iterable[int], user: User) -> list[Run]:
    """Add an entry to its list, and queue replays of the runs that wait for it; of one that is there, replays alone.

    Raises SettingsWrong where there is such an entry, or a run cannot be replayed; nothing is done then.
    """
    try:
        with transaction.atomic():
            if entry is not None:
                entry.full_clean()
                entry.save()
            return [queue_replay(run, user) for run in account.runs.filter(pk__in=runs).order_by("pk")]
    except ValidationError as error:
        raise SettingsWrong(" ".join(error.messages)) from None
