"""`release_run`: import a held file after all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from accounts.management.base import BaseCommand
from imports.management.arguments import add_reason, as_command_error, find_run, find_user, printable
from imports.models import Run
from imports.runs.releasing import release_run

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Imports the file of a held run, whatever the format's limits say. The feed that waited for it goes on."
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the held run")
        parser.add_argument("--force", action="store_true", help="even though a newer file went in since")
        parser.add_argument("--by", metavar="USER", help="the user who decides (the name you are logged in with)")
        add_reason(parser)

    def handle(self, *, run: int, force: bool, by: str | None, reason: str, **_: Any) -> None:
        held = find_run(run)
        name, user = find_user(by, held.account)
        with as_command_error():
            released = release_run(held, by=name, user=user, force=force, reason=reason)
        counts = ", ".join(f"{released.counts[key]:,} {key}" for key in ("created", "updated", "unchanged", "rejected"))
        said = f"Run {run} is released by {name}: {released} {released.status} ({counts})"
        self.stdout.write(printable(said))
        if released.status != Run.Status.SUCCEEDED:
            sys.exit(1)
