"""`replay_run`: import the rejected customers of a kept file again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from imports.describing import describe_run
from imports.management.arguments import add_reason, as_command_error, find_run, find_user, printable
from imports.models import Run
from imports.runs.replaying import find_left, replay_run

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Imports the rejected customers of a run again from the copy of its file, once a list or the format was "
        "mended. Customers that came again since are left as they are, and named."
    )
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the run that rejected them")
        parser.add_argument("--dry-run", action="store_true", help="do everything and roll it back")
        parser.add_argument("--by", metavar="USER", help="the user who asks for it")
        add_reason(parser)
        add_json_argument(parser)

    def handle(self, *, run: int, dry_run: bool, by: str | None, reason: str, as_json: bool, **_: Any) -> None:
        replayed = find_run(run)
        user = find_user(by, replayed.account)[1]
        with as_command_error():
            done = replay_run(replayed, user=user, dry_run=dry_run, reason=reason)
        left = list(find_left(done))
        if as_json:
            self._print_json(done, left)
        else:
            self._print(done, left)
        if done.status != Run.Status.SUCCEEDED:
            sys.exit(1)

    def _print_json(self, run: Run, left: list[tuple[str, str]]) -> None:
        described = describe_run(run)
        described["left"] = [{"customer_code": code, "reason": reason} for code, reason in left]
        self.stdout.write(json.dumps(described, ensure_ascii=False))

    def _print(self, run: Run, left: list[tuple[str, str]]) -> None:
        counts = ", ".join(f"{run.counts[key]:,} {key}" for key in ("created", "updated", "unchanged", "rejected"))
        dry = " (dry run: nothing was kept)" if run.dry_run else ""
        said = f"{run} replays run {run.replays_id}: {run.status}, {counts}, {len(left):,} left{dry}"
        self.stdout.write(printable(said))
        for _, reason in left:
            self.stdout.write(printable(reason))
        for issue in run.issues.filter(severity="error")[:50]:
            self.stdout.write(printable(f"line {issue.line}: {issue.message}"))
