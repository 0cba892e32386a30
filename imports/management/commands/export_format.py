"""`export_format`: a version of a format as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from accounts.management.arguments import add_account_argument, find_account
from accounts.management.base import BaseCommand
from imports.choosing import find_named, read_spec
from imports.formats.documents import write_format
from imports.management.arguments import as_command_error, check_writable, writing

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Writes a version of a format as a YAML file that can be reviewed, kept and loaded again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", metavar="NAME[@VERSION]", help="the newest version when none is given")
        add_account_argument(parser)
        parser.add_argument("--out", type=Path, metavar="PATH", help="write there instead of standard output")

    def handle(self, *, format: str, account: str, out: Path | None, **_: Any) -> None:  # noqa: A002  (the argument's name)
        check_writable(out)
        with as_command_error():
            text = write_format(read_spec(find_named(find_account(account), format)))
        if out is None:
            self.stdout.write(text, ending="")
        else:
            with writing(out):
                out.write_text(text, encoding="utf-8")
