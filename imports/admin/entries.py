"""Entries that lists lack and customers wait for: on the page of a run and above the list itself."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import F, Q, Value
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import Account
from accounts.users import user_of
from imports.admin.steps import link
from imports.models import Run
from imports.runs.awaiting import MOST_LOOKED_AT, RUNS_LOOKED_AT, Awaited, find_awaited, find_awaited_in
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

MOST_SHOWN = 10
ACCOUNTS_LOOKED_AT = 4
"""Those whose files last rejected something."""


def notice_awaited(request: HttpRequest, list_name: str) -> Iterator[str]:
    """What files of the accounts that the user edits wait for in a list."""
    rejecting = Run.objects.filter(account__in=Account.objects.editable_by(user_of(request))).replayable()
    newest = rejecting.select_related("account")[:RUNS_LOOKED_AT]
    accounts = list(dict.fromkeys(run.account for run in newest))
    for account in accounts[:ACCOUNTS_LOOKED_AT]:
        awaited = find_awaited_in(account, list_name, MOST_LOOKED_AT)[:MOST_SHOWN]
        for said in offer_entries(account, awaited):
            yield format_html("{}: {}", account, said)


def offer_entries(account: Account, awaited: Collection[Awaited]) -> Iterator[str]:
    """How many customers wait for each, with a link to the step that ends it."""
    present = find_present(account, awaited)
    for entry in awaited:
        page = reverse("admin:imports_run_add_entry", args=[entry.runs[-1]])
        url = f"{page}?{urlencode({'list': entry.list_name, 'value': entry.value})}"
        yield format_html("{}: {}", entry, link(url, "replay" if entry in present else "add it and replay"))


def find_named(run: Run, list_name: str, value: str) -> Awaited | None:
    """What the run and the account's newest files wait for under this name."""
    found = [*find_awaited_in(run.account, list_name), *find_awaited(run.account, [run.pk], list_name)]
    return next((awaited for awaited in found if awaited.value == value), None)


def find_present(account: Account, awaited: Collection[Awaited]) -> set[Awaited]:
    """Those that were added meanwhile; in one query, of however many lists they are."""
    asked: dict[tuple[str, ...], list[Awaited]] = defaultdict(list)
    for entry in awaited:
        asked[entry.list_name, *entry.fields].append(entry)
    known: list[QuerySet[Any, Any]] = []
    for (name, *columns), entries in asked.items():
        model: Any = LISTS[name]
        either = reduce(or_, (Q(**entry.fields) for entry in entries))
        which = (Value(f"{name} {columns[0]}"), F(columns[0]), F(columns[-1]))
        known.append(model.objects.filter(either, account=account).order_by().values_list(*which))
    if not known:
        return set()
    found = set(known[0].union(*known[1:]))
    return {entry for entry in awaited if _key(entry) in found}


def _key(entry: Awaited) -> tuple[str, str, str]:
    columns, values = list(entry.fields), list(entry.fields.values())
    return f"{entry.list_name} {columns[0]}", values[0], values[-1]


def is_in_list(account: Account, awaited: Awaited) -> bool:
    """Whether it was added meanwhile."""
    return bool(find_present(account, [awaited]))


def form_of_entry(account: Account, awaited: Awaited, data: Any) -> Any:
    """Asks for what is still to be known of the entry; none where it is there already."""
    if is_in_list(account, awaited):
        return None
    model = LISTS[awaited.list_name]
    names = [field.name for field in model._meta.fields if field.name not in ("id", "account")]
    made = forms.modelform_factory(model, fields=names, widgets=dict.fromkeys(names, UnfoldAdminTextInputWidget))
    return made(data, instance=model(account=account, **awaited.fields))


def describe_replays(run: Run, awaited: Awaited, form: Any) -> Iterable[str]:
    """What the step does, and what comes next for the run where it is none of those that are replayed."""
    if form is None:
        yield "The list has it by now."
    if awaited.runs:
        runs = ", ".join(f"run {run}" for run in awaited.runs)
        yield (
            f"What {runs} rejected is imported again from the kept copies. Customers that came again since are left as "
            "they are, and named."
        )
    if run.awaits_decision:
        yield f"{run.file_name} stays held: release it next."
    elif run.dry_run:
        yield f"{run.file_name} was only tried out: import it next."
