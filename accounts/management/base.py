"""What the commands of this program are made of."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.checks import Tags, run_checks
from django.core.management import base
from django.core.management.base import CommandError, SystemCheckError


class Checking(base.BaseCommand):
    """A command that ends with exit code 2 where a check finds that something is set up wrong."""

    def check(self, *args: Any, **options: Any) -> None:
        try:
            super().check(*args, **options)
        except SystemCheckError as error:
            raise CommandError(str(error), returncode=2) from None


class BaseCommand(Checking):
    """A command that serves no pages: at its start it checks what is set, and loads no pages to check those too.

    They are checked by `check`, `migrate` and `runserver`.
    """

    imports_files = False
    """Whether it may import files, for which the database is checked too."""

    requires_system_checks = [
        "settings",
        Tags.caches,
        Tags.compatibility,
        Tags.files,
        Tags.models,
        Tags.security,
        Tags.translation,
    ]

    def check(self, *args: Any, **options: Any) -> None:
        super().check(*args, **options)
        if self.imports_files:
            for found in run_checks(tags=[Tags.database], databases=["default"]):
                if found.is_serious() and not found.is_silenced():
                    raise CommandError(f"{found.msg} {found.hint} ({found.id})", returncode=2)

    def announce(self, line: str) -> None:
        """Say what a service is about to do, which it does all the same where the disk of its log is full."""
        with suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()
