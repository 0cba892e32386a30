"""Files of a drop box: the database is the directory, Django's storage holds the bytes.

So a file appears whole, by the commit that names it, whatever the storage is, and all hosts see the same.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from dropbox.errors import NoRoom, NotThere, Taken
from dropbox.models import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

FOLDER = "dropbox"
"""Of the storage."""
LONGEST_UNNAMED = timedelta(days=1)
"""How long what no file names may lie in the storage: longer than any upload takes to be named."""


def store_file(
    feed_id: int,
    folder: str,
    name: str,
    content: BinaryIO,
    *,
    whole: bool = True,
    admit: Callable[[], None] | None = None,
) -> StoredFile:
    """Keep a file; one of the same name gives way to it. Raises NotThere where the feed is gone, and NoRoom.

    `admit` is asked in the transaction that names it, and raises what keeps it out.
    """
    content.seek(0)
    key = _save(feed_id, content)
    try:
        with contextlib.suppress(IntegrityError):  # somebody else named a file so meanwhile, which now gives way
            return _name_content(feed_id, folder, name, key, whole, admit)
        return _name_content(feed_id, folder, name, key, whole, admit)
    except IntegrityError:
        default_storage.delete(key)
        raise NotThere("The folder is gone: its feed was removed.") from None
    except BaseException:
        default_storage.delete(key)
        raise


def _save(feed_id: int, content: BinaryIO) -> str:
    """The bytes in the storage, and on its disk where it is one of this machine."""
    name = f"{FOLDER}/{feed_id}/{uuid.uuid4().hex}"
    try:
        key = default_storage.save(name, File(content, name))
        try:
            path = default_storage.path(key)
        except NotImplementedError:  # what a storage says whose files are no paths of this machine
            return key
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        default_storage.delete(name)
        raise NoRoom(f"The server has no room for the file: {error.strerror or error}. Tell its operator.") from None
    return key


@transaction.atomic
def _name_content(
    feed_id: int, folder: str, name: str, key: str, whole: bool, admit: Callable[[], None] | None
) -> StoredFile:
    if admit:
        admit()
    here = StoredFile.objects.select_for_update().filter(feed=feed_id, folder=folder, name=name)
    found = {file.whole: file for file in here}
    if whole and (cut_off := found.get(False)):
        cut_off.delete()
    file = found.get(whole) or StoredFile(feed_id=feed_id, folder=folder, name=name, whole=whole)
    if file.content:
        _delete_later(str(file.content.name))
    latest = StoredFile.objects.filter(feed=feed_id, folder=folder).aggregate(at=Max("modified_at"))["at"]
    file.modified_at = _later_than(file.modified_at)
    if latest is not None:  # which may be to come, and files are imported in the order in which they came
        file.modified_at = max(file.modified_at, latest + timedelta(microseconds=1))
    file.content, file.size = key, default_storage.size(key)
    file.save()
    return file


def _later_than(before: datetime | None) -> datetime:
    """Now, and not in the second of what it replaces: size and second tell one file of a name from the next."""
    now = timezone.now()
    if before is None or before.replace(microsecond=0) < now.replace(microsecond=0):
        return now
    return before.replace(microsecond=0) + timedelta(seconds=1)


def rename_file(file: StoredFile, folder: str, name: str, *, replace: bool = False) -> None:
    """Give a file another name. Raises NotThere, and Taken where another one has it and is not to be replaced."""
    try:
        with transaction.atomic():
            rows = StoredFile.objects.select_for_update().order_by("pk")
            both = rows.filter(pk=file.pk) | rows.filter(feed=file.feed_id, folder=folder, name=name, whole=True)
            found = {row.pk: row for row in both}
            mine = found.pop(file.pk, None)
            if mine is None or (mine.folder, mine.name) != (file.folder, file.name):
                raise NotThere(f"{file} is no longer there.")
            for other in found.values():
                if not replace:
                    raise Taken(f"There is a file {folder}/{name} already.")
                mine.modified_at = max(mine.modified_at, _later_than(other.modified_at))
                other.delete()
            mine.folder, mine.name = folder, name
            mine.save()
    except IntegrityError:
        raise Taken(f"There is a file {folder}/{name} already.") from None


def _delete_later(name: str) -> None:
    transaction.on_commit(partial(default_storage.delete, name))


def delete_content(sender: type[StoredFile], instance: StoredFile, **_: Any) -> None:
    """When a file is deleted, by itself or with its feed, its bytes go too."""
    _delete_later(str(instance.content.name))


def forget_unnamed() -> int:
    """Delete what killed processes left in the storage; returns how many."""
    count, oldest = 0, timezone.now() - LONGEST_UNNAMED
    for folder in _list_storage(FOLDER)[0]:
        place = f"{FOLDER}/{folder}"
        keys = {f"{place}/{name}" for name in _list_storage(place)[1]}
        named = set(StoredFile.objects.filter(content__in=keys).values_list("content", flat=True))
        for key in keys - named:
            try:
                old = default_storage.get_modified_time(key) < oldest
            except FileNotFoundError:
                continue
            if old:
                default_storage.delete(key)
                count += 1
    return count


def _list_storage(place: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(place)
    except FileNotFoundError:
        return [], []
