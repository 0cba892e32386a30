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
from django.db import NotSupportedError, connections

from imports import storage
from imports.storage import CopyGone, StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.core.checks import CheckMessage
    from django.db.backends.base.base import BaseDatabaseWrapper


ROOM = 1 << 16
"""Bytes for which there is room where copies are kept, else none is taken."""
LOOKS = 5
"""How often each of two sessions is asked whether it is still its own."""


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
        with tempfile.TemporaryFile(dir=next(one for one in (folder, *folder.parents) if one.exists())) as file:
            file.write(bytes(ROOM))
            file.flush()
            if not isinstance(default_storage, FileSystemStorage):
                storage.probe()
            return []
    except OSError as error:
        hint = "Make room, and let the program's user write there, or set DATA_DIR or STORAGE_URL anew."
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
    """Whether what is set in a session is lost, or seen in another one, as where a pooler lends both.

    It lends what was used last, or all by turns: so each is asked twice in a row, and some times, as others use the
    pooler meanwhile. A database that does not answer is not our matter: whoever uses it says so.
    """
    with contextlib.suppress(DatabaseError), contextlib.ExitStack() as stack:
        pair = [(stack.enter_context(contextlib.closing(_open_another(session))), name) for name in ("one", "other")]
        for one, name in pair:
            _ask(one, "SELECT set_config('customersync.session', %s, false)", name)
        return any(
            _ask(one, "SELECT current_setting('customersync.session', true)") != name
            for one, name in [pair[0], pair[0], pair[1], pair[1]] * LOOKS
        )
    return False


def _open_another(session: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    return session.copy()


def _ask(session: BaseDatabaseWrapper, question: str, *values: str) -> object:
    with session.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchone()[0]


def check_database(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """E004: texts of customers do not fit into another encoding, what is merged lies in temporary tables before, tables
    need a schema to stand in, and a server before PostgreSQL 15 lacks what statements use.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            faults = list(_find_faults(connections[alias]))
        except NotSupportedError as error:
            faults = [
                (f"The database {{}} is on a server that is too old: {error}", "Let DATABASE_URL name a newer one.")
            ]
        except DatabaseError:
            continue
        found += [Error(message.format(alias), hint=hint, id="imports.E004") for message, hint in faults]
    return found


def _find_faults(session: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    """What is wrong with a database, whose name is put in, and how it is mended."""
    if (encoding := _ask(session, "SHOW server_encoding")) != "UTF8":
        hint = "Make it anew with --encoding UTF8 --template template0, as docs/operations.md says."
        yield f"The database {{}} is in {encoding}.", hint
    if not _ask(session, "SELECT has_database_privilege(current_database(), 'TEMPORARY')"):
        yield "The user of the database {} may make no temporary tables.", "GRANT TEMPORARY ON DATABASE … TO that user."
    if _ask(session, "SELECT current_schema()") is None:
        hint = "CREATE SCHEMA … AUTHORIZATION that user, or ALTER ROLE … SET search_path to one that there is."
        yield f"The database {{}} has no schema of the search path, {_ask(session, 'SHOW search_path')}.", hint
