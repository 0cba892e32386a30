"""Export the customers of an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from accounts.management.arguments import add_account_argument, find_account
from accounts.management.base import BaseCommand
from accounts.replicas import reading_replica
from imports.files.drafts import drafting, publish
from imports.files.exporting import export_file, export_json
from imports.formats.spec import STANDARD
from imports.management.arguments import as_command_error, check_writable, choose_version, writing

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import TextIO

    from accounts.models import Account
    from imports.formats.spec import FormatSpec


class Command(BaseCommand):
    help = "Exports the customers of an account as a file that imports back unchanged, or as JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_account_argument(parser)
        form = parser.add_mutually_exclusive_group()
        form.add_argument(
            "--format",
            metavar="NAME[@VERSION]",
            help="the format of the file, or standard for the standard template with every field; "
            "without it the account's live format, else the standard template",
        )
        form.add_argument("--json", action="store_true", help="one JSON object per line instead of a file")
        parser.add_argument("--out", type=Path, metavar="PATH", help="write there instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        path: Path | None = options["out"]
        check_writable(path)
        spec = STANDARD if options["json"] else _spec(account, options["format"])

        @reading_replica()
        def export(out: TextIO) -> int:
            return export_json(account, out) if options["json"] else export_file(account, out, spec)

        with as_command_error():
            if path is None:
                export(self.stdout)  # type: ignore[arg-type]  # Django's wrapper writes like a text file
                return
            with writing(path), drafting(path) as draft:
                with draft.open("w", encoding=spec.dialect.encoding, newline="") as file:
                    count = export(file)
                publish(draft, path)
            self.stderr.write(f"{count:,} customers written to {path}.")


def _spec(account: Account, name: str | None) -> FormatSpec:
    version = choose_version(account, name)
    return version.to_spec() if version else STANDARD
