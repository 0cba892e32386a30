"""`check_feed`: log in to a feed's server and say what a pull would do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from imports.feeds.inspecting import describe_inspection, inspect_feed
from imports.management.arguments import find_feed, printable

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.feeds.inspecting import Inspection

VERDICTS = {True: "it is the one that is trusted", False: "NOT the one that is trusted", None: "none is pinned"}


class Command(BaseCommand):
    help = (
        "Connects to a feed's server, shows the host key or certificate that it presents and whether it matches, and "
        "lists what would be pulled and why not the rest. Nothing is downloaded. What pulls do to the server is tried: "
        "the folders for imported files are made, and a probe file is written, renamed and removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", metavar="NAME", help="the feed, as NAME or ACCOUNT/NAME")
        parser.add_argument("--no-probe", action="store_true", help="only look: change nothing on the server")
        add_json_argument(parser)

    def handle(self, *, feed: str, **options: Any) -> None:
        found = inspect_feed(find_feed(feed), probe=not options["no_probe"])
        if options["as_json"]:
            self.stdout.write(json.dumps(describe_inspection(found), ensure_ascii=False))
        else:
            self.print_inspection(found)
        if not found.is_well:
            sys.exit(1)

    def print_inspection(self, found: Inspection) -> None:
        self.say(f"Server   {found.where}")
        trusted = found.identity is not None and found.identity.matches
        for identity in found.identities:
            self.say(f"{identity.kind.capitalize():<8} {identity.fingerprint} ({identity.details})")
            if identity.matches or not trusted:
                self.say(f"         {VERDICTS[identity.matches]}")
            if not trusted:
                self.say(f"         to trust it, once its operator has confirmed it: {identity.pin}")
        if found.format:
            self.say(f"Format   {found.format}")
        if found.problem:
            self.say(f"Problem  {found.problem}")
            return
        self.say(f"Files    {sum(file.taken for file in found.files)} of {len(found.files)} would be pulled")
        for file, taken, reason in found.files:
            moment = file.modified_at.strftime("%Y-%m-%d %H:%M:%S") if file.modified_at else "no time"
            self.say(f"  {'pull' if taken else '–':<5}{file.name}  {file.size:,} bytes  {moment}  {reason}")

        for trial in found.tried:
            verdict = (
                "" if not trial.problem else f": {trial.problem}" if trial.needed else f" (not needed): {trial.problem}"
            )
            self.say(f"{'Cannot' if trial.problem else 'Can':<8} {trial.what}{verdict}")

    def say(self, line: str) -> None:
        self.stdout.write(printable(line))
