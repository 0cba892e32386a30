"""`create_feed`: make a feed, once its server is known to be the right one."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from accounts.management.arguments import add_account_argument, find_account, port_number
from accounts.management.base import BaseCommand
from imports.choosing import STANDARD_NAME
from imports.feeds.inspecting import describe_presented_key
from imports.filesystems import find_transport, find_transports
from imports.filesystems.markers import SETTLED
from imports.management.arguments import read_text
from imports.models import Feed, Format
from imports.queueing import request_pull

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from accounts.models import Account


class Command(BaseCommand):
    help = (
        "Makes a feed. Without --host-key, an SFTP server is asked for its key, which is shown and not trusted: "
        "compare it with what the server's operator says and give it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="names the feed in commands")
        add_account_argument(parser)
        add_server_arguments(parser)
        add_file_arguments(parser)

    def handle(self, *, name: str, account: str, **options: Any) -> None:
        owner = find_account(account)
        feed = read_feed(owner, name, options)
        transport = find_transport(feed.protocol)
        if transport.pinned_by and feed.host and not getattr(feed, transport.pinned_by):
            raise ask_for_pin(feed, transport.pinned_by)
        try:
            feed.full_clean()
        except ValidationError as error:
            raise CommandError("\n".join(describe_problems(error)), returncode=2) from None
        with transaction.atomic():
            feed.save()
            shown = transport.prepare(feed.pk)
        self.stdout.write(
            f"Feed {name} of {owner.code} is made. Look at what it would pull: check_feed {owner.code}/{name}."
        )
        if feed.enabled:
            request_pull(feed)
            self.stdout.write("Its first pull is queued for the workers (manage.py run_workers).")
        if shown:
            self.stdout.write(f"\n{shown}")
        if transport.warning:
            self.stderr.write(f"Warning: {transport.warning}")


def add_server_arguments(parser: ArgumentParser) -> None:
    """Which server it is, who logs in, and what it is trusted by."""
    parser.add_argument("--protocol", default="sftp", choices=list(find_transports()), help="sftp when not given")
    parser.add_argument("--host", default="", help="the server")
    parser.add_argument("--port", type=port_number, metavar="PORT", help="the protocol's own when not given")
    parser.add_argument("--user", default="", help="who logs in")
    parser.add_argument(
        "--password-file",
        metavar="PATH",
        help="file with the password in its first line; - asks for it, or reads it from the input",
    )
    parser.add_argument("--private-key", type=Path, metavar="PATH", help="SFTP: a private key in OpenSSH or PEM format")
    parser.add_argument(
        "--host-key", default="", metavar="KEY", help="SFTP: the server's key or its SHA256 fingerprint"
    )
    parser.add_argument("--ca-bundle", type=Path, metavar="PATH", help="FTPS: PEM certificates to trust")
    parser.add_argument("--certificate-fingerprint", default="", metavar="HEX", help="FTPS: SHA-256 to trust alone")
    parser.add_argument("--url", default="", help="with --protocol url: such as s3://bucket")
    parser.add_argument("--options-file", type=Path, metavar="PATH", help="with --url: name = value lines for fsspec")


def add_file_arguments(parser: ArgumentParser) -> None:
    """Which files are taken from it and when, and what becomes of them."""
    parser.add_argument("--folder", default="", help="on the server")
    parser.add_argument(
        "--mask",
        default="",
        help="of the files' names, with at most one {time stamp} (*.txt and *.csv, any case)",
    )
    parser.add_argument(
        "--format",
        metavar="NAME",
        default=STANDARD_NAME,
        help="how its files are read: a format of the account, or standard for the standard template (standard)",
    )
    parser.add_argument("--interval", type=int, default=60, metavar="MINUTES", help="60 or more")
    parser.add_argument("--leave", action="store_true", help="leave the files where they are after the import")
    parser.add_argument("--settle", type=int, default=5, metavar="SECONDS", help="between the two looks at a new file")
    parser.add_argument(
        "--trust-last-line", action="store_true", help="take files whose last line has no end without waiting"
    )
    parser.add_argument(
        "--ready-when",
        default=SETTLED,
        metavar="MARKER",
        help="take a file when a marker of this name is there: {name}.done, or {stem}.ctl rows to compare them",
    )
    parser.add_argument(
        "--outbox", default="", metavar="FOLDER", help="write receipts and rejects there, within the folder"
    )
    parser.add_argument("--contact", action="append", default=[], metavar="E-MAIL", help="who is told; may be repeated")
    parser.add_argument(
        "--silent-after", type=int, metavar="HOURS", help="tell the contacts when no file came for longer"
    )
    parser.add_argument("--disabled", action="store_true", help="make it, and do not pull it yet")


def read_feed(account: Account, name: str, options: dict[str, Any]) -> Feed:
    """The feed that the options describe, not saved yet. Raises CommandError for what cannot be read or found."""
    return Feed(
        account=account,
        name=name,
        protocol=options["protocol"],
        host=options["host"],
        port=options["port"],
        user=options["user"],
        password=read_line(options["password_file"]),
        private_key=read_text(options["private_key"], "a private key in OpenSSH or PEM format"),
        host_key=options["host_key"],
        ca_bundle=read_text(options["ca_bundle"], "certificates in PEM format"),
        certificate_fingerprint=options["certificate_fingerprint"],
        url=options["url"],
        options=read_text(options["options_file"], "lines of name = value"),
        folder=options["folder"],
        mask=options["mask"],
        format=find_format(account, options["format"]),
        interval_minutes=options["interval"],
        after_import=Feed.AfterImport.LEAVE if options["leave"] else Feed.AfterImport.MOVE,
        settle_seconds=options["settle"],
        last_line=Feed.LastLine.TRUST if options["trust_last_line"] else Feed.LastLine.WAIT,
        ready_when=options["ready_when"],
        outbox_folder=options["outbox"],
        contacts=options["contact"],
        silent_after_hours=options["silent_after"],
        enabled=not options["disabled"],
    )


def ask_for_pin(feed: Feed, field: str) -> CommandError:
    """What the server presents, to be compared by a person before it is given and trusted."""
    said, presented = describe_presented_key(feed)
    option = f"--{field.replace('_', '-')} '{presented}'"
    advice = f" When its operator has confirmed that, give: {option}" if presented else ""
    return CommandError(f"No {field.replace('_', ' ')} is given. {said}{advice}", returncode=2)


def describe_problems(error: ValidationError) -> Iterator[str]:
    for field, said in error.message_dict.items():
        yield f"{'' if field == NON_FIELD_ERRORS else f'{field}: '}{' '.join(said)}"


def find_format(account: Account, name: str) -> Format | None:
    if name == STANDARD_NAME:
        return None
    found = Format.objects.filter(account=account.production, name=name).first()
    if found is None:
        raise CommandError(f"{account.production.code} has no format {name!r}.", returncode=2)
    return found


def read_line(path: str | None) -> str:
    """The first line of a file, or of the input for "-", unseen where somebody types it."""
    if path is None:
        return ""
    if path == "-" and sys.stdin.isatty():
        line = getpass.getpass()
    else:
        text = sys.stdin.readline() if path == "-" else read_text(Path(path), "a password in its first line")
        line = text.partition("\n")[0].rstrip("\r")
    if not line:
        raise CommandError(f"The first line of {'the input' if path == '-' else path} is empty.", returncode=2)
    return line
