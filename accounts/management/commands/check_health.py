"""`check_health`: whether workers work, feeds are on time and secrets can be read."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any

from django.db import Error

from accounts.health import find_all_problems, find_unreadable_secrets
from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from accounts.outages import describe

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Says whether workers work, feeds are pulled in time and stored secrets can be read. Exit code 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_json_argument(parser)

    def handle(self, **options: Any) -> None:
        problems = find_all_problems(describe)
        with contextlib.suppress(Error):  # a database that is down is among the problems already
            problems += find_unreadable_secrets()
        if options["as_json"]:
            self.stdout.write(json.dumps({"ok": not problems, "problems": problems}, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(problems) or "All is well.")
        if problems:
            sys.exit(1)
