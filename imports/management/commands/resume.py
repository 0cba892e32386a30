"""`resume`: let a suspended system go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.management.base import BaseCommand
from accounts.suspending import resume
from imports.messages.delivering import give_up_pending
from imports.models import Feed

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Lets a suspended system go on: feeds are pulled, messages are sent and the drop box opens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--give-up-messages",
            action="store_true",
            help="never send the mails, webhooks, receipts and rejects that wait: after a restore, others may have "
            "sent them",
        )

    def handle(self, *, give_up_messages: bool, **_: Any) -> None:
        with transaction.atomic():
            given_up = give_up_pending("It waited when the system was resumed.") if give_up_messages else 0
            was_suspended = resume()
        if give_up_messages:
            self.stdout.write(f"{given_up:,} messages were given up.")
        if not was_suspended:
            self.stdout.write("The system was not suspended.")
            return
        feeds = Feed.objects.in_turn().count()
        self.stdout.write(f"The system goes on. {feeds:,} feeds are due, and are pulled within some minutes.")
