"""`check_feed`: log in to a feed's server and say what a pull would do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from imports.inspecting import inspect_feed
from imports.management.arguments import find_feed

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.inspecting import Inspection

VERDICTS = {True: "it is the one that is trusted", False: "NOT the one that is trusted", None: "none is pinned"}


class Command(BaseCommand):
    help = (
        "Connects to a feed's server, shows the host key or certificate that it presents and whether it matches, and "
        "lists what would be pulled and why not the rest. Nothing is downloaded or changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", metavar="NAME", help="the feed, as NAME or ACCOUNT/NAME")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *, feed: str, **options: Any) -> None:
        found = inspect_feed(find_feed(feed))
        if options["json"]:
            self.stdout.write(json.dumps(describe(found), ensure_ascii=False))
        else:
            self.print_inspection(found)
        if found.problem:
            sys.exit(1)

    def print_inspection(self, found: Inspection) -> None:
        self.stdout.write(f"Server   {found.where}")
        if found.identity is not None:
            identity = found.identity
            self.stdout.write(f"{identity.kind.capitalize():<8} {identity.fingerprint} ({identity.details})")
            self.stdout.write(f"         {VERDICTS[identity.matches]}")
            if not identity.matches:
                self.stdout.write(f"         to trust it, once its operator has confirmed it: {identity.pin}")
        if found.format:
            self.stdout.write(f"Format   {found.format}")
        if found.problem:
            self.stdout.write(f"Problem  {found.problem}")
            return
        self.stdout.write(f"Files    {sum(file.taken for file in found.files)} of {len(found.files)} would be pulled")
        for file, taken, reason in found.files:
            moment = file.modified_at.strftime("%Y-%m-%d %H:%M:%S") if file.modified_at else "no time"
            name = ascii(file.name)[1:-1] if not file.name.isprintable() else file.name
            self.stdout.write(f"  {'pull' if taken else '–':<5}{name}  {file.size:,} bytes  {moment}  {reason}")


def describe(found: Inspection) -> dict[str, Any]:
    """The inspection as `--json` prints it."""
    return {
        "server": found.where,
        "identity": found.identity and found.identity._asdict(),
        "format": found.format,
        "problem": found.problem,
        "files": [
            {
                "path": file.path,
                "size": file.size,
                "modified_at": file.modified_at and file.modified_at.isoformat(),
                "pull": taken,
                "reason": reason,
            }
            for file, taken, reason in found.files
        ],
    }
