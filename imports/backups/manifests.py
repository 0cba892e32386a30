"""Manifest: what a backup holds, and what it was made of; sealed by its own digest."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings

from imports.errors import SettingsWrong
from imports.storage import StorageRefused, StorageUnreachable, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST, DATABASE, DIGESTS, FILES = "manifest.json", "database.dump", "files.sha256", "files"
LAYOUT = 2
READ = (1, LAYOUT)
"""Layouts: 1 did not name the schema, which was nearly always this one."""


@dataclass(frozen=True)
class Part:
    bytes: int
    sha256: str


@dataclass
class Manifest:
    """What stands in `manifest.json`; migrations and counts by app and table."""

    version: str
    made_at: str
    server: int
    """Release of the PostgreSQL server, such as 18."""
    migrations: dict[str, list[str]]
    counts: dict[str, int]
    keys: list[str]
    """Fingerprints of the encryption keys that stored secrets need."""
    unreadable: int = 0
    """Stored secrets that no key decrypted."""
    files: int = 0
    files_bytes: int = 0
    left_in: str = ""
    """Where the copies stayed; blank where they are in the backup."""
    gone: list[str] = field(default_factory=list)
    """Copies that the database names and the storage did not have."""
    parts: dict[str, Part] = field(default_factory=dict)
    schema: str = "public"
    """The one that the tables stand in."""
    layout: int = LAYOUT

    def write(self, folder: Path) -> None:
        described = asdict(self)
        text = json.dumps({**described, "seal": _seal(described)}, indent=2, ensure_ascii=False)
        with create_privately(folder / MANIFEST) as file:
            file.write(text.encode() + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Raises SettingsWrong where the folder holds no whole backup that this code can read."""
    path = folder / MANIFEST
    if not path.is_file():
        raise SettingsWrong(f"{folder} is no backup: it has no {MANIFEST}. Name the folder that manage.py backup made.")
    try:
        described: dict[str, Any] = json.loads(path.read_bytes())
        seal, layout = described.pop("seal"), described["layout"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SettingsWrong(f"{path} is damaged: it cannot be read. Take another backup.") from None
    if layout not in READ:
        raise SettingsWrong(f"{folder} was made by another release, in layout {layout}. Install that release first.")
    if seal != _seal(described):
        raise SettingsWrong(f"{path} is damaged: its digest is another one. Take another backup.")
    parts = {name: Part(**part) for name, part in described.pop("parts").items()}
    return Manifest(**described, parts=parts)


def _seal(described: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def measure(path: Path) -> Part:
    with path.open("rb") as file:
        return Part(path.stat().st_size, digest_of(file))


def create_privately(path: Path) -> BinaryIO:
    """A new file, for the owner alone whatever the mask of the process is."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def list_files(folder: Path) -> Iterator[tuple[str, str]]:
    """The copies of a backup: name in the storage, and SHA-256 of what is kept there.

    Raises SettingsWrong for a name that leads out of it.
    """
    with (folder / DIGESTS).open(encoding="utf-8") as lines:
        for line in lines:
            sha256, _, path = line.rstrip("\n").partition("  ")
            name = path.removeprefix(f"{FILES}/")
            parts = PurePosixPath(name).parts
            if not parts or name.startswith("/") or ".." in parts:
                raise SettingsWrong(f"{folder / DIGESTS} names {name!r}, which is no name of a copy.")
            yield name, sha256


def find_damage(folder: Path, manifest: Manifest) -> list[str]:
    """What of a backup is missing or not as it was made."""
    damage = [problem for name, part in manifest.parts.items() if (problem := _compare(folder / name, part.sha256))]
    if damage or manifest.left_in:
        return damage
    compared = (_compare(folder / FILES / name, sha256) for name, sha256 in list_files(folder))
    return [problem for problem in compared if problem]


def _compare(path: Path, sha256: str) -> str:
    try:
        found = measure(path)
    except FileNotFoundError:
        return f"{path} is missing"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return "" if found.sha256 == sha256 else f"{path} is damaged: its SHA-256 is another one"


@contextmanager
def naming_storage(outcome: str) -> Iterator[None]:
    """Let errors of the storage say what came of it. Raises SettingsWrong."""
    try:
        yield
    except (StorageUnreachable, StorageRefused) as error:
        raise SettingsWrong(f"{outcome}: {str(error).rstrip('.')}. Mend that, and call it again.") from None


def version_of_program() -> str:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
