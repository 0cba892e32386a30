"""The search box of the admin: what somebody typed → what of their accounts it may mean, as the installed apps find it.

An app brings its part by `search` of its AppConfig: dotted paths of functions that are asked a `Question` and find what
is shown, a few of each kind. The best come first, whoever found them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import Account
from accounts.plugins import load
from accounts.users import user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from accounts.models import User

MOST_FOUND = 10
"""How many of a kind are shown."""
LONGEST = 200
MOST_LISTED = 500
"""Of a superuser's accounts; more are not told one by one."""


class Rank(IntEnum):
    """How well something answers: it is what was typed, looks like it, begins so, or has it somewhere."""

    EXACT = 0
    NEAR = 1
    BEGINS = 2
    OTHER = 3


@dataclass(frozen=True)
class Found:
    """A line of the answer: a title, what it is, where it leads, and its icon (a Material Symbol)."""

    title: str
    description: str
    link: str
    icon: str
    rank: Rank = Rank.OTHER


@dataclass(frozen=True)
class Question:
    """What was typed, not blank, and by whom."""

    text: str
    user: User = field(repr=False)
    most: int = MOST_FOUND

    @property
    def accounts(self) -> QuerySet[Account]:
        """Those that the person may see."""
        return Account.objects.visible_to(self.user)

    @cached_property
    def account_ids(self) -> list[int] | None:
        """The same by id; none for a superuser's many accounts, which are all there are."""
        return visible_ids(self.user)

    def rank(self, name: str) -> Rank:
        """How well a name answers that has the text in it."""
        known, asked = name.casefold(), self.text.casefold()
        if known == asked:
            return Rank.EXACT
        return Rank.BEGINS if known.startswith(asked) else Rank.OTHER


def visible_ids(user: User) -> list[int] | None:
    """The accounts (by id) that one may see; none for a superuser's many accounts, which are all there are."""
    if not user.is_superuser:
        return list(user.roles)
    listed = list(Account.objects.order_by("pk").values_list("pk", flat=True)[: MOST_LISTED + 1])
    return listed if len(listed) <= MOST_LISTED else None


def show_found(request: HttpRequest) -> HttpResponse:
    """What is found, for the box that asks while somebody types."""
    text = " ".join(request.GET.get("s", "").split())[:LONGEST]
    if not text:
        return HttpResponse()
    began = time.perf_counter()
    question = Question(text, user_of(request))
    finders: list[Callable[[Question], Iterable[Found]]] = load("search")
    found = sorted((each for find in finders for each in find(question)), key=lambda each: each.rank)
    context = {
        "results": found,
        "page_obj": {"count": len(found)},
        "page_counter": 0,
        "execution_time": time.perf_counter() - began,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"})


def find_accounts(question: Question) -> Iterator[Found]:
    """Accounts by code and name."""
    asked = Q(code__icontains=question.text) | Q(name__icontains=question.text)
    for account in question.accounts.filter(asked).order_by("code")[: question.most]:
        yield Found(
            title=account.name,
            description=f"{account.code} · account",
            link=reverse("admin:accounts_account_change", args=[account.pk]),
            icon="apartment",
            rank=min(question.rank(account.code), question.rank(account.name)),
        )
