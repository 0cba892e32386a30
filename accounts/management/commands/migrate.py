"""`migrate`: Django's, made for a system at work: nobody waits long behind it, and it waits for whoever is at work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg import errors

from accounts.management.base import Checking

if TYPE_CHECKING:
    from django.db.migrations import Migration

LOCK_TIMEOUT = "800ms"
"""Whoever asks for a table after a migration waits behind it. Less than the second after which the database looks for
deadlocks, so that of a migration and an import that wait for each other the migration gives way."""
PAUSE = 1.0
PATIENCE = 30 * 60
"""Seconds for which it is tried: longer than most imports."""
IN_THE_WAY = (errors.LockNotAvailable, errors.DeadlockDetected)


class Command(Checking, migrate.Command):
    help = (
        f"{migrate.Command.help} While others are at work, each migration waits less than a second for their locks, "
        "and is tried again until it gets them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.database: str = options["database"]
        until = time.monotonic() + PATIENCE
        while True:
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, IN_THE_WAY):
                    raise
                if time.monotonic() > until:
                    raise CommandError(
                        f"Others were in the way for {PATIENCE // 60} minutes. What was migrated stays; run "
                        "manage.py migrate again when less is imported, or stop the workers for it."
                    ) from None
                if options["verbosity"]:
                    self.stdout.write(" others are at work; once more:")
                self._begin_anew()
                time.sleep(PAUSE)
            else:
                self._wait_at_most("0")
                return

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Before each migration. One without a transaction builds indexes beside the others, and keeps nobody waiting
        while it waits for them; ended in the middle, it would leave an index that is none.
        """
        if action in ("apply_start", "unapply_start") and migration is not None:
            self._wait_at_most(LOCK_TIMEOUT if migration.atomic else "0")
        super().migration_progress_callback(action, migration, fake)

    def _wait_at_most(self, time_limit: str) -> None:
        with connections[self.database].cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{time_limit}'")

    def _begin_anew(self) -> None:
        """In another session: what failed at the end of a migration leaves Django in its transaction."""
        session = connections[self.database].connection
        if session is not None:
            session.close()
        del connections[self.database]
