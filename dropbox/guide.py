"""Guide: all that a sender has to know of its folder, as a text to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from dropbox.models import Login


def write_guide(login: Login, password: str = "") -> str:
    """For the team of the ERP; with the password where it was just made, the only time that it can be told."""
    access = describe_access(login, password)
    context = {
        **access,
        "login": login,
        "feed": login.feed,
        "account": login.feed.account,
        "plain": settings.DROPBOX_PLAIN_FTP,
        "signed_by_itself": not settings.DROPBOX_CERTIFICATE,
        "days": settings.KEEP_FILES_DAYS,
    }
    return render_to_string("dropbox/guide.txt", context).strip() + "\n"


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
