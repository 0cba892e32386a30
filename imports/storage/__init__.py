"""Storage: bytes as Django's storage keeps them, compressed and under names of their own; it alone sees its errors.

A name is never used twice, and bytes appear under it whole or not at all, whatever ends the process that keeps them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError

from accounts.tallies import count
from imports.errors import TryAgainLater
from imports.storage.errors import CopyGone, StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

__all__ = ["CopyGone", "StorageRefused", "StorageUnreachable", "Stored"]

log = logging.getLogger(__name__)

BLOCK = 1 << 20
PROBES = "probe"
"""The folder in which keeping is tried."""
LEVEL = 1
"""Of zstd: customer files become a fifth, faster than a disk takes them."""


class Stored(NamedTuple):
    """What is kept: its name in the storage, SHA-256 in hexadecimal and bytes before, and bytes after compression."""

    key: str
    sha256: str
    size: int
    stored_size: int


class _Packed(File):  # type: ignore[type-arg]  # generic in the stubs alone
    """A file of this machine that a storage on its disk may have, rather than a copy of it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.packed_as = file.name

    def temporary_file_path(self) -> str:
        return self.packed_as


def put(source: BinaryIO, folder: str, what: str) -> Stored:
    """Keep the bytes of a file from its beginning; `what` is its name in messages.

    Raises StorageUnreachable and StorageRefused.
    """
    with _naming_errors(f"No copy of {what} can be kept", settings.MEDIA_ROOT), _packing() as packed:
        source.seek(0)
        sha256, size = _pack(source, packed)
        stored_size = packed.tell()
        key = _save(packed, f"{folder}/{sha256}-{secrets.token_hex(4)}.zst")
        return Stored(key, sha256, size, stored_size)


def put_packed(source: BinaryIO, key: str) -> str:
    """Keep what a storage kept before, as it is, under its name. Raises StorageUnreachable and StorageRefused."""
    with _naming_errors(f"{key} cannot be kept", settings.MEDIA_ROOT), _packing() as packed:
        shutil.copyfileobj(source, packed, BLOCK)
        packed.flush()
        return _save(packed, key)


def _save(packed: BinaryIO, key: str) -> str:
    if not isinstance(default_storage, FileSystemStorage):
        return str(default_storage.save(key, File(packed)))
    os.fsync(packed.fileno())
    key = default_storage.save(key, _Packed(packed))
    _write_through(Path(default_storage.path(key)).parent)
    return key


def _write_through(folder: Path) -> None:
    """What was named in a folder is there after a power cut too."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def _packing() -> Iterator[BinaryIO]:
    """A file beside those that are kept, so that it can be moved there; without a name where it cannot."""
    place = Path(settings.MEDIA_ROOT, "packing")
    place.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
    if not isinstance(default_storage, FileSystemStorage):
        with tempfile.TemporaryFile(dir=place) as packed:
            yield packed
        return
    path = place / secrets.token_hex(8)
    try:
        with path.open("x+b") as packed:
            yield packed
    finally:
        path.unlink(missing_ok=True)


def _pack(source: BinaryIO, packed: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with ZstdCompressor(LEVEL).stream_writer(packed, closefd=False) as writer:
        while block := source.read(BLOCK):
            digest.update(block)
            size += writer.write(block)
    packed.flush()
    return digest.hexdigest(), size


def digest_of(source: BinaryIO) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    source.seek(0)
    while block := source.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def fetch(key: str, out: BinaryIO, what: str, *, compressed: bool) -> tuple[str, int]:
    """Write what is kept to a file as it came; returns its SHA-256 and how many bytes it has.

    Raises CopyGone where it is not there or damaged, StorageUnreachable and StorageRefused.
    """
    digest, size = hashlib.sha256(), 0
    with _naming_errors(f"The copy of {what} cannot be read", tempfile.gettempdir()):
        try:
            with default_storage.open(key) as kept:
                reader = ZstdDecompressor().stream_reader(kept, closefd=False) if compressed else kept
                while block := reader.read(BLOCK):
                    digest.update(block)
                    size += out.write(block)
        except FileNotFoundError:
            raise CopyGone(f"it is gone from {describe_place()}. {REMEDY}") from None
        except ZstdError as error:
            raise CopyGone(f"it is damaged in {describe_place()} ({error}). {REMEDY}") from None
    return digest.hexdigest(), size


REMEDY = "Bring it back from a backup of the storage, or have the file sent again"


def holds(key: str, stored_size: int | None) -> bool:
    """Whether something of this many bytes is kept under the name. Raises StorageUnreachable and StorageRefused."""
    with _naming_errors("Copies cannot be looked at"):
        try:
            size = default_storage.size(key)
        except FileNotFoundError:
            return False
        return stored_size is None or size == stored_size


def delete(keys: Iterable[str]) -> None:
    """Delete what nobody names any more. Where the storage does not do it, it is left to the next pruning."""
    for key in keys:
        try:
            with _naming_errors(f"{key} cannot be deleted"):
                default_storage.delete(key)
        except (StorageUnreachable, StorageRefused) as error:
            log.warning("%s It is deleted by the next pruning that can.", error)
            return


def list_folder(folder: str) -> tuple[list[str], list[str]]:
    """The folders and files of a folder, by name. Raises StorageUnreachable and StorageRefused."""
    with _naming_errors(f"The copies in {folder} cannot be listed"):
        try:
            folders, files = default_storage.listdir(folder)
            return list(map(str, folders)), list(map(str, files))
        except FileNotFoundError:
            return [], []


def kept_since(key: str) -> datetime | None:
    """When it was written; none where it is gone meanwhile. Raises StorageUnreachable and StorageRefused."""
    with _naming_errors(f"{key} cannot be looked at"):
        try:
            return default_storage.get_modified_time(key)
        except FileNotFoundError:
            return None


def probe() -> None:
    """Keep some bytes, read and delete them. Raises what keeping and reading raise."""
    with tempfile.TemporaryFile() as file:
        file.write(b"Customer Sync")
        stored = put(file, PROBES, "a probe")
        try:
            with tempfile.TemporaryFile() as out:
                fetch(stored.key, out, "a probe", compressed=True)
        finally:
            with _naming_errors("What was kept cannot be deleted"):
                default_storage.delete(stored.key)


def describe_place() -> str:
    """Where copies are kept, for messages; without secrets."""
    if isinstance(default_storage, FileSystemStorage):
        return str(default_storage.location)
    return str(getattr(default_storage, "place", "the storage"))


@contextmanager
def _naming_errors(doing: str, folder: Path | str = "") -> Iterator[None]:
    """`folder` of this machine is what is written to, for errors that name no file."""
    try:
        yield
    except (StorageUnreachable, StorageRefused, CopyGone) as error:
        count("errors_total", "storage")
        ends = " It is tried again by itself." if isinstance(error, TryAgainLater) else ""
        raise type(error)(f"{doing}: {error}.{ends}") from None
    except OSError as error:
        count("errors_total", "storage")
        where = error.filename or folder or describe_place()
        raise StorageRefused(f"{doing}: {where}: {error.strerror or error}.") from None
