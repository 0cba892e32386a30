"""`compare_format`: what differs between two versions of a format, and what that does to files that came before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.management.arguments import add_account_argument, find_account
from imports.errors import SettingsWrong, TryAgainLater
from imports.formats.differing import Difference, compare_specs
from imports.runs.replaying import Replay, find_replayable, replay_run
from imports.versioning import find_named, find_predecessor, read_spec

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.models import FormatVersion


class Command(BaseCommand):
    help = (
        "Shows what differs between a version of a format and the one before it, and reads kept files of earlier runs "
        "with both to show what would come out differently. Nothing is changed."
    )

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
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print one JSON object and nothing else"
        )

    def handle(self, *, format: str, account: str, other: str | None, files: int, as_json: bool, **_: Any) -> None:  # noqa: A002  (the argument's name)
        owner = find_account(account)
        try:
            version = find_named(owner, format)
            before = find_named(owner, other) if other else find_predecessor(version)
            specs = read_spec(before), read_spec(version)
            replays = [replay_run(run, *specs) for run in find_replayable(owner, before, max(0, files))]
        except SettingsWrong as error:
            raise CommandError(str(error), returncode=2) from None
        except TryAgainLater as error:
            raise CommandError(str(error)) from None
        differences = compare_specs(*specs)
        if as_json:
            self.stdout.write(json.dumps(_describe(before, version, differences, replays), ensure_ascii=False))
            return
        self.stdout.write(f"{before} ({before.status}) → {version} ({version.status})")
        for line in map(_line, differences) if differences else ["They say the same."]:
            self.stdout.write(f"  {line}")
        for replay in replays:
            self._print_replay(replay)
        if not replays and files:
            self.stdout.write(f"No file that was read with {before} is kept, so none could be read again.")

    def _print_replay(self, replay: Replay) -> None:
        self.stdout.write(
            f"{replay.run}: {replay.before.status} → {replay.after.status}, "
            f"{replay.before.rejected} → {replay.after.rejected} customers rejected, "
            f"{replay.customers} come out differently"
        )
        for run, word in ((replay.before, "before"), (replay.after, "after")):
            if run.message:
                self.stdout.write(f"  {word}: {run.message}")
        for code, differences in replay.shown:
            self.stdout.write(f"  customer {code}")
            for difference in differences:
                self.stdout.write(f"    {_line(difference)}")
        if replay.customers > len(replay.shown):
            self.stdout.write(f"  … and {replay.customers - len(replay.shown):,} more customers")


def _line(difference: Difference) -> str:
    return f"{difference.what}: {difference.before or 'nothing'} → {difference.after or 'nothing'}"


def _describe(
    before: FormatVersion, version: FormatVersion, differences: list[Difference], replays: list[Replay]
) -> dict[str, Any]:
    return {
        "before": str(before),
        "after": str(version),
        "differences": [difference._asdict() for difference in differences],
        "files": [
            {
                "run": replay.run.pk,
                "file": replay.run.file_name,
                "before": {
                    "status": replay.before.status,
                    "message": replay.before.message,
                    "counts": replay.before.counts,
                },
                "after": {
                    "status": replay.after.status,
                    "message": replay.after.message,
                    "counts": replay.after.counts,
                },
                "customers": replay.customers,
                "shown": [
                    {"customer_code": code, "differences": [difference._asdict() for difference in of_customer]}
                    for code, of_customer in replay.shown
                ],
            }
            for replay in replays
        ],
    }
