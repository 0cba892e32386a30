"""Export the customers of an account."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from imports.exporting import export_file, export_json
from imports.management.commands.import_customers import check_writable

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Export the customers of an account as a file that imports back unchanged, or as JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="code of the account")
        parser.add_argument("--json", action="store_true", help="one JSON object per line instead of the template")
        parser.add_argument("--out", type=Path, metavar="PATH", help="write there instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(code=options["account"]).first()
        if account is None:
            raise CommandError(
                f"There is no account {options['account']!r}. Make it with create_account.", returncode=2
            )
        export = export_json if options["json"] else export_file
        path: Path | None = options["out"]
        check_writable(path)
        if path is None:
            try:
                export(account, self.stdout)  # type: ignore[arg-type]  # Django's wrapper writes like a text file
            except BrokenPipeError:  # whoever reads has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        draft = path.with_name(f"{path.name}.part")
        with draft.open("w", encoding="utf-8", newline="") as file:
            count = export(account, file)
        draft.replace(path)
        self.stderr.write(f"{count:,} customers written to {path}.")
