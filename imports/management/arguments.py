"""Arguments and output that the commands of this app have in common."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from accounts.models import User
from imports.models import Feed, Run

if TYPE_CHECKING:
    from accounts.models import Account


def find_feed(name: str) -> Feed:
    """The feed called NAME or ACCOUNT/NAME. Raises CommandError, with 2 as exit code, where none or several are."""
    account, _, own = name.rpartition("/")
    feeds = Feed.objects.select_related("account__sandbox_of", "format").filter(name=own)
    found = list((feeds.filter(account__code=account) if account else feeds)[:2])
    if len(found) > 1:
        raise CommandError(f"Several accounts have a feed {name!r}. Say which one: ACCOUNT/{name}.", returncode=2)
    if not found:
        known = Feed.objects.order_by("account__code", "name").values_list("account__code", "name")[:10]
        names = ", ".join("/".join(pair) for pair in known) or "none yet: make one with create_feed"
        raise CommandError(f"There is no feed {name!r}; there are {names}.", returncode=2)
    return found[0]


def find_run(number: int) -> Run:
    """The run of this number. Raises CommandError, with 2 as exit code, where there is none."""
    related = ("account__sandbox_of", "feed", "format_version__format")
    run = Run.objects.select_related(*related).filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}.", returncode=2)
    return run


def printable(text: str) -> str:
    """Text with names from elsewhere, on one line; what a terminal would obey is spelled out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def find_user(name: str | None, account: Account) -> tuple[str, User | None]:
    """Who acts: a user of the site by name, who edits the account, else whoever is logged in on this machine."""
    if name is None:
        return getpass.getuser(), None
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {name!r}.", returncode=2)
    if not user.may_edit(account.pk):
        raise CommandError(f"{name} is no editor of {account.code}.", returncode=2)
    return name, user
