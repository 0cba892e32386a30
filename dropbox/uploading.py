"""Uploads: bytes come into a nameless file of this machine, and into the folder when all of them are there."""

from __future__ import annotations

import logging
import os
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.tallies import count
from dropbox.errors import NoRoom, NotThere, OutOfOrder, Refused
from dropbox.models import Login, StoredFile
from dropbox.storing import asking_storage, store_file
from imports.copies import open_copy
from imports.filesystems.masks import TEMPORARY
from imports.models import Feed, Pull
from imports.queueing import request_pull

if TYPE_CHECKING:
    from datetime import datetime
    from typing import BinaryIO

log = logging.getLogger(__name__)

BLOCK = 1 << 20
HOUR = timedelta(hours=1)
MOST_PIECES = 1000
"""Of a file at a time, with nothing between them yet; clients write from the beginning to the end, or nearly so."""


class Upload:
    """A file while it comes. It has no name on the disk, so it is gone with the process, whatever ends that."""

    def __init__(self, login: Login, name: str, room: int, why: str) -> None:
        self.login, self.name = login, name
        self.room, self.why = room, why
        try:
            (place := _incoming()).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file: BinaryIO = tempfile.TemporaryFile(dir=place)  # noqa: SIM115  (closed by `close`)
        except OSError as error:
            raise _cannot_keep(error) from None
        self.appends = False
        self.problem: Refused | None = None
        """Why it cannot become a file any more."""
        self._written: list[tuple[int, int]] = []
        """From where to where it has its bytes; whoever resumes at the wrong place leaves a hole."""

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self.file.fileno(), size, offset)

    def write(self, offset: int, data: bytes) -> int:
        """Raises NoRoom and OutOfOrder; what was refused once stays refused."""
        if self.problem:
            self._refuse(self.problem)
        try:
            if offset + len(data) > self.room:
                raise NoRoom(self.why)
            written = 0
            while written < len(data):
                written += os.pwrite(self.file.fileno(), data[written:], offset + written)
            self._note_written(offset, offset + len(data))
        except OSError as error:
            self._refuse(_cannot_keep(error))
        except NoRoom as error:
            self._refuse(NoRoom(str(error)))
        return len(data)

    def _refuse(self, problem: Refused) -> NoReturn:
        """What is kept is not what is raised, which holds on to all that was sent since."""
        self.problem = problem
        raise type(problem)(str(problem)) from None

    def _note_written(self, start: int, end: int) -> None:
        """Raises NoRoom."""
        if self._written and self._written[-1][1] == start:
            self._written[-1] = (self._written[-1][0], end)
            return
        merged: list[tuple[int, int]] = []
        for low, high in sorted([*self._written, (start, end)]):
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        if len(merged) > MOST_PIECES:
            raise NoRoom(f"it comes in more than {MOST_PIECES:,} pieces. Send it from its beginning to its end.")
        self._written = merged

    def find_hole(self) -> str:
        """What is wrong with a file that says it is complete; "" where nothing is."""
        size = self.size
        if size == 0 or (len(self._written) == 1 and self._written[0][0] == 0 and self._written[0][1] >= size):
            return ""
        have = self._written[0][1] if self._written and self._written[0][0] == 0 else 0
        return f"behind byte {have:,} some of its {size:,} bytes are missing. Send it again from its beginning."

    def truncate(self, size: int) -> None:
        if size > self.room:
            raise NoRoom(self.why)
        try:
            os.truncate(self.file.fileno(), size)
        except OSError as error:
            raise _cannot_keep(error) from None
        self._written = [(low, min(high, size)) for low, high in self._written if low < size]

    @property
    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def close(self) -> None:
        self.file.close()


def _incoming() -> Path:
    return Path(settings.MEDIA_ROOT, "dropbox-incoming")


def begin_upload(login: Login, name: str, *, keep: bool, exclusive: bool = False) -> Upload:
    """An upload into the login's folder; `keep` begins with what is there of it.

    Raises Refused where the login may send no more files now, NoRoom, OutOfOrder, and NotThere where the feed is gone.
    """
    login = Login.objects.open().select_related("feed").filter(pk=login.pk).first() or _refuse_gone()
    if exclusive and StoredFile.objects.filter(feed=login.feed_id, folder="in", name=name).exists():
        raise Refused(f"There is a file in/{name} already.")
    _check_rate(login)
    here = StoredFile.objects.select_related("content").filter(feed=login.feed_id, folder=StoredFile.Folder.IN)
    left = login.quota_bytes - here.exclude(name=name).count_bytes()
    if left <= 0:
        raise NoRoom(_say_quota(login))
    room, why = login.feed.most_bytes, f"A file may have {login.feed.most_bytes:,} bytes, and in/{name} has more."
    if left < room:
        room, why = left, _say_quota(login)
    upload = Upload(login, name, room, why)
    if keep and (known := here.filter(name=name).order_by("whole").first()):
        _begin_with(upload, known)
    return upload


def _check_rate(login: Login) -> None:
    if login.hour and login.hour > timezone.now() - HOUR and login.files >= login.most_files:
        raise Refused(f"{login} sent {login.files} files within an hour, and may send no more before it is over.")


def _begin_with(upload: Upload, known: StoredFile) -> None:
    try:
        with asking_storage(), open_copy(known.content, known.name) as content:
            while block := content.read(BLOCK):
                upload.write(upload.size, block)
    except Refused:
        upload.close()
        raise


def _refuse_gone() -> Login:
    raise NotThere("The folder is closed: its feed was paused or removed.")


def _say_quota(login: Login) -> str:
    return (
        f"The files in the folder in may have {login.quota_bytes:,} bytes together. Delete some, or wait until they "
        "are imported."
    )


def _cannot_keep(error: OSError) -> OutOfOrder:
    count("errors_total", "storage")
    log.error("No upload can be kept in %s: %s.", _incoming(), error.strerror)
    return OutOfOrder(f"The server cannot keep the file: {error.strerror}. Tell its operator.")


def finish_upload(upload: Upload) -> int:
    """All of it came: it becomes a file of the folder, and is imported; returns its size."""
    size = upload.size
    with upload.file:
        if upload.problem:
            raise type(upload.problem)(f"in/{upload.name} is not kept: {upload.problem}")
        if hole := upload.find_hole():
            raise NoRoom(f"in/{upload.name} is not kept: {hole}")
        store_file(upload.login.feed_id, StoredFile.Folder.IN, upload.name, upload.file, admit=partial(_admit, upload))
    request_import(upload.login, upload.name)
    return size


def keep_cut_off(upload: Upload) -> None:
    """The client was lost in the middle: what came is kept to be resumed, and no file of the folder."""
    with upload.file:
        if upload.size and not upload.problem:
            admit = partial(_admit, upload, counts=False)
            store_file(upload.login.feed_id, StoredFile.Folder.IN, upload.name, upload.file, whole=False, admit=admit)


def _admit(upload: Upload, *, counts: bool = True) -> None:
    """The limits once more, as others sent files meanwhile; within the transaction that names the file."""
    login = Login.objects.select_for_update(no_key=True).filter(pk=upload.login.pk).first() or _refuse_gone()
    here = StoredFile.objects.filter(feed=login.feed_id, folder=StoredFile.Folder.IN)
    if here.exclude(name=upload.name).count_bytes() + upload.size > login.quota_bytes:
        raise NoRoom(f"in/{upload.name} is not kept. {_say_quota(login)}")
    if counts:
        _check_rate(login)
        now = timezone.now()
        login.hour, login.files = (login.hour, login.files + 1) if login.hour and login.hour > now - HOUR else (now, 1)
        login.save(update_fields=["hour", "files"])


def request_import(login: Login, name: str) -> None:
    """Have the folder imported: now, or when the feed's interval after its last import is over."""
    if TEMPORARY.fullmatch(name):
        return
    with transaction.atomic():
        feed = Feed.objects.select_for_update().filter(pk=login.feed_id).first()
        if feed is None:
            return
        now = timezone.now()
        due = now if login.at_once else _find_turn(feed, now)
        if due <= now:
            request_pull(feed)
        elif not feed.failures and feed.next_pull_at and feed.next_pull_at > now:
            Feed.objects.filter(pk=feed.pk).update(next_pull_at=due)


def _find_turn(feed: Feed, now: datetime) -> datetime:
    """When the next import may begin; a pull that has found files and is still at them counts."""
    importing = Q(status=Pull.Status.RUNNING, listed__gt=0)
    last = feed.pulls.filter(Q(imported__gt=0) | importing).order_by("-pk").first()
    return last.started_at + timedelta(minutes=feed.interval_minutes) if last else now
