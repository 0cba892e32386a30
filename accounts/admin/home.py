"""The home page of the admin: what needs somebody, and how things are going, as the installed apps say.

An app brings both by attributes of its AppConfig, dotted paths of functions: `home_needs` find what waits for people,
`home_panels` show how something is going. They are asked for some accounts: all that one may see, or the chosen one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.health import find_problems
from accounts.models import Account
from accounts.plugins import collect, load
from accounts.suspending import is_suspended, say_suspended
from accounts.users import user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from accounts.models import User

MOST_COUNTED = 1000
"""Nobody reads larger numbers, and counting a million rows would hold up the page."""
MOST_OFFERED = 200
"""How many accounts are offered to choose from; the code of any other can be typed."""


@dataclass(frozen=True)
class Need:
    """How many of something wait for people, in words behind the number, and the list of them."""

    count: int
    text: str
    url: str
    is_urgent: bool = False

    @property
    def number(self) -> str:
        return f"{self.count:,}" if self.count <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"


@dataclass(frozen=True)
class Panel:
    """A part of the page: a template with its context, and where there is more."""

    title: str
    template: str
    context: dict[str, Any]
    url: str = ""


@dataclass(frozen=True)
class Scope:
    """The accounts that the page is about."""

    chosen: Account | None
    visible: QuerySet[Account] = field(repr=False)

    @property
    def accounts(self) -> QuerySet[Account]:
        """The chosen account, or all production accounts that one may see: what waits in a sandbox waits for nobody."""
        if self.chosen:
            return self.visible.filter(pk=self.chosen.pk)
        return self.visible.filter(sandbox_of=None)

    def need(
        self,
        found: QuerySet[Any],
        words: tuple[str, str],
        query: dict[str, str] | None = None,
        *,
        is_urgent: bool = False,
    ) -> Need:
        """What was found in these accounts, with words for one and for several, and a link to the same in its list."""
        count = found.order_by()[: MOST_COUNTED + 1].count()
        return Need(count, words[count != 1], self.list_of(found.model, query), is_urgent)

    def list_of(self, model: type[Model], query: dict[str, str] | None = None) -> str:
        """The address of a model's list in the admin, narrowed to these accounts."""
        narrowed = {"account__id__exact": str(self.chosen.pk)} if self.chosen else {"kind": "production"}
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        return f"{path}?{urlencode({**(query or {}), **narrowed})}"


def describe_home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows."""
    visible = Account.objects.visible_to(user_of(request))
    code = request.GET.get("account", "").strip()
    scope = Scope(visible.filter(code__iexact=code).first() if code else None, visible)
    finders: list[Callable[[HttpRequest, Scope], Iterable[Need]]] = load("home_needs")
    panels: list[Callable[[HttpRequest, Scope], Iterable[Panel]]] = load("home_panels")
    needs = [need for find in finders for need in find(request, scope) if need.count]
    offered = list(visible.order_by("code")[: MOST_OFFERED + 1])
    return {
        **context,
        "title": scope.chosen.name if scope.chosen else "Home",
        "scope": scope,
        "unknown": code if code and not scope.chosen else "",
        "offered": offered[:MOST_OFFERED],
        "may_edit": _may_edit(user_of(request), scope.chosen),
        "needs": sorted(needs, key=lambda need: not need.is_urgent),
        "panels": [panel for show in panels for panel in show(request, scope)],
        "suspended": say_suspended() if is_suspended() else "",
        "problems": find_problems(),
        "shortcuts": find_shortcuts(user_of(request), scope.chosen),
    }


def _may_edit(user: User, account: Account | None) -> bool:
    """Whether anything of one account, or of any, is this person's to decide."""
    return user.may_edit(account.pk) if account else user.edits_any_account


def find_shortcuts(user: User, account: Account | None = None) -> list[tuple[str, str]]:
    """What an editor often does, as the apps say: words and page, for one account or for any."""
    if not _may_edit(user, account):
        return []
    asked = f"?account={account.pk}" if account else ""
    return [(words, f"{reverse(page)}{asked}") for words, page in collect("shortcuts")]
