"""Commands of libraries that would go around the pipeline: each is answered with the one to use instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class RefusedCommand(BaseCommand):
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("anything", nargs="*")

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])  # whatever else is given, the answer is the same

    def handle(self, **_: Any) -> None:
        raise CommandError(self.help, returncode=2)
