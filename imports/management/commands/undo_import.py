"""`undo_import`: take back what a run changed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from imports.management.arguments import add_reason, as_command_error, find_run, find_user, printable
from imports.runs.undoing import undo_run

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from connections.bulk.undoing import Undone
    from imports.models import Run

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Takes back what a run changed: restores updated values, deletes what it created. What was changed again since "
        "is left as it is, and named. The undo is a run itself, and can be undone."
    )
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the run")
        parser.add_argument("--dry-run", action="store_true", help="do everything and roll it back")
        parser.add_argument("--by", metavar="USER", help="the user who asks for it")
        add_reason(parser)
        add_json_argument(parser)

    def handle(self, *, run: int, dry_run: bool, by: str | None, reason: str, as_json: bool, **_: Any) -> None:
        found = find_run(run)
        user = find_user(by, found.account)[1]
        with as_command_error():
            undo, undone = undo_run(found, user=user, dry_run=dry_run, reason=reason)
        if as_json:
            self.stdout.write(json.dumps(_describe(found, undo, undone), ensure_ascii=False))
        else:
            self._print(found, undo, undone)
        if undone.left_in_all:
            sys.exit(1)

    def _print(self, run: Run, undo: Run, undone: Undone) -> None:
        dry = " (dry run: nothing was kept)" if undo.dry_run else ""
        made = f" {undone.created:,} made again," if undone.created else ""
        counts = (
            f"{undone.restored:,} restored,{made} {undone.deleted:,} deleted; left as they are: {undone.left_in_all:,}"
        )
        self.stdout.write(printable(f"Run {undo.pk} takes {run} back. Customers: {counts}{dry}"))
        for left in undone.left[:SHOWN]:
            self.stdout.write(printable(f"left: {left.customer_code}: {left.message}"))
        if undone.left_in_all > SHOWN:
            self.stdout.write(f"… and {undone.left_in_all - SHOWN:,} more; see them with --json or in the admin.")


def _describe(run: Run, undo: Run, undone: Undone) -> dict[str, Any]:
    """The contract of --json; of a very long list of what is left, its beginning and how many more there are."""
    return {
        "run": run.pk,
        "status": run.status,
        "undo": undo.pk,
        "dry_run": undo.dry_run,
        "restored": undone.restored,
        "created": undone.created,
        "deleted": undone.deleted,
        "left": [
            {
                "customer_code": left.customer_code,
                "record": left.record,
                "key": left.key,
                "field": left.field,
                "value": left.value,
                "changed_by": left.changed_by,
                "message": left.message,
            }
            for left in undone.left
        ],
        "left_in_all": undone.left_in_all,
        "seconds": undo.seconds,
    }
