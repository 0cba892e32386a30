"""`create_token`: make a token for a program, in a user's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.management.base import BaseCommand
from accounts.models import AuthToken, User
from accounts.tokens import LONGEST, make_token

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Makes a token with which a program uses the API in a user's name. It is printed now and never again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="in whose name")
        parser.add_argument("--name", required=True, help="which program it is for")
        parser.add_argument("--days", type=int, default=365, help="how long it is good for (365)")

    def handle(self, *, user: str, name: str, days: int, **_: Any) -> None:
        found = User.objects.filter(username=user, is_active=True).first()
        if found is None:
            raise CommandError(f"There is no active user {user!r}.", returncode=2)
        if not 1 <= days <= LONGEST:
            raise CommandError(f"Give 1 to {LONGEST} days.", returncode=2)
        try:
            AuthToken._meta.get_field("name").clean(name.strip(), None)
        except ValidationError as error:
            raise CommandError(f"--name: {' '.join(error.messages)}", returncode=2) from None
        _, token = make_token(found, name.strip(), days)
        self.stdout.write(token)
