"""System checks of what imports need of a server: the queue's times, a folder for copies, sessions of their own."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.checks import Error
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import Error as DatabaseError
from django.db import connections

from imports import storage
from imports.storage import CopyGone, StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.checks import CheckMessage
    from django.db.backends.base.base import BaseDatabaseWrapper


def check_queue(**_: object) -> list[CheckMessage]:
    """E001: a task that may last longer than `retry` would be given to a second worker while the first is at it."""
    timeout, retry = settings.Q_CLUSTER.get("timeout"), settings.Q_CLUSTER.get("retry", 60)
    if timeout and timeout < retry:
        return []
    hint = "Set both in Q_CLUSTER: retry some minutes above timeout."
    message = f"The queue gives a task to a second worker after {retry} s, but ends the first one only"
    message += f" after {timeout} s." if timeout else " never: it has no timeout."
    return [Error(message, hint=hint, id="imports.E001")]


def check_storage(**_: object) -> list[CheckMessage]:
    """E002: what cannot be copied is not imported, and copies are kept unless KEEP_FILES_DAYS is 0."""
    folder = Path(settings.MEDIA_ROOT)
    try:
        with tempfile.TemporaryFile(dir=next(one for one in (folder, *folder.parents) if one.exists())):
            if not isinstance(default_storage, FileSystemStorage):
                storage.probe()
            return []
    except OSError as error:
        hint = "Let the user that runs the program write there, or set DATA_DIR or STORAGE_URL to another folder."
        message = f"Copies of files cannot be kept in {folder}: {error.strerror}."
    except (StorageUnreachable, StorageRefused, CopyGone) as error:
        hint, message = "See STORAGE_URL, and the key that it or AWS_ACCESS_KEY_ID names.", str(error)
    return [Error(message, hint=hint, id="imports.E002")]


def check_sessions(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """E003: a pooler that shares a session between transactions takes the claim of an account from its run."""
    shared = [alias for alias in databases or () if _is_shared(connections[alias])]
    hint = "Let DATABASE_URL name PostgreSQL itself, or a pooler in session mode."
    return [
        Error(f"The sessions of the database {alias} are shared between transactions.", hint=hint, id="imports.E003")
        for alias in shared
    ]


def _is_shared(session: BaseDatabaseWrapper) -> bool:
    """Whether two sessions that are open at once are one on the server, or one is another a moment later.

    A database that does not answer is not our matter: whoever uses it says so.
    """
    with contextlib.suppress(DatabaseError), contextlib.closing(_open_another(session)) as other:
        before = _ask_backend(session)
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
        return _ask_backend(other) == before or _ask_backend(session) != before
    return False


def _open_another(session: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    return session.copy()


def _ask_backend(session: BaseDatabaseWrapper) -> int:
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
