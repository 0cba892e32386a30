"""`dropbox_login`: change how the senders of a feed log in, and print what they need to know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.management.arguments import add_json_argument
from accounts.management.base import BaseCommand
from dropbox.guide import describe_access, write_guide
from dropbox.keys import read_public_keys
from dropbox.logins import set_new_password
from dropbox.models import Login
from imports.management.arguments import find_feed, read_text

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from imports.models import Feed


class Command(BaseCommand):
    help = "Changes a login of a feed of the kind dropbox, and prints what its senders need to know."

    def add_arguments(self, parser: ArgumentParser) -> None:
        from pathlib import Path

        parser.add_argument("feed", metavar="NAME", help="the feed, as NAME or ACCOUNT/NAME")
        parser.add_argument("--user", metavar="NAME", help="which login, where the feed has several")
        parser.add_argument("--create", action="store_true", help="make the login that --user names")
        password = parser.add_mutually_exclusive_group()
        password.add_argument("--new-password", action="store_true", help="make another password, and print it once")
        password.add_argument("--no-password", action="store_true", help="let it log in by key alone")
        parser.add_argument(
            "--add-key", type=Path, action="append", default=[], metavar="PATH",
            help="a public key in OpenSSH format; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--remove-key", action="append", default=[], metavar="FINGERPRINT", help="such as SHA256:…; may be repeated"
        )
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--at-once", action="store_true", help="import every file when it is uploaded")
        when.add_argument("--hourly", action="store_true", help="import at most once in the feed's interval")
        add_json_argument(parser)

    def handle(self, *, feed: str, user: str | None, create: bool, **options: Any) -> None:
        login = find_or_make(find_feed(feed), user, create=create)
        password = change(login, **options)
        if options["as_json"]:
            self.stdout.write(json.dumps(describe_access(login, password), ensure_ascii=False))
        else:
            self.stdout.write(write_guide(login, password))


def find_or_make(feed: Feed, user: str | None, *, create: bool) -> Login:
    """Raises CommandError, with 2 as exit code, where it is not certain which login is meant."""
    if feed.protocol != "dropbox":
        raise CommandError(f"Files of {feed} are pulled by {feed.protocol}: it has no logins of ours.", returncode=2)
    logins = {login.user_name: login for login in feed.logins.select_related("feed__account")}
    if user is None and len(logins) == 1 and not create:
        return next(iter(logins.values()))
    names = ", ".join(logins) or "none yet"
    if user is None:
        raise CommandError(f"Say which login, with --user. {feed} has {names}.", returncode=2)
    if create and user in logins:
        raise CommandError(f"{feed} has a login {user} already; leave --create out to change it.", returncode=2)
    if not create and user not in logins:
        raise CommandError(
            f"{feed} has no login {user}, but {names}. Check the name, or make this one with --create.", returncode=2
        )
    return Login(feed=feed, user_name=user) if create else logins[user]


def change(
    login: Login, *, new_password: bool, no_password: bool, add_key: list[Path], remove_key: list[str],
    at_once: bool, hourly: bool, **_: Any,
) -> str:  # fmt: skip
    """Returns the new password, "" where there is none."""
    lines = [line for line in login.public_keys.splitlines() if line.strip()]
    for fingerprint in remove_key:
        kept = [line for line in lines if fingerprint not in {key.get_fingerprint() for key in read_public_keys(line)}]
        if len(kept) == len(lines):
            raise CommandError(f"{login} has no key {fingerprint}.", returncode=2)
        lines = kept
    for path in add_key:
        lines += [line for line in read_text(path, "public keys in OpenSSH format").splitlines() if line.strip()]
    login.public_keys = "\n".join(dict.fromkeys(lines))
    login.at_once = at_once or (login.at_once and not hourly)
    if no_password:
        login.password = ""
    try:
        login.full_clean()
    except ValidationError as error:
        raise CommandError(" ".join(error.messages), returncode=2) from None
    is_new = login.pk is None
    login.save()
    if new_password or (is_new and not no_password and not login.public_keys):
        return set_new_password(login)
    return ""
