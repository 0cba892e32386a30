"""Copies: what came is kept once in an account, whoever names it, and goes when nobody does.

A row of `KeptFile` stands for the bytes. Whoever names it in a row of their own holds it until they commit, and whoever
deletes it looks who names it once they hold it alone: so the database decides between the two, whatever the storage is.
Bytes that nobody came to name are found by `find_unnamed`.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.db import Error, transaction

from imports import storage
from imports.models import KeptFile
from imports.storage import CopyGone, StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from typing import Any

    from django.db.models import Model, QuerySet

    from imports.storage import Stored

    Source = Callable[[], AbstractContextManager[BinaryIO]]

FOLDER = "copies"
"""Of the storage."""
_HELD = "SELECT * FROM imports_keptfile WHERE account_id = %s AND sha256 = %s FOR KEY SHARE"
OLD_FOLDERS = ("runs", "dropbox")
"""Where files lay before; those that are named stay there."""
OTHER_FOLDERS = ("packing", storage.PROBES, *OLD_FOLDERS)
"""And what is packed or tried just now."""
LOOKED_FOR = 5
"""How many of the oldest copies are looked for to find out whether a storage is that of the database."""


@dataclass
class Draft:
    """A file on its way into the copies of an account. `name` is its name in messages, `sha256` its digest if known.

    `found` is the key of a copy whose bytes were there when the storage was asked, `lost` that of one whose were not.
    """

    account_id: int
    open_source: Source
    name: str
    sha256: str = ""
    known: KeptFile | None = None
    stored: Stored | None = None
    found: str = ""
    lost: str = ""

    def look_up(self) -> None:
        """Find out whether the account has the bytes already, where their digest is known.

        Raises StorageUnreachable and StorageRefused.
        """
        try:
            require_copies()
        except (StorageUnreachable, StorageRefused) as error:
            raise type(error)(f"No copy of {self.name} can be kept: {error}") from None
        self.known = self._same.first() if self.sha256 else None

    def bring(self) -> None:
        """Bring the bytes into the storage unless they are there; asks no database. Raises as `put` does."""
        if not self._is_there(self.known):
            self.put()

    def hold(self) -> None:
        """Bring what is still missing, so that `keep` asks the storage nothing behind the locks of the transaction.

        A copy that the account has is deleted by nobody from now on until the transaction ends, and may be named by
        anybody. Raises as `put` does.
        """
        if not (self.stored or self.sha256):
            return
        known = next(iter(KeptFile.objects.raw(_HELD, [self.account_id, self.sha256])), None)
        if self.stored and (known is None or known.key == self.stored.key):
            return
        if not self._is_there(known) and self.stored is None:
            self.put()

    def _is_there(self, kept: KeptFile | None) -> bool:
        """Whether the account has a copy and its bytes are in the storage."""
        if kept is None:
            return False
        if kept.key != self.found and not storage.holds(kept.key, kept.stored_size):
            self.lost = kept.key
            return False
        self.found = kept.key
        return True

    def put(self) -> Stored:
        """Raises StorageUnreachable and StorageRefused."""
        try:
            with self.open_source() as source:
                self.stored = storage.put(source, f"{FOLDER}/{self.account_id}", self.name)
        except OSError as error:
            raise StorageRefused(f"No copy of {self.name} can be kept: {error.strerror}.") from None
        self.sha256 = self.stored.sha256
        return self.stored

    def keep(self) -> KeptFile:
        """The copy, held until the caller's transaction ends, which is to name it. Raises as `put` does.

        One that somebody else has named meanwhile is taken for brought, as this one was.
        """
        if self.stored is None and not self.sha256:
            self.put()
        while (kept := self._same.select_for_update(no_key=True).first()) is None:
            row = KeptFile(account_id=self.account_id, **(self.stored or self.put())._asdict())
            KeptFile.objects.bulk_create([row], ignore_conflicts=True)
        if self.stored and kept.key == self.lost:
            kept.key, kept.stored_size = self.stored.key, self.stored.stored_size
            kept.save(update_fields=["key", "stored_size"])
        return kept

    @property
    def _same(self) -> QuerySet[KeptFile]:
        return KeptFile.objects.filter(account=self.account_id, sha256=self.sha256)

    @contextmanager
    def dropping_unused(self) -> Iterator[Draft]:
        """Bytes that were not needed after all are deleted behind the block.

        Not so where it fails: whether they are named is certain once housekeeping comes, and not while a commit may be
        on its way.
        """
        yield self
        with suppress(Error):  # what is done is done
            self.drop_unused()

    def drop_unused(self) -> None:
        """Delete the bytes that were brought, unless a row names them."""
        if self.stored and not KeptFile.objects.filter(key=self.stored.key).exists():
            storage.delete([self.stored.key])


def lacks_copies() -> bool:
    """Whether the storage has no copies, and the database knows some: it is not theirs, or is not mounted.

    Raises StorageUnreachable and StorageRefused.
    """
    newest = KeptFile.objects.order_by("pk").last()
    if newest is None or storage.holds(newest.key, None):
        return False
    return not any(any(storage.list_folder(folder)) for folder in (FOLDER, *OLD_FOLDERS))


def require_copies() -> None:
    """Raise StorageRefused where a file must not be kept or called lost, since the storage is not that of the others.

    A folder that is not mounted would be made anew otherwise.
    """
    if lacks_copies():
        raise StorageRefused(
            f"There are no copies in {storage.describe_place()}, and the database knows some. Mount it, or let "
            "STORAGE_URL name the storage of this database. Where they are lost for good, make "
            f"{FOLDER}/lost there by hand, and files are taken again."
        )


@contextmanager
def drafting(account_id: int, open_source: Source, name: str) -> Iterator[Draft]:
    """A draft whose bytes are in the storage; the block names it. Raises StorageUnreachable and StorageRefused."""
    with open_source() as source:
        digest = storage.digest_of(source)
    with Draft(account_id, open_source, name, digest).dropping_unused() as draft:
        draft.look_up()
        draft.bring()
        yield draft


def share(kept: KeptFile | None, name: str) -> KeptFile:
    """A copy for one more to name, held until the transaction ends. Raises CopyGone where it is kept no more."""
    found = KeptFile.objects.select_for_update(no_key=True).filter(pk=kept.pk).first() if kept else None
    if found is None:
        raise _no_copy(name)
    return found


def _no_copy(name: str) -> CopyGone:
    return CopyGone(f"No copy of {name} is kept any more. Have the file sent again.")


# -- reading


@contextmanager
def fetched(kept: KeptFile | None, name: str) -> Iterator[Path]:
    """The file as it came, on the disk of this machine until the block ends.

    Raises CopyGone, StorageUnreachable, and StorageRefused.
    """
    with tempfile.TemporaryDirectory(prefix="customersync-") as folder:
        path = Path(folder, "copy")
        with path.open("w+b") as file:
            write_copy(kept, file, name)
        yield path


def open_copy(kept: KeptFile | None, name: str) -> BinaryIO:
    """The same as an open file without a name, which is gone once it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by the caller)
    try:
        write_copy(kept, file, name)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def write_copy(kept: KeptFile | None, file: BinaryIO, name: str) -> None:
    """Write what is kept to a file, as it came. What was written counts for nothing where this raises, as above."""
    if kept is None:
        raise _no_copy(name)
    try:
        sha256, size = storage.fetch(kept.key, file, name, compressed=kept.compressed)
    except CopyGone:
        require_copies()
        raise
    if kept.sha256 and (sha256, size) != (kept.sha256, kept.size):
        raise CopyGone(
            f"The copy of {name} in {storage.describe_place()} is not what came: it has {size:,} bytes of "
            f"{kept.size:,}, or others. {storage.REMEDY}."
        )


# -- forgetting


def release(kept: Iterable[int | None]) -> None:
    """Delete those of these copies that nothing names any more; their bytes go with the commit."""
    with transaction.atomic():
        rows = KeptFile.objects.filter(pk__in=[pk for pk in kept if pk]).order_by("pk")
        held = [row.pk for row in rows.select_for_update(skip_locked=True)]  # whoever holds one is about to name it
        if held:
            KeptFile.objects.unnamed().filter(pk__in=held).delete()


def release_of(sender: type[Model], instance: Model, **_: Any) -> None:
    """When a row is deleted, by itself or with its account, the copies that it alone named go too."""
    named = (field for field in sender._meta.concrete_fields if field.related_model is KeptFile)
    if kept := [pk for field in named if (pk := getattr(instance, field.attname))]:
        release(kept)


def delete_bytes(sender: type[KeptFile], instance: KeptFile, **_: Any) -> None:
    transaction.on_commit(partial(storage.delete, [instance.key]))


def find_unnamed(before: datetime) -> Iterator[str]:
    """What lies in the storage since longer, and no row names it: killed processes left it.

    Raises StorageUnreachable, and StorageRefused, also where none of the oldest copies that the database knows is
    there: those there are another one's.
    """
    is_ours = any(storage.holds(kept.key, None) for kept in KeptFile.objects.order_by("pk")[:LOOKED_FOR])
    for key in chain.from_iterable(map(_find_unnamed, (FOLDER, *OTHER_FOLDERS))):
        since = storage.kept_since(key)
        if since is None or since >= before:
            continue
        if not is_ours:
            raise StorageRefused(
                f"{storage.describe_place()} has files, and none of the oldest copies that the database knows. None is "
                "deleted there. Let STORAGE_URL name the storage of this database, or empty it by hand."
            )
        yield key


def _find_unnamed(folder: str) -> Iterator[str]:
    folders, files = storage.list_folder(folder)
    yield from (f"{folder}/{name}" for name in files)
    for account in folders:
        keys = [f"{folder}/{account}/{name}" for name in storage.list_folder(f"{folder}/{account}")[1]]
        named = set(KeptFile.objects.filter(key__startswith=f"{folder}/{account}/").values_list("key", flat=True))
        yield from (key for key in keys if key not in named)
