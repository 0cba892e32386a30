"""`pull_feeds`: pull feeds now, in this process, one after the other."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from imports.errors import TryAgainLater
from imports.feeds.pulling import pull_feed
from imports.management.arguments import find_feed, printable
from imports.models import Feed, Pull, Run

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.models.feeds import Feed as FeedType


class Command(BaseCommand):
    help = "Pulls feeds now: imports what is new in their folders. The queue is not needed for that."
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feeds", nargs="*", metavar="NAME", help="feeds, as NAME or ACCOUNT/NAME")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true", help="all enabled feeds")
        which.add_argument("--due", action="store_true", help="the enabled feeds whose turn it is")
        add_json_argument(parser)

    def handle(self, *, feeds: list[str], **options: Any) -> None:
        if bool(feeds) == (options["all"] or options["due"]):
            raise CommandError("Name the feeds to pull, or give --all or --due.", returncode=2)
        pulled = []
        for feed in self.choose_feeds(feeds, due=options["due"]):
            described = self.pull(feed)
            pulled.append(described)
            if not options["as_json"]:
                self.print_pull(described)
        if options["as_json"]:
            self.stdout.write(json.dumps({"feeds": pulled}, ensure_ascii=False))
        elif not pulled:
            self.stdout.write("No feed is due." if options["due"] else "There is no enabled feed.")
        ends = {run["status"] for described in pulled for run in described["runs"]}
        if any(described["status"] != Pull.Status.SUCCEEDED for described in pulled) or ends - {Run.Status.SUCCEEDED}:
            sys.exit(1)

    def choose_feeds(self, names: list[str], *, due: bool) -> list[FeedType]:
        if names:
            return [find_feed(name) for name in names]
        feeds = Feed.objects.in_turn() if due else Feed.objects.filter(enabled=True)
        return list(feeds.select_related("account").order_by("account__code", "name"))

    def pull(self, feed: FeedType) -> dict[str, Any]:
        """Pull one feed; what goes wrong with it does not keep the next one waiting."""
        newest = Run.objects.order_by("-id").values_list("pk", flat=True).first() or 0
        described = {"feed": f"{feed.account.code}/{feed.name}", "runs": []}
        try:
            pull = pull_feed(feed)
        except TryAgainLater as error:
            return {**described, "status": str(Pull.Status.FAILED), "message": str(error)}
        runs = feed.runs.filter(pk__gt=newest).order_by("pk")
        return {
            **described,
            "status": str(pull.status),
            "message": pull.message,
            "runs": [
                {"run": run.pk, "file": run.file_name, "status": run.status, "message": run.message, **run.counts}
                for run in runs
            ],
        }

    def print_pull(self, described: dict[str, Any]) -> None:
        message = f": {described['message']}" if described["message"] else ""
        self.say(f"{described['feed']}: {described['status']}{message}")
        for run in described["runs"]:
            counts = ", ".join(f"{run[name]:,} {name}" for name in ("created", "updated", "unchanged", "rejected"))
            self.say(f"  run {run['run']}: {run['file']}: {run['status']} ({counts})")
            if run["message"]:
                self.say(f"    {run['message']}")
        if not described["runs"] and described["status"] == Pull.Status.SUCCEEDED and not message:
            self.say("  nothing new")

    def say(self, line: str) -> None:
        self.stdout.write(printable(line))
