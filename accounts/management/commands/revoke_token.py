"""`revoke_token`: make a token worthless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from accounts.management.base import BaseCommand
from accounts.models import AuthToken

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Revokes a user's tokens of a name, or that begin as given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="whose they are")
        parser.add_argument("name", metavar="NAME", help="the token's name, or its first 15 characters")

    def handle(self, *, user: str, name: str, **_: Any) -> None:
        tokens = AuthToken.objects.filter(user__username=user)
        count, _ = (tokens.filter(name=name) | tokens.filter(token_key=name)).delete()
        if not count:
            known = ", ".join(str(token) for token in tokens) or "none"
            raise CommandError(f"{user} has no token {name!r}; there are {known}.", returncode=2)
        self.stdout.write(f"{count} token{'s' * (count != 1)} of {user} revoked.")
