"""`export_vocabulary`: what an account has learned of its headers, for an installation to be taught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from accounts.management.arguments import add_account_argument, find_account
from accounts.management.base import BaseCommand
from imports.models import LearnedHeader

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Prints which fields people decided an account's headers are, as ONBOARDING_VOCABULARY takes it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_account_argument(parser)

    def handle(self, *, account: str, **_: Any) -> None:
        learned = LearnedHeader.objects.describe(find_account(account))
        self.stdout.write(yaml.safe_dump(learned, allow_unicode=True, width=1000), ending="")
