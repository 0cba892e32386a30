"""`create_account`: a new account, or the sandbox of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.management.base import BaseCommand
from accounts.models import Account
from accounts.sandboxes import add_sandbox

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Makes an account: a brand's space that owns its lists, formats and connections."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="letters, digits, hyphens and underscores; names the account everywhere")
        parser.add_argument("--name", help="what people call it (the code when not given)")
        parser.add_argument("--sandbox-of", metavar="ACCOUNT", help="code of the production account to be a sandbox of")
        parser.add_argument(
            "--auto-approve", action="store_true", help="approve new connections at once instead of after a review"
        )

    def handle(self, *, code: str, name: str | None, sandbox_of: str | None, auto_approve: bool, **_: Any) -> None:
        if Account.objects.filter(code=code).exists():
            raise CommandError(f"There is an account {code} already; choose another code.", returncode=2)
        production = self._production(sandbox_of)
        auto_approval = Account.AutoApproval.ALWAYS if auto_approve else Account.AutoApproval.NEVER
        try:
            if production is not None:
                add_sandbox(production, code, name or code, auto_approval=auto_approval)
                self.stdout.write(f"Created account {code}, the sandbox of {sandbox_of}, with a copy of its lists.")
                return
            account = Account(code=code, name=name or code, auto_approval=auto_approval)
            account.full_clean()
        except ValidationError as error:
            raise CommandError(_sentence(error), returncode=2) from None
        account.save()
        self.stdout.write(f"Created account {code}.")

    def _production(self, code: str | None) -> Account | None:
        if code is None:
            return None
        try:
            return Account.objects.get(code=code)
        except Account.DoesNotExist:
            raise CommandError(f"There is no account {code} to be a sandbox of.", returncode=2) from None


def _sentence(error: ValidationError) -> str:
    return " ".join(f"{field}: {message}" for field, messages in error.message_dict.items() for message in messages)
