"""`serve_dropbox`: take files from senders, by SFTP and FTPS."""

from __future__ import annotations

import asyncio
from errno import EADDRINUSE
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from accounts.management.arguments import port_number
from accounts.management.base import BaseCommand
from accounts.outages import describe
from dropbox.errors import Refused
from dropbox.serving import serve

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Serves the folders of feeds of the kind dropbox to their senders, until it is told to end. Keys and a "
        "certificate are made when they are first needed, and are the same on every machine."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default=settings.DROPBOX_BIND, metavar="ADDRESS", help="where it listens")
        parser.add_argument("--sftp", type=port_number, metavar="PORT", help="of SFTP; 0 for any that is free")
        parser.add_argument("--ftps", type=port_number, metavar="PORT", help="of FTPS; 0 for any that is free")

    def handle(self, *, bind: str, sftp: int | None, ftps: int | None, **options: Any) -> None:
        if sftp is None:
            sftp = settings.DROPBOX_SFTP_PORT or None
        if ftps is None:
            ftps = settings.DROPBOX_FTPS_PORT or None
        if sftp is None and ftps is None:
            said = "Neither SFTP nor FTPS has a port: set DROPBOX_SFTP_PORT or DROPBOX_FTPS_PORT."
            raise CommandError(said, returncode=2)

        try:
            asyncio.run(serve(bind, sftp, ftps, self.announce))
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=2) from None
        except Refused as error:
            raise CommandError(describe(error.__cause__) if error.__cause__ else str(error)) from None
        except OSError as error:
            said = f"The drop box cannot listen on {bind}: {error.strerror or error}."
            raise CommandError(said, returncode=1 if error.errno == EADDRINUSE else 2) from None
