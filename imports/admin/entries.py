"""Entries that lists lack and customers wait for: on the page of a run and above the list itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import Account
from accounts.users import user_of
from imports.admin.steps import link
from imports.models import Run
from imports.runs.awaiting import Awaited, find_awaited, find_awaited_in
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http import HttpRequest

MOST_SHOWN = 10
ACCOUNTS_LOOKED_AT = 20


def notice_awaited(request: HttpRequest, list_name: str) -> Iterator[str]:
    """What files of the accounts that the user edits wait for in a list."""
    editable = Account.objects.editable_by(user_of(request))
    rejecting = Run.objects.replayable().order_by().values("account")
    for account in editable.filter(pk__in=rejecting)[:ACCOUNTS_LOOKED_AT]:
        for entry in find_awaited_in(account, list_name)[:MOST_SHOWN]:
            yield format_html("{}: {}", account, offer_entry(account, entry))


def offer_entry(account: Account, awaited: Awaited) -> str:
    """How many customers wait for it, with a link to the step that ends it."""
    page = reverse("admin:imports_run_add_entry", args=[awaited.runs[-1]])
    url = f"{page}?{urlencode({'list': awaited.list_name, 'value': awaited.value})}"
    step = "replay" if is_in_list(account, awaited) else "add it and replay"
    return format_html("{}: {}", awaited, link(url, step))


def find_named(run: Run, list_name: str, value: str) -> Awaited | None:
    """What the run and the account's newest files wait for under this name."""
    found = [*find_awaited_in(run.account, list_name), *find_awaited(run.account, [run.pk], list_name)]
    return next((awaited for awaited in found if awaited.value == value), None)


def _find_entry(account: Account, awaited: Awaited) -> Any:
    """The entry, where it was added meanwhile."""
    entries: Any = LISTS[awaited.list_name]
    return entries.objects.filter(account=account, **awaited.fields).first()


def is_in_list(account: Account, awaited: Awaited) -> bool:
    """Whether it was added meanwhile."""
    return _find_entry(account, awaited) is not None


def form_of_entry(account: Account, awaited: Awaited, data: Any) -> Any:
    """Asks for what is still to be known of the entry; none where it is there already."""
    if is_in_list(account, awaited):
        return None
    model = LISTS[awaited.list_name]
    names = [field.name for field in model._meta.fields if field.name not in ("id", "account")]
    made = forms.modelform_factory(model, fields=names, widgets=dict.fromkeys(names, UnfoldAdminTextInputWidget))
    return made(data, instance=model(account=account, **awaited.fields))


def describe_replays(awaited: Awaited, form: Any) -> Iterable[str]:
    """What the step does."""
    if form is None:
        yield "The list has it by now."
    runs = ", ".join(f"run {run}" for run in awaited.runs)
    yield (
        f"What {runs} rejected is imported again from the kept copies. Customers that came again since are left as "
        "they are, and named."
    )
