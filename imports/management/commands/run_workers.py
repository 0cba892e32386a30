"""`manage.py run_workers`: do what is queued, until told to end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings

import imports.tasks  # noqa: F401  (loaded before the processes are forked, each of which would load it anew)
from accounts.management.base import BaseCommand
from accounts.suspending import is_suspended, say_suspended
from imports.lanes import share_workers
from imports.workers.running import Watch

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Does what is queued: imports, pulls, messages. Ends with SIGTERM or Ctrl-C."
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers", type=int, default=settings.Q_CLUSTER["workers"], metavar="N",
            help="of all lanes together, each of which has one at least (Q_WORKERS)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        shares = share_workers(options["workers"])
        self.announce("Workers: " + ", ".join(f"{count} {lane}" for lane, count in shares.items()))
        if is_suspended():
            self.announce(say_suspended())
        if code := Watch(options["workers"]).run():
            sys.exit(code)
