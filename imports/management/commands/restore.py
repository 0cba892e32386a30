"""`restore`: a backup into an empty database, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.db import Error

from accounts.management.base import BaseCommand
from accounts.outages import describe_failure
from imports.backups.manifests import read_manifest
from imports.backups.restoring import check_backup, restore_backup
from imports.management.arguments import as_command_error
from imports.models import Feed, Message

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.backups.manifests import Manifest
    from imports.backups.restoring import Restored

MOST_NAMED = 10


class Command(BaseCommand):
    help = (
        "Restores a backup into an empty database, and its copies of files into their storage; an older one is "
        "migrated. The system is suspended then: nothing is pulled or sent, and the drop box is closed, until "
        "manage.py resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE", type=Path, help="the folder that manage.py backup made")
        parser.add_argument(
            "--replace", action="store_true", help="let it take the place of all that the database holds"
        )
        parser.add_argument(
            "--without-secrets", action="store_true",
            help="restore although the keys of stored passwords are lost, which have to be set anew then",
        )  # fmt: skip

    def handle(self, *, source: Path, replace: bool, without_secrets: bool, **_: Any) -> None:
        source = source.absolute()
        try:
            manifest = self.look_at(source, replace=replace, without_secrets=without_secrets)
            with as_command_error():
                restored = restore_backup(source, manifest)
        except OSError as error:
            raise CommandError(f"{error.filename or source}: {error.strerror or error}.") from None
        except Error as error:
            raise CommandError(describe_failure(error)) from None
        self.tell(manifest, restored)

    def look_at(self, source: Path, **how: bool) -> Manifest:
        """Raises CommandError, with 2 as exit code, for what speaks against it; nothing was changed by then."""
        with as_command_error():
            manifest = read_manifest(source)
            check_backup(source, manifest, **how)
            return manifest

    def tell(self, manifest: Manifest, restored: Restored) -> None:
        counts = manifest.counts
        parts = [
            f"{counts.get(table, 0):,} {words}"
            for table, words in (
                ("accounts_account", "accounts"),
                ("connections_connection", "connections"),
                ("imports_feed", "feeds"),
                ("imports_run", "runs"),
            )
        ]
        self.stdout.write(f"Restored the backup of {manifest.made_at}: {', '.join(parts)}, {manifest.files:,} copies.")
        if restored.migrations:
            self.stdout.write(f"Migrated from release {manifest.version}: {', '.join(restored.migrations)}.")
        self.name("copies that runs name are missing, and cannot be replayed or downloaded", restored.missing)
        self.name("files in the storage are named by nothing, and are pruned in a day", restored.unnamed)
        self.stdout.write("\n".join(["", "The system is suspended. Next:", *_say_next()]))

    def name(self, what: str, things: list[str]) -> None:
        if things:
            more = f" and {len(things) - MOST_NAMED:,} more" if len(things) > MOST_NAMED else ""
            self.stdout.write(f"{len(things):,} {what}: {', '.join(things[:MOST_NAMED])}{more}.")


def _say_next() -> list[str]:
    waiting = Message.objects.pending().count()
    feeds = Feed.objects.filter(enabled=True).count()
    said = [
        "Start the web server and look whether all is there: manage.py check_health.",
        f"Make sure that no other system pulls the {feeds:,} enabled feeds any more, or disable them here.",
        "Files that came after the backup lie in the folders for imported files of their servers, or came into the "
        "drop box and are gone: put them back, upload them, or have them sent again.",
    ]
    if waiting:
        said.append(
            f"{waiting:,} messages waited when the backup was made. If they were sent since: "
            "manage.py resume --give-up-messages."
        )
    said.append("manage.py resume, and start the workers and the drop box.")
    return [f"{number}. {line}" for number, line in enumerate(said, 1)]
