"""Restore: a backup into an empty database, all of it or nothing, and suspended from its first moment."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts.models import Suspension
from imports import storage
from imports.backups.keys import own_fingerprints
from imports.backups.manifests import DATABASE, FILES, find_damage, list_files, naming_storage
from imports.backups.programs import (
    command_for,
    find_program,
    own_schema,
    read_release,
    say_complaint,
    server_release,
)
from imports.copies import FOLDER, find_unnamed
from imports.errors import SettingsWrong
from imports.models import KeptFile

if TYPE_CHECKING:
    from pathlib import Path

    from imports.backups.manifests import Manifest

MOST_NAMED = 5
MOMENT = 5.0
"""Seconds, as long as PostgreSQL itself waits for sessions where it copies or drops a database."""
TRANSACTION_TIMEOUT = 17
"""The first release that has this setting."""
BEGIN = """
BEGIN;
SET LOCAL lock_timeout = '30s';
"""
EMPTY = """
SELECT format('DROP %s %s CASCADE', kind, name) FROM (
    SELECT 'pg_class'::regclass, oid, relnamespace, relowner, 'TABLE', oid::regclass::text
    FROM pg_class WHERE relkind = 'r'
    UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace, proowner, 'ROUTINE', oid::regprocedure::text FROM pg_proc
) AS found (class, id, schema, owner, kind, name)
WHERE schema = quote_ident(current_schema())::regnamespace AND pg_has_role(owner, 'USAGE')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = id AND deptype = 'e')
\\gexec
"""
"""What the program's user owns in its schema, and no extension brought: a schema that others made stays."""
SUSPEND = """
INSERT INTO {}.accounts_suspension (id, reason) VALUES (1, '{}')
ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, since = now();
COMMIT;
"""


@dataclass
class Restored:
    """What a restore came to."""

    migrations: list[str] = field(default_factory=list)
    """That the backup had not, and which were done."""
    missing: list[str] = field(default_factory=list)
    """Copies that the database names and the storage has not."""
    unnamed: list[str] = field(default_factory=list)
    """What lies in the storage, and the database does not name."""


def check_backup(folder: Path, manifest: Manifest, *, replace: bool, without_secrets: bool) -> None:
    """Raise SettingsWrong for the first thing that speaks against restoring it; nothing was changed by then."""
    if damage := find_damage(folder, manifest):
        raise SettingsWrong(f"The backup is not whole: {_name(damage)}. Take another one; nothing was restored.")
    _check_keys(manifest, without_secrets=without_secrets)
    _check_release(manifest)
    _check_database(manifest, replace=replace)
    _check_storage(folder, manifest)


def restore_backup(folder: Path, manifest: Manifest) -> Restored:
    """Restore what was checked: files first, then the database in one transaction, which suspends the system too.

    A schema of an older release is migrated then. Raises SettingsWrong, TryAgainLater and OSError.
    """
    if not manifest.left_in:
        with naming_storage("Nothing was restored into the database, and not all copies"):
            for name, _ in list_files(folder):
                _bring_file(folder / FILES / name, name)
    _load(folder / DATABASE, manifest)
    connection.close()
    _compare_counts(manifest)
    restored = Restored(migrations=_find_pending())
    call_command("migrate", interactive=False, verbosity=0)
    restored.missing = list(_find_missing())
    restored.unnamed = list(find_unnamed(timezone.now())) if KeptFile.objects.exists() else []
    return restored


# -- what may speak against it


def _check_keys(manifest: Manifest, *, without_secrets: bool) -> None:
    lacking = sorted(set(manifest.keys) - own_fingerprints())
    if lacking and not without_secrets:
        raise SettingsWrong(
            "ENCRYPTION_KEYS lacks what the stored passwords and keys were encrypted with: the keys with the "
            f"fingerprints {', '.join(lacking)}. Put them there, behind the first one. If they are lost for ever, "
            "--without-secrets restores all the same; all credentials have to be set anew then."
        )


def _check_release(manifest: Manifest) -> None:
    known = MigrationLoader(None).disk_migrations
    apps = {app for app, _ in known}
    newer = [
        f"{app}.{name}" for app, names in manifest.migrations.items() if app in apps
        for name in names if (app, name) not in known
    ]  # fmt: skip
    if newer:
        raise SettingsWrong(
            f"The backup was made by a newer release ({manifest.version}), whose schema this one does not know: "
            f"{_name(newer)}. Install that release, or a later one, and restore with it."
        )


def _check_database(manifest: Manifest, *, replace: bool) -> None:
    if (release := server_release()) < manifest.server:
        raise SettingsWrong(
            f"The backup is of PostgreSQL {manifest.server}, and this server is older ({release}). Use one that is not."
        )
    name = connection.settings_dict["NAME"]
    if (schema := own_schema()) != manifest.schema:
        raise SettingsWrong(
            f"The backup is of the schema {manifest.schema}, and the database {name} is used with the schema {schema}. "
            f'Let the search path of the user of DATABASE_URL begin with it: CREATE SCHEMA "{manifest.schema}" '
            f'AUTHORIZATION …; ALTER ROLE … SET search_path = "{manifest.schema}".'
        )
    tables = connection.introspection.table_names()
    if not tables:
        return
    if "django_migrations" not in tables:
        raise SettingsWrong(f"The database {name} holds tables of another program. Restore into one of its own.")
    if _has_rows(tables) and not replace:
        raise SettingsWrong(
            f"The database {name} is not empty. Restore into a new one; or let the backup take the place of all that "
            "it holds, with --replace."
        )
    if others := _count_sessions():
        raise SettingsWrong(
            f"{others} sessions use the database {name}. Stop the web server, the workers and the drop box first."
        )


def _count_sessions() -> int:
    """Of others, that do not end within a MOMENT: the server takes one to see that a program has ended."""
    ends = time.monotonic() + MOMENT
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            others: int = cursor.fetchone()[0]
            if not others or time.monotonic() > ends:
                return others
            time.sleep(0.05)


def _has_rows(tables: list[str]) -> bool:
    """Whether anybody has worked with it: what `migrate` makes is nothing."""
    with connection.cursor() as cursor:
        for table in {"accounts_user", "accounts_account"} & set(tables):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608  (one of two constants)
            if cursor.fetchone()[0]:
                return True
    return False


def _check_storage(folder: Path, manifest: Manifest) -> None:
    with naming_storage("Nothing was restored"):
        with suppress(FileNotFoundError):  # a folder that nothing was kept in yet
            default_storage.listdir(FOLDER)
        for name, sha256 in () if manifest.left_in else list_files(folder):
            if not default_storage.exists(name):
                continue
            with default_storage.open(name) as kept:
                if storage.digest_of(cast("BinaryIO", kept)) != sha256:
                    raise SettingsWrong(
                        f"{storage.describe_place()} has another file by the name of {name}. Restore into a storage "
                        "that is empty, or of the same system."
                    )


# -- restoring


def _bring_file(path: Path, name: str) -> None:
    if default_storage.exists(name):
        return
    with path.open("rb") as file:
        saved = storage.put_packed(file, name)
    if saved != name:
        raise SettingsWrong(f"{storage.describe_place()} keeps {name} as {saved}. Let nobody else write there.")


def _load(dump: Path, manifest: Manifest) -> None:
    """As one transaction of psql, which is committed when pg_restore has said that it read all of the dump."""
    reader = find_program("pg_restore", manifest.server)
    reading = [reader, "--file=-", "--no-owner", "--no-privileges", f"--schema={manifest.schema}", str(dump)]
    writing, environment = command_for(
        find_program("psql", max(server_release(), read_release(reader))),
        *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
    )
    beginning = BEGIN if not connection.introspection.table_names() else BEGIN + EMPTY
    reason = f"restored from the backup of {manifest.made_at}".replace("'", "''")
    ending = SUSPEND.format(connection.ops.quote_name(manifest.schema), reason)
    release = server_release()
    connection.close()
    with tempfile.TemporaryFile() as said_by_reader, tempfile.TemporaryFile() as said_by_psql:
        psql = subprocess.Popen(  # noqa: S603  (PostgreSQL's own program)
            writing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said_by_psql, env=environment
        )
        pg_restore = subprocess.Popen(  # noqa: S603  (the same)
            reading, stdout=subprocess.PIPE, stderr=said_by_reader
        )
        with psql, pg_restore:
            into, out = cast("IO[bytes]", psql.stdin), cast("IO[bytes]", pg_restore.stdout)
            try:
                into.write(beginning.encode() + _without_unknown(out.read(storage.BLOCK), release))
                shutil.copyfileobj(out, into, storage.BLOCK)
                if pg_restore.wait() == 0:
                    into.write(ending.encode())
                into.close()
            except BrokenPipeError:  # psql has ended, and said why
                pg_restore.kill()
                with suppress(BrokenPipeError):
                    into.close()
        if psql.returncode:
            raise _refused("psql", said_by_psql)
        if pg_restore.returncode:
            raise _refused("pg_restore", said_by_reader)


def _without_unknown(script: bytes, release: int) -> bytes:
    """The first lines set what servers before 17 do not know, where a newer pg_restore writes them."""
    return script if release >= TRANSACTION_TIMEOUT else script.replace(b"\nSET transaction_timeout = 0;\n", b"\n", 1)


def _refused(program: str, said: IO[bytes]) -> SettingsWrong:
    said.seek(0)
    complaint = say_complaint(said.read().decode(errors="replace"))
    return SettingsWrong(f"Nothing was restored into the database. {program} says: {complaint}.")


def _compare_counts(manifest: Manifest) -> None:
    with connection.cursor() as cursor:
        for table, count in manifest.counts.items():
            if table == Suspension._meta.db_table:
                continue
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  (a quoted name)
            if (found := cursor.fetchone()[0]) != count:
                raise SettingsWrong(
                    f"The table {table} has {found:,} rows, and had {count:,} when the backup was made."
                )


def _find_pending() -> list[str]:
    loader = MigrationLoader(connection)
    return [f"{app}.{name}" for app, name in loader.graph.nodes if (app, name) not in loader.applied_migrations]


def _find_missing() -> list[str]:
    """What the database names and the storage does not list, folder by folder."""
    folder, there, missing = "", set[str](), []
    for key in KeptFile.objects.order_by("key").values_list("key", flat=True).iterator():
        its_folder, _, name = key.rpartition("/")
        if its_folder != folder:
            folder, there = its_folder, set(storage.list_folder(its_folder)[1])
        if name not in there:
            missing.append(key)
    return missing


def _name(things: list[str]) -> str:
    more = f" and {len(things) - MOST_NAMED} more" if len(things) > MOST_NAMED else ""
    return f"{', '.join(things[:MOST_NAMED])}{more}"
