"""`compare_format`: what differs between two versions of a format, and what that does to files that came before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from accounts.counting import counted
from accounts.management.arguments import add_account_argument, add_json_argument, find_account
from accounts.management.base import BaseCommand
from imports.choosing import find_named, find_predecessor, read_spec
from imports.formats.differing import Difference, compare_specs
from imports.management.arguments import as_command_error
from imports.runs.comparing import Comparison, compare_run, find_comparable

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.models import FormatVersion


class Command(BaseCommand):
    help = (
        "Shows what differs between a version of a format and the one before it, and reads kept files of earlier runs "
        "with both to show what would come out differently. Nothing is changed."
    )
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", metavar="NAME[@VERSION]", help="the newest version when none is given")
        add_account_argument(parser)
        parser.add_argument(
            "--with",
            dest="other",
            metavar="NAME[@VERSION]",
            help="the version to compare with (the live one, else the one before)",
        )
        parser.add_argument("--files", type=int, default=3, metavar="N", help="how many kept files to read (3)")
        add_json_argument(parser)

    def handle(self, *, format: str, account: str, other: str | None, files: int, as_json: bool, **_: Any) -> None:  # noqa: A002  (the argument's name)
        owner = find_account(account)
        with as_command_error():
            version = find_named(owner, format)
            before = find_named(owner, other) if other else find_predecessor(version)
            specs = read_spec(before), read_spec(version)
            comparisons = [compare_run(run, *specs) for run in find_comparable(owner, before, max(0, files))]
        differences = compare_specs(*specs)
        if as_json:
            self.stdout.write(json.dumps(_describe(before, version, differences, comparisons), ensure_ascii=False))
            return
        self.stdout.write(f"{before} ({before.status}) → {version} ({version.status})")
        for line in map(_line, differences) if differences else ["They say the same."]:
            self.stdout.write(f"  {line}")
        for comparison in comparisons:
            self._print_comparison(comparison)
        if not comparisons and files:
            self.stdout.write(f"No file that was read with {before} is kept, so none could be read again.")

    def _print_comparison(self, comparison: Comparison) -> None:
        self.stdout.write(
            f"{comparison.run}: {comparison.before.status} → {comparison.after.status}, "
            f"{comparison.before.rejected} → {counted(comparison.after.rejected, 'customer')} rejected, "
            f"{counted(comparison.customers, 'comes,come')} out differently"
        )
        for run, word in ((comparison.before, "before"), (comparison.after, "after")):
            if run.message:
                self.stdout.write(f"  {word}: {run.message}")
        for code, differences in comparison.shown:
            self.stdout.write(f"  customer {code}")
            for difference in differences:
                self.stdout.write(f"    {_line(difference)}")
        if comparison.customers > len(comparison.shown):
            self.stdout.write(f"  … and {comparison.customers - len(comparison.shown):,} more customers")


def _line(difference: Difference) -> str:
    return f"{difference.what}: {difference.before or 'nothing'} → {difference.after or 'nothing'}"


def _describe(
    before: FormatVersion, version: FormatVersion, differences: list[Difference], comparisons: list[Comparison]
) -> dict[str, Any]:
    return {
        "before": str(before),
        "after": str(version),
        "differences": [difference._asdict() for difference in differences],
        "files": [
            {
                "run": comparison.run.pk,
                "file": comparison.run.file_name,
                "before": {
                    "status": comparison.before.status,
                    "message": comparison.before.message,
                    "counts": comparison.before.counts,
                },
                "after": {
                    "status": comparison.after.status,
                    "message": comparison.after.message,
                    "counts": comparison.after.counts,
                },
                "customers": comparison.customers,
                "shown": [
                    {"customer_code": code, "differences": [difference._asdict() for difference in of_customer]}
                    for code, of_customer in comparison.shown
                ],
            }
            for comparison in comparisons
        ],
    }
