"""What a pull sees of a drop box: uploads without a folder, archives and receipts in theirs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from dropbox.errors import NotThere, OutOfOrder, Taken
from dropbox.models import StoredFile
from dropbox.storing import rename_file, store_file
from dropbox.transport import DropBox
from imports.copies import write_copy
from imports.errors import SettingsWrong, TryAgainLater
from imports.filesystems import FolderMissing, RemoteFile, ServerSettings
from imports.storage import CopyGone

if TYPE_CHECKING:
    from django.db.models import QuerySet


class BoxServer(DropBox):
    """Files of one feed; `path` without a folder is an upload."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        if settings.feed is None:
            raise SettingsWrong("A drop box belongs to a feed. Save the feed first.")
        self.feed = settings.feed

    def close(self) -> None:
        """Nothing is open."""

    def list_files(self, folder: str) -> list[RemoteFile]:
        if folder and folder not in StoredFile.Folder.values:
            raise FolderMissing(f"The drop box has no folder {folder}.")
        files = self._files.filter(folder=folder or StoredFile.Folder.IN)
        return [_describe(f"{folder}/{file.name}" if folder else file.name, file) for file in files]

    def look_at(self, path: str) -> RemoteFile | None:
        file = self._find(path)
        return _describe(path, file) if file else None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        file = self._find(path)
        if file is None:
            raise self.vanished(path)
        if file.size > most_bytes:
            raise self.too_large(path, most_bytes)
        try:
            write_copy(file.content, out, path)
        except CopyGone:
            if self._files.filter(content=file.content_id).exists():
                raise
            raise self.vanished(path) from None
        return file.size

    def rename(self, source: str, target: str) -> None:
        file = self._find(source)
        if file is None:
            raise self.vanished(source)
        try:
            rename_file(file, *_split(target))
        except NotThere:
            raise self.vanished(source) from None
        except Taken:
            raise self.taken(target) from None

    def make_folder(self, path: str) -> None:
        if path not in StoredFile.Folder.values:
            raise SettingsWrong(f"The drop box has no folder {path}, and none can be made.")

    def write_file(self, path: str, content: bytes) -> None:
        try:
            store_file(self.feed, *_split(path), io.BytesIO(content))
        except (OutOfOrder, NotThere) as error:
            raise TryAgainLater(str(error)) from None

    def remove(self, path: str) -> None:
        folder, name = _split(path)
        self._files.filter(folder=folder, name=name).delete()

    @property
    def _files(self) -> QuerySet[StoredFile]:
        return StoredFile.objects.filter(feed=self.feed, whole=True)

    def _find(self, path: str) -> StoredFile | None:
        folder, name = _split(path)
        return self._files.select_related("content").filter(folder=folder, name=name).first()


def _split(path: str) -> tuple[str, str]:
    """Folder and name of a path."""
    folder, _, name = path.rpartition("/")
    return folder or StoredFile.Folder.IN, name


def _describe(path: str, file: StoredFile) -> RemoteFile:
    return RemoteFile(path, file.name, file.size, file.modified_at)
