"""`prune`: let go what was kept long enough."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from accounts.pruning import PrunedAlready, count_prunable, list_prunables, prune

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from accounts.pruning import Prunable


class Command(BaseCommand):
    help = (
        "Lets go what was kept as long as the settings say, in small batches, until nothing is left. Where it is ended "
        "in the middle, the next one goes on. Workers do the same every hour by themselves."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kinds", nargs="*", metavar="KIND", help="only these; --dry-run names them all")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and let nothing go")
        parser.add_argument("--most", type=int, metavar="N", help="end after so many")
        add_json_argument(parser)

    def handle(self, *, kinds: list[str], dry_run: bool, most: int | None, as_json: bool, **_: Any) -> None:
        chosen = list_prunables(kinds)
        if unknown := sorted(set(kinds) - {kind.name for kind in chosen}):
            known = ", ".join(kind.name for kind in list_prunables())
            raise CommandError(f"There is no kind {unknown[0]!r}; there are {known}.", returncode=2)
        if most is not None and most < 1:
            raise CommandError("--most takes a number from 1.", returncode=2)
        problems, is_done = [], not dry_run
        if dry_run:
            counts = count_prunable(chosen)
        else:
            try:
                pruned = prune(chosen, most=most)
            except PrunedAlready as error:
                raise CommandError(str(error)) from None
            counts, problems, is_done = pruned.counts, pruned.problems, pruned.is_done
        if as_json:
            said = {"dry_run": dry_run, "counts": counts, "is_done": is_done, "problems": problems}
            self.stdout.write(json.dumps(said))
        else:
            self._print(chosen, counts, problems, dry_run)
        if problems:
            sys.exit(1)

    def _print(self, kinds: list[Prunable], counts: dict[str, int], problems: list[str], dry_run: bool) -> None:
        for kind in kinds:
            count = counts.get(kind.name)
            said = "kept for ever" if kind.cutoff() is None else "not looked at" if count is None else f"{count:,}"
            self.stdout.write(f"{kind.name:<16} {said:>14}  {kind.label}{_say_days(kind)}")
        self.stdout.write("Dry run: nothing went." if dry_run else f"{sum(counts.values()):,} went.")
        for problem in problems:
            self.stderr.write(problem)


def _say_days(kind: Prunable) -> str:
    if kind.cutoff() is None or not kind.setting:
        return ""
    return f", after {kind.days or 0:g} days ({kind.setting})"
