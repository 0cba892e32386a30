"""`suspend`: nothing goes out and nobody is let in, until `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.management.base import BaseCommand
from accounts.suspending import say_suspended, suspend
from imports.models import Pull

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Suspends the system, on all machines: no feed is pulled, nothing is written to its server, mails and webhooks "
        "wait, the drop box is closed, and nothing is pruned by itself. People and programs work on, and files that "
        "they bring are imported. What is at work comes to the end of its file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reason", nargs="?", default="", metavar="REASON", help="for whoever finds it suspended")

    def handle(self, *, reason: str, **_: Any) -> None:
        suspend(reason)
        self.stdout.write(say_suspended())
        if pulls := Pull.objects.filter(status=Pull.Status.RUNNING).count():
            self.stdout.write(f"Still at work: {pulls} pulls, each until it has imported its file.")
