"""Files of a drop box: the database is the directory, and what they hold is kept as all copies of an account are.

So a file appears whole, by the commit that names it, whatever the storage is, and all hosts see the same. What was
imported is kept already.
"""

from __future__ import annotations

import contextlib
import logging
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from dropbox.errors import NotThere, OutOfOrder, Refused, Taken
from dropbox.models import StoredFile
from imports.copies import drafting, release
from imports.models import Feed
from imports.storage import CopyGone, StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from imports.copies import Draft

log = logging.getLogger(__name__)


def store_file(
    feed_id: int,
    folder: str,
    name: str,
    content: BinaryIO,
    *,
    whole: bool = True,
    admit: Callable[[], None] | None = None,
) -> StoredFile:
    """Keep a file; one of the same name gives way to it. Raises NotThere where the feed is gone, and OutOfOrder.

    `admit` is asked in the transaction that names it, and raises what keeps it out.
    """
    feed = Feed.objects.filter(pk=feed_id).only("account_id").first()
    if feed is None:
        raise _feed_gone()
    with asking_storage(), drafting(feed.account_id, lambda: nullcontext(content), f"{folder}/{name}") as draft:
        try:
            with contextlib.suppress(IntegrityError):  # somebody else named a file so meanwhile, which now gives way
                return _name_content(feed_id, folder, name, draft, whole, admit)
            return _name_content(feed_id, folder, name, draft, whole, admit)
        except IntegrityError:
            draft.drop_unused()
            raise _feed_gone() from None
        except Refused:
            draft.drop_unused()
            raise


def _feed_gone() -> NotThere:
    return NotThere("The folder is gone: its feed was removed.")


@contextmanager
def asking_storage() -> Iterator[None]:
    """What is wrong with the storage, in words for senders; operators find the rest in the log.

    Raises NotThere where the bytes are gone, and OutOfOrder.
    """
    try:
        yield
    except CopyGone as error:
        log.warning("%s", error)
        raise NotThere("The file is no longer there.") from None
    except StorageUnreachable as error:
        log.warning("%s", error)
        raise OutOfOrder("The server cannot reach its files. Try again in some minutes.") from None
    except StorageRefused as error:
        log.warning("%s", error)
        raise OutOfOrder("The server cannot keep or read files now. Tell its operator.") from None


@transaction.atomic
def _name_content(
    feed_id: int, folder: str, name: str, draft: Draft, whole: bool, admit: Callable[[], None] | None
) -> StoredFile:
    if admit:
        admit()
    here = StoredFile.objects.select_for_update().filter(feed=feed_id, folder=folder, name=name)
    found = {file.whole: file for file in here}
    if whole and (cut_off := found.get(False)):
        cut_off.delete()
    file = found.get(whole) or StoredFile(feed_id=feed_id, folder=folder, name=name, whole=whole)
    before = file.content_id
    latest = StoredFile.objects.filter(feed=feed_id, folder=folder).aggregate(at=Max("modified_at"))["at"]
    file.modified_at = _later_than(file.modified_at)
    if latest is not None:  # which may be to come, and files are imported in the order in which they came
        file.modified_at = max(file.modified_at, latest + timedelta(microseconds=1))
    file.content = draft.keep()
    file.size = file.content.size or 0
    file.save()
    release([before])
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
