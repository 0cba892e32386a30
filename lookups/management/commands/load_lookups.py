"""`load_lookups`: the lists of an account, from a CSV file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from accounts.management.arguments import add_account_argument, add_json_argument, find_account
from accounts.management.base import BaseCommand
from accounts.waiting import Busy
from lookups.loading import LoadResult, load_file

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Adds entries to the lists of an account and renames known ones, from a CSV file with the columns "
        "list, code, name, currency and email. A file with any problem is refused whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV in UTF-8")
        add_account_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="check and count, but change nothing")
        add_json_argument(parser)

    def handle(self, *, file: Path, account: str, dry_run: bool, as_json: bool, **_: Any) -> None:
        result = self._load(file, account, dry_run)
        if as_json:
            self.stdout.write(json.dumps(_as_dict(account, result), ensure_ascii=False))
        else:
            self._print(result, dry_run)
        if result.problems:
            count = len(result.problems)
            raise CommandError(f"The file was refused: {count} problem{'s' * (count != 1)}.", returncode=1)

    def _load(self, file: Path, code: str, dry_run: bool) -> LoadResult:
        try:
            return load_file(find_account(code), file, dry_run=dry_run)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise CommandError(f"{file} cannot be read: {reason}.", returncode=2) from None
        except Busy as busy:
            raise CommandError(str(busy), returncode=1) from None

    def _print(self, result: LoadResult, dry_run: bool) -> None:
        if result.problems:
            for problem in result.problems:
                place = ", ".join(part for part in (problem.line and f"line {problem.line}", problem.column) if part)
                value = f" {problem.value!r}" if problem.value else ""
                self.stdout.write(f"{place}:{value} {problem.message}" if place else problem.message)
            return
        self.stdout.write(f"{'':<16}{'created':>9}{'updated':>9}{'unchanged':>11}")
        for name, counts in result.lists.items():
            self.stdout.write(f"{name:<16}{counts.created:>9}{counts.updated:>9}{counts.unchanged:>11}")
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")


def _as_dict(account: str, result: LoadResult) -> dict[str, Any]:
    return {
        "account": account,
        "status": result.status,
        "lists": {name: asdict(counts) for name, counts in result.lists.items()},
        "issues": [asdict(problem) for problem in result.problems],
    }
