"""Paths as clients write them: `/in/customers.txt`, and nothing above or beside the folders of a drop box."""

from __future__ import annotations

import posixpath
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from django.utils import timezone

from dropbox.errors import NotThere, Refused, Taken
from dropbox.models import LONGEST_NAME, Login, StoredFile
from dropbox.storing import asking_storage, rename_file
from dropbox.uploading import Upload, begin_upload, request_import
from imports.copies import open_copy

if TYPE_CHECKING:
    from datetime import datetime

Folder = StoredFile.Folder
FOLDERS = tuple(Folder.values)


@dataclass(frozen=True)
class Entry:
    """A folder or a file, as listings show it; `row` is the number of the file."""

    name: str
    size: int
    modified_at: datetime
    is_folder: bool = False
    may_write: bool = False
    row: int | None = None


def split_path(path: str, *, new: bool = False) -> tuple[str, str]:
    """Folder and name: ("", "") is the top, ("in", "") a folder. Raises NotThere for what is in no folder of ours.

    `new` is for a name that a file is to get: Raises Refused where it may not.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused("Paths with .. are not followed. Begin with the folder: /in, /processed, /failed or /out.")
    if new:
        _check_new(parts)
    if len(parts) > 2 or (parts and parts[0] not in FOLDERS) or "\0" in path:  # which no database looks for
        raise NotThere(f"There is no {_shown('/'.join(parts))}. The folders are in, processed, failed and out.")
    folder, name = [*parts, "", ""][:2]
    return folder, name


def normalize(path: str) -> str:
    """An absolute path without detours; `..` leads no higher than the top."""
    return posixpath.normpath("/" + path.lstrip("/"))


def _check_new(parts: list[str]) -> None:
    if len(parts) != 2 or parts[0] != Folder.IN:
        raise Refused("Files are taken in the folder in alone: upload to /in/ and the name of the file.")
    name = parts[1]
    if "\\" in name or not all(letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in name):
        raise Refused(f"A name may hold no control characters and no backslash: {_shown(name)}.")
    if len(name.encode()) > LONGEST_NAME:
        raise Refused(f"A name may have {LONGEST_NAME} bytes, and {_shown(name[:20])}… has more.")


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def list_folder(login: Login, path: str) -> list[Entry]:
    """Raises NotThere."""
    folder, name = split_path(path)
    if name:
        raise NotThere(f"{_shown(path)} is no folder.")
    if not folder:
        return [_describe_folder(name) for name in FOLDERS]
    rows = StoredFile.objects.filter(feed=login.feed_id, folder=folder)
    entries = {row.name: _describe(row) for row in rows.order_by("name", "whole")}  # a whole file is shown of two
    return list(entries.values())


def look_at(login: Login, path: str) -> Entry:
    """Raises NotThere."""
    folder, name = split_path(path)
    return _describe(find_file(login, path)) if name else _describe_folder(folder or "/")


def find_file(login: Login, path: str) -> StoredFile:
    """A whole file, else one whose upload was cut off. Raises NotThere."""
    folder, name = split_path(path)
    if not name:
        raise Refused(f"{_shown(path)} is a folder.")
    rows = StoredFile.objects.select_related("content").filter(feed=login.feed_id, folder=folder, name=name)
    found = rows.order_by("-whole").first()
    if found is None:
        raise NotThere(f"There is no file {_shown(path)}.")
    return found


def open_to_fetch(login: Login, path: str) -> BinaryIO:
    """Raises NotThere and OutOfOrder."""
    file = find_file(login, path)
    with asking_storage():
        return open_copy(file.content, file.name)


def open_to_write(login: Login, path: str, *, keep: bool, create: bool = True, exclusive: bool = False) -> Upload:
    """Begin an upload; `keep` begins with what is there of it. Raises Refused, NoRoom, OutOfOrder, and NotThere."""
    _, name = split_path(path, new=True)
    if not create:
        find_file(login, path)
    return begin_upload(login, name, keep=keep, exclusive=exclusive)


def remove_file(login: Login, path: str) -> None:
    """Raises NotThere, and Refused where files stay."""
    file = find_file(login, path)
    if file.folder not in (Folder.IN, Folder.OUT):
        raise Refused(f"Files in {file.folder} stay. Delete in the folders in and out alone.")
    StoredFile.objects.filter(feed=login.feed_id, folder=file.folder, name=file.name).delete()


def rename(login: Login, old: str, new: str, *, replace: bool) -> None:
    """Within the folder in. Raises NotThere, Refused, and Taken where the name is taken and may not be replaced."""
    folder, name = split_path(new, new=True)
    file = find_file(login, old)
    if file.folder != Folder.IN:
        raise Refused(f"Files in {file.folder} keep their names.")
    if not file.whole:
        raise Refused(f"The upload of {file} was cut off. Resume it or send it again, then rename it.")
    if file.name == name:
        return
    try:
        rename_file(file, folder, name, replace=replace)
    except Taken:
        raise Taken(f"There is a file in/{name} already. Delete it first.") from None
    request_import(login, name)


def _describe(row: StoredFile) -> Entry:
    return Entry(row.name, row.size, row.modified_at, may_write=row.folder == Folder.IN, row=row.pk)


def _describe_folder(name: str) -> Entry:
    return Entry(name, 0, timezone.now(), is_folder=True, may_write=name == Folder.IN)
