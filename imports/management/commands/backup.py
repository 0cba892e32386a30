"""`backup`: the database and the copies of files, as they are at one moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.db import Error
from django.template.defaultfilters import filesizeformat

from accounts.management.base import BaseCommand
from accounts.outages import describe_failure
from imports.backups.making import make_backup
from imports.management.arguments import as_command_error

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Makes a backup, a folder with the database and the copies of files as they are at this moment; imports go on. "
        "The encryption keys are not in it: keep them elsewhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", metavar="TARGET", type=Path, help="the folder to make")
        parser.add_argument(
            "--leave-files", action="store_true",
            help="leave the copies in their storage, which is kept safe by itself, such as a bucket with versions",
        )  # fmt: skip

    def handle(self, *, target: Path, leave_files: bool, **_: Any) -> None:
        try:
            with as_command_error():
                manifest = make_backup(target.absolute(), leave_files=leave_files)
        except OSError as error:
            raise CommandError(f"No backup was made: {error.filename or target}: {error.strerror or error}.") from None
        except Error as error:
            raise CommandError(f"No backup was made. {describe_failure(error)}") from None
        copies = f"{manifest.files:,} copies of files ({filesizeformat(manifest.files_bytes)})"
        if manifest.left_in:
            copies = f"no copies of files, which stay in {manifest.left_in}"
        size = filesizeformat(manifest.parts["database.dump"].bytes).replace("\xa0", " ")
        self.stdout.write(f"{target}: the database ({size}) and {copies}.".replace("\xa0", " "))
        if manifest.gone:
            named = ", ".join(manifest.gone[:5])
            self.stderr.write(f"{len(manifest.gone)} copies that the database names were not in the storage: {named}")
        if manifest.keys:
            self.stdout.write(f"To read its secrets, keep the keys of the fingerprints {', '.join(manifest.keys)}.")
        if manifest.unreadable:
            self.stderr.write(f"{manifest.unreadable} stored secrets are read by none of ENCRYPTION_KEYS.")
