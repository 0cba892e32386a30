"""`reject_run`: decide that nothing of a held file is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.management.base import BaseCommand
from imports.management.arguments import add_reason, as_command_error, find_run, find_user, printable
from imports.runs.releasing import reject_run

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Rejects the file of a held run: nothing of it is applied. The feed that waited for it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the held run")
        parser.add_argument("--by", metavar="USER", help="the user who decides (the name you are logged in with)")
        add_reason(parser)

    def handle(self, *, run: int, by: str | None, reason: str, **_: Any) -> None:
        held = find_run(run)
        name, _user = find_user(by, held.account)
        with as_command_error():
            rejected = reject_run(held, by=name, reason=reason)
        self.stdout.write(printable(f"Run {run} is rejected by {name}; nothing of {rejected.file_name} was applied."))
