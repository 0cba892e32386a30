"""`load_format`: a format as a file becomes the draft of an account's format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from accounts.management.arguments import add_account_argument, find_account
from accounts.management.base import BaseCommand
from imports.choosing import find_named, read_spec
from imports.errors import SettingsWrong
from imports.formats.documents import read_format, write_format
from imports.formats.policies import FormatError
from imports.management.arguments import check_readable
from imports.versioning import save_draft

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from accounts.models import Account
    from imports.formats.spec import FormatSpec


class Command(BaseCommand):
    help = "Makes a format as a file the draft of an account's format, new or known; nothing that is live changes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the format, in YAML")
        add_account_argument(parser)
        parser.add_argument("--name", help="what the format is called (the name in the file when not given)")

    def handle(self, *, file: Path, account: str, name: str | None, **_: Any) -> None:
        owner = find_account(account)
        check_readable(file)
        try:
            spec = read_format(file.read_text(encoding="utf-8-sig"))
        except FormatError as error:
            raise CommandError(f"{file}: {error}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} is not text in UTF-8.") from None
        try:
            self._save(owner, name or spec.name, spec)
        except SettingsWrong as error:
            raise CommandError(f"{file}: {error}", returncode=2) from None

    def _save(self, account: Account, name: str, spec: FormatSpec) -> None:
        try:
            newest = find_named(account, name)
            unchanged = write_format(read_spec(newest)).partition("\n")[2] == write_format(spec).partition("\n")[2]
        except SettingsWrong:  # there is none yet, or an incomplete draft
            unchanged = False
        if unchanged:
            self.stdout.write(f"{newest} ({newest.status}) is like this already; nothing was changed.")
            return
        draft = save_draft(account, name, spec)
        self.stdout.write(f"Saved as {draft} (draft), {len(spec.columns or ())} columns.")
