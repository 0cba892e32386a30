"""Guide: all that a sender has to know of its folder, as a text to copy."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from imports.filesystems.masks import Mask

if TYPE_CHECKING:
    from dropbox.models import Login

WIDTH = 100
"""Characters of a line, as mail programs show them; commands are never broken."""
COMMAND = "    "
EXAMPLE = "customers.txt"


def write_guide(login: Login, password: str = "") -> str:
    """For the team of the ERP; with the password where it was just made, the only time that it can be told."""
    from dropbox.identity import read_pin  # loads the libraries of SSH and TLS, which takes time

    access = describe_access(login, password)
    example = find_example(login.feed.mask)
    context = {
        **access,
        "login": login,
        "feed": login.feed,
        "account": login.feed.account,
        "plain": settings.DROPBOX_PLAIN_FTP,
        "signed_by_itself": not settings.DROPBOX_CERTIFICATE,
        "days": settings.KEEP_FILES_DAYS,
        "pin": read_pin(),
        "example": example,
        "file": example or EXAMPLE,
        "ed25519": access["host_keys"]["ssh-ed25519"].removeprefix("SHA256:"),
        "most_bytes": f"{login.feed.most_bytes:,}",
        "quota_bytes": f"{login.quota_bytes:,}",
        "most_files": f"{login.most_files:,}",
    }
    text = render_to_string("dropbox/guide.txt", context).strip()
    return "\n".join(_wrap(line) for line in text.splitlines()) + "\n"


def _wrap(line: str) -> str:
    """What stands in a second column goes on there."""
    if len(line) <= WIDTH or line.startswith(COMMAND):
        return line.rstrip()
    column = re.match(r"\s*(?:- |\S+\s{2,})?", line)
    indent = " " * (column.end() if column else 0)
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def find_example(mask: str) -> str:
    """A name that a mask takes; "" for masks that take the names of examples anyway, and such as are too odd."""
    if Mask.parse(mask).matches(EXAMPLE):
        return ""
    name = re.sub(r"\{(.*?)\}", lambda found: timezone.now().strftime(found[1]), mask)
    name = re.sub(r"\[!?(.).*?\]", r"\1", name).replace("?", "1").replace("*", "")
    return name if Mask.parse(mask).matches(name) else ""


def describe_access(login: Login, password: str = "") -> dict[str, Any]:
    """The same for programs: how to log in, and what the server presents; ports are none where it is not served."""
    from dropbox.identity import CERTIFICATE, read_fingerprints  # loads the libraries of SSH and TLS, which takes time
    from dropbox.keys import describe_keys

    fingerprints = read_fingerprints()
    return {
        "user": login.user_name,
        "password": password,
        "keys": describe_keys(login.public_keys),
        "host": settings.DROPBOX_HOST,
        "sftp_port": settings.DROPBOX_SFTP_PORT or None,
        "ftps_port": settings.DROPBOX_FTPS_PORT or None,
        "host_keys": {one.kind: one.value for one in fingerprints if one.kind != CERTIFICATE},
        "certificate": next(one.value for one in fingerprints if one.kind == CERTIFICATE),
        "folder": "in",
        "mask": login.feed.mask,
    }
