"""`promote_format`: the next step in the life of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.management.arguments import add_account_argument, find_account
from accounts.management.base import BaseCommand
from imports.choosing import describe_feeds, find_named
from imports.management.arguments import as_command_error, find_user
from imports.versioning import approve, describe_test, start_testing

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.models import FormatVersion


class Command(BaseCommand):
    help = "Takes the newest version of a format from draft to testing, or from testing to live."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", metavar="NAME[@VERSION]", help="the newest version when none is given")
        add_account_argument(parser)
        parser.add_argument("--to", required=True, choices=["testing", "live"], help="the step to take")
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            metavar="FIELD",
            help="a field that the sample does not give and the format does without; may be repeated",
        )
        parser.add_argument("--reason", default="", help="why it goes live after less than two weeks of testing")
        parser.add_argument(
            "--by", metavar="USER", help="the user who approves (the name you are logged in with when not given)"
        )

    def handle(
        self,
        *,
        format: str,  # noqa: A002  (the argument's name)
        account: str,
        to: str,
        without: list[str],
        reason: str,
        by: str | None,
        **_: Any,
    ) -> None:
        owner = find_account(account)
        with as_command_error():
            version = find_named(owner, format)
            if to == "testing":
                version = start_testing(version, without=without)
                self.stdout.write(f"{version} is in testing; {self._where(version)}.")
                return
            name, user = find_user(by, version.format.account)
            version = approve(version, name, user=user, reason=reason)
        self.stdout.write(
            f"{version} is live, approved by {version.approver} after {describe_test(version)} of testing."
        )
        for line in describe_feeds(version):
            self.stdout.write(line)

    def _where(self, version: FormatVersion) -> str:
        codes = version.format.account.sandboxes.values_list("code", flat=True)
        return f"import files of the ERP into {' or '.join(codes)} with --format {version}"
