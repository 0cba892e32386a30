"""Import a customer file into an account."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from tqdm import tqdm

from accounts.management.arguments import add_account_argument, add_json_argument, find_account
from accounts.management.base import BaseCommand
from imports.describing import describe_run
from imports.management.arguments import as_command_error, check_readable, check_writable, choose_version
from imports.models import Run
from imports.pipeline import ImportRequest, import_file
from imports.pipeline.recognising import LOOKED_AT

if TYPE_CHECKING:
    from argparse import ArgumentParser

SHOWN_ISSUES = 50


class Command(BaseCommand):
    help = "Imports a customer file into an account: adds its new customers, updates the known ones."
    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the customer file")
        add_account_argument(parser)
        parser.add_argument(
            "--format",
            metavar="NAME[@VERSION]",
            help="the format of the file, or standard for the standard template; without it the account's live format, "
            "else the standard template; rejected rows that come back are read as their run was",
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything and roll it back")
        parser.add_argument("--rejects", type=Path, metavar="PATH", help="write the rejected rows there, with reasons")
        add_json_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        path, rejects = options["file"], options["rejects"]
        check_readable(path)
        check_writable(rejects)
        if rejects is not None and rejects.exists() and rejects.samefile(path):
            raise CommandError("--rejects would overwrite the customer file. Give another name.", returncode=2)
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
        version = choose_version(account, options["format"], start)
        request = ImportRequest(
            account=account, path=path, version=version, dry_run=options["dry_run"], rejects=rejects
        )
        try:
            with (
                as_command_error(),
                ProgressBar(shown=sys.stderr.isatty() and not options["as_json"]) as progress,
            ):
                run = import_file(request, progress=progress.show)
        except OSError as error:
            raise CommandError(f"{path} cannot be read to its end: {error.strerror}. Nothing was applied.") from error
        except KeyboardInterrupt as stop:
            said = str(stop) or "Stopped before the end; nothing was applied."
            raise CommandError(said, returncode=128 + signal.SIGINT) from None
        if options["as_json"]:
            self.stdout.write(json.dumps(describe_run(run), ensure_ascii=False))
        else:
            self.print_run(run, rejects)
        if run.status != Run.Status.SUCCEEDED:
            sys.exit(1)

    def print_run(self, run: Run, rejects: Path | None) -> None:
        dry = " (dry run: nothing was kept)" if run.dry_run else ""
        self.stdout.write(f"Run {run.pk}: {run.file_name} into {run.account.code}: {run.status}{dry}")
        if run.message:
            self.stdout.write(run.message)
        for name, count in run.counts.items():
            self.stdout.write(f"  {name.replace('_', ' '):<14}{count:>10,}")
        self.stdout.write(f"  {'seconds':<14}{run.seconds or 0:>10.2f}")
        issues = list(run.issues.all()[: SHOWN_ISSUES + 1])
        for issue in issues[:SHOWN_ISSUES]:
            place = f"line {issue.line}" if issue.line else "file"
            column = f", column {issue.column}" if issue.column else ""
            self.stdout.write(f"{issue.severity}: {place}{column}: {issue.message} [{issue.code}]")
        if len(issues) > SHOWN_ISSUES:
            more = run.issues.count() - SHOWN_ISSUES
            self.stdout.write(f"… and {more:,} more; see all of them with --json or in the admin.")
        if rejects and rejects.exists() and (run.rejected or run.rows_rejected):
            self.stdout.write(f"The rejected rows are in {rejects}; mend them there and import that file.")


class ProgressBar:
    """A bar on the terminal for each stage of the pipeline."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self.stage = ""
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        if not self.shown:
            return
        if self.bar is None or self.stage != stage:
            if self.bar is not None:
                self.bar.close()
            unit = {"Reading": "B", "Checking": " customers"}.get(stage, "")
            self.bar = tqdm(total=total, desc=stage, unit=unit, unit_scale=True, leave=False)
            self.stage = stage
        self.bar.update(done - self.bar.n)
