"""Arguments and output that the commands of this app have in common."""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager
from errno import EACCES
from stat import S_ISREG
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from accounts.models import User
from imports.choosing import read_spec
from imports.errors import SettingsWrong, TryAgainLater
from imports.files.drafts import is_replaceable
from imports.models import Feed, Run
from imports.pipeline.recognising import find_version_for_file

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator
    from pathlib import Path

    from accounts.models import Account
    from imports.models import FormatVersion


def find_feed(name: str) -> Feed:
    """The feed called NAME or ACCOUNT/NAME. Raises CommandError, with 2 as exit code, where none or several are."""
    account, _, own = name.rpartition("/")
    feeds = Feed.objects.select_related("account__sandbox_of", "format").filter(name=own)
    found = list((feeds.filter(account__code=account) if account else feeds)[:2])
    if len(found) > 1:
        raise CommandError(f"Several accounts have a feed {name!r}. Say which one: ACCOUNT/{name}.", returncode=2)
    if not found:
        known = Feed.objects.order_by("account__code", "name").values_list("account__code", "name")[:10]
        names = ", ".join("/".join(pair) for pair in known) or "none yet: make one with create_feed"
        raise CommandError(f"There is no feed {name!r}; there are {names}.", returncode=2)
    return found[0]


def find_run(number: int) -> Run:
    """The run of this number. Raises CommandError, with 2 as exit code, where there is none."""
    related = ("account__sandbox_of", "feed", "format_version__format")
    run = Run.objects.select_related(*related).filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}.", returncode=2)
    return run


def add_reason(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it is kept with the run")


def printable(text: str) -> str:
    """Text with names from elsewhere, on one line; what a terminal would obey is spelled out."""
    text = text.replace("\xa0", " ")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


@contextmanager
def as_command_error() -> Iterator[None]:
    """Who must act decides the exit code: 2 where the call or the settings are wrong, 1 where time may mend it."""
    try:
        yield
    except SettingsWrong as error:
        raise CommandError(printable(str(error)), returncode=2) from None
    except TryAgainLater as error:
        raise CommandError(printable(str(error))) from None


def find_user(name: str | None, account: Account) -> tuple[str, User | None]:
    """Who acts: a user of the site by name, who edits the account, else whoever is logged in on this machine."""
    if name is None:
        return getpass.getuser(), None
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {name!r}.", returncode=2)
    if not user.may_edit(account.pk):
        raise CommandError(f"{name} is no editor of {account.code}.", returncode=2)
    return name, user


def choose_version(account: Account, name: str | None, start: bytes = b"") -> FormatVersion | None:
    """The version to read or write files of the account with; none means the standard template.

    `start` is what the file begins with, by which rejects that come back are known.

    Raises CommandError where there is none of the name, or it is not allowed or not complete.
    """
    with as_command_error():
        version = find_version_for_file(account, name, start)
        if version is not None:
            read_spec(version)
        return version


def check_readable(path: Path) -> None:
    """Raise CommandError, with 2 as exit code, for a path that is no file to read."""
    try:
        if not S_ISREG(path.stat().st_mode):
            raise CommandError(f"{path} cannot be read: it is not a file.", returncode=2)
        path.open("rb").close()
    except OSError as error:
        raise _unusable(path, "read", error) from None


def check_writable(path: Path | None) -> None:
    """Raise CommandError, with 2 as exit code, for a path at which no file can be written, before any work is done."""
    if path is None:
        return
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise CommandError(f"{path} cannot be written: give a file name in a folder that exists.", returncode=2)
        written = path.resolve().parent if is_replaceable(path) else path
    except (OSError, RuntimeError) as error:  # what Python 3.12 and before say of links that lead in a circle
        raise _unusable(path, "written", error) from None
    if not os.access(written, os.W_OK):
        raise CommandError(f"{path} cannot be written: {os.strerror(EACCES)}.", returncode=2)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong with the file is said, as a CommandError: the disk that is full at last."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from None


def read_text(path: Path | None, wanted: str) -> str:
    """The text of a file, "" without one; `wanted` is what it should hold.

    Raises CommandError, with 2 as exit code, where it cannot be read, is no text or holds nothing.
    """
    if path is None:
        return ""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise _unusable(path, "read", error) from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or not text.strip():
        raise CommandError(f"{path} is {'no text' if text.strip() else 'empty'}: give {wanted}.", returncode=2)
    return text


def _unusable(path: Path, done: str, error: Exception) -> CommandError:
    return CommandError(f"{path} cannot be {done}: {getattr(error, 'strerror', None) or error}.", returncode=2)
