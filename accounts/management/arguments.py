"""Arguments that commands of all apps have in common."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from accounts.models import Account

if TYPE_CHECKING:
    from argparse import ArgumentParser


LAST_PORT = 65535


def add_account_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--account", required=True, help="code of the account")


def add_json_argument(parser: ArgumentParser) -> None:
    """For what programs read: `as_json` tells."""
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object and nothing else")


def find_account(code: str) -> Account:
    """The account of this code. Raises CommandError, with 2 as exit code, where there is none."""
    account = Account.objects.select_related("sandbox_of").filter(code=code).first()
    if account is None:
        raise CommandError(f"There is no account {code!r}. Make it with create_account.", returncode=2)
    return account


def port_number(text: str) -> int:
    """The type of an argument that is a TCP port; 0 is for whoever takes any that is free."""
    if not (text.isascii() and text.isdigit()) or int(text) > LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is no port: give a number up to {LAST_PORT}")
    return int(text)
