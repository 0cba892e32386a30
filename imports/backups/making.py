"""Make: the database as it is at one moment, and the copies that it names, into a folder that is whole or not there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.pruning import claim_pruning
from accounts.times import iso_utc
from imports import storage
from imports.backups.keys import find_keys_in_use
from imports.backups.manifests import (
    DATABASE,
    DIGESTS,
    FILES,
    Manifest,
    create_privately,
    measure,
    naming_storage,
    version_of_program,
)
from imports.backups.programs import command_for, find_program, own_schema, say_complaint, server_release
from imports.errors import SettingsWrong
from imports.models import KeptFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = "names"


def make_backup(target: Path, *, leave_files: bool = False) -> Manifest:
    """Make a backup in a folder that does not exist yet; nobody but its owner may read it.

    Others go on meanwhile, and what they commit after the beginning is not in it; only pruning waits, and another
    backup. `leave_files` leaves the copies in their storage. Raises SettingsWrong, TryAgainLater and OSError.
    """
    program = find_program("pg_dump", server_release())
    with claim_pruning(patient=True), _building(target) as folder:
        with _snapshot() as snapshot:
            _dump(program, snapshot, folder / DATABASE)
            manifest = _describe()
            if not leave_files:
                _note_names(folder / NAMES)
        if leave_files:
            manifest.left_in = storage.describe_place()
        else:
            with naming_storage("No backup was made"):
                _copy_files(folder, manifest)
        parts = [DATABASE] if leave_files else [DATABASE, DIGESTS]
        manifest.parts = {name: measure(folder / name) for name in parts}
        manifest.write(folder)
    return manifest


@contextmanager
def _building(target: Path) -> Iterator[Path]:
    """A folder beside the target, which gets its name once all is written to the disk, and else is removed.

    One that a killed process left is removed by the next. Raises SettingsWrong where the target is there already.
    """
    if target.exists():
        raise SettingsWrong(f"{target} exists already. Name a folder that does not, such as {target}/2026-01-31.")
    draft = target.with_name(f"{target.name}.unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    try:
        yield draft
        os.sync()
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


@contextmanager
def _snapshot() -> Iterator[str]:
    """A transaction that sees the database as it is now, by whose name others see the same."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def _dump(program: str, snapshot: str, path: Path) -> None:
    schema = connection.ops.quote_name(own_schema())  # unquoted it would be a pattern
    command, environment = command_for(
        program, "--format=custom", "--no-password", f"--snapshot={snapshot}", f"--schema={schema}"
    )
    with create_privately(path) as out:
        ended = subprocess.run(  # noqa: S603  (PostgreSQL's own program)
            command, stdout=out, stderr=subprocess.PIPE, env=environment, check=False
        )
    if ended.returncode:
        raise SettingsWrong(f"pg_dump could not dump the database: {say_complaint(ended.stderr.decode())}.")


def _describe() -> Manifest:
    migrations: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        migrations.setdefault(app, []).append(name)
    tables = set(connection.introspection.table_names())  # before `migrate`, some of the models have none
    models = [model for model in apps.get_models() if model._meta.db_table in tables]
    keys, unreadable = find_keys_in_use(models)
    return Manifest(
        version=version_of_program(),
        made_at=iso_utc(timezone.now()),
        server=server_release(),
        schema=own_schema(),
        migrations=migrations,
        counts={model._meta.db_table: model._base_manager.count() for model in models},
        keys=keys,
        unreadable=unreadable,
    )


def _note_names(path: Path) -> None:
    with create_privately(path) as out:
        out.writelines(
            f"{key}\n".encode() for key in KeptFile.objects.order_by("pk").values_list("key", flat=True).iterator()
        )


def _copy_files(folder: Path, manifest: Manifest) -> None:
    """Copy what the snapshot names; what was deleted since is told. Names are never used twice, so nothing changes."""
    (folder / FILES).mkdir(mode=0o700)
    with (
        (folder / NAMES).open(encoding="utf-8") as names,
        create_privately(folder / DIGESTS) as digests,
    ):
        for line in names:
            name = line.rstrip("\n")
            path = folder / FILES / name
            for parent in reversed(path.relative_to(folder).parents):
                (folder / parent).mkdir(mode=0o700, exist_ok=True)
            try:
                with default_storage.open(name) as kept, create_privately(path) as out:
                    sha256, size = _copy(kept, out)
            except FileNotFoundError:
                manifest.gone.append(name)
                continue
            digests.write(f"{sha256}  {FILES}/{name}\n".encode())
            manifest.files += 1
            manifest.files_bytes += size
    (folder / NAMES).unlink()


def _copy(source: Any, out: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := source.read(storage.BLOCK):
        digest.update(block)
        size += out.write(block)
    return digest.hexdigest(), size
