"""Whatever else fsspec knows how to reach by a URL."""

from __future__ import annotations

import contextlib
import posixpath
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import fsspec

from imports.errors import SettingsWrong
from imports.filesystems.base import (
    LIBRARY_ERRORS,
    NO_FILE,
    FolderMissing,
    PermissionRefused,
    RemoteFile,
    ServerSettings,
    ServerUnreachable,
    quote,
)
from imports.filesystems.network import LEAST_RATE, PATIENCE, find_addresses
from imports.filesystems.transports import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

BLOCK = 1 << 20
BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"})
"""Schemes whose URL names a bucket where others name a host."""
SHORTEST_SECRET = 6
"""Characters of an option's value, below which it is none: a region, a yes, a number."""


class URLServer(URL):
    """Another of fsspec's file systems, such as an object store, which has no rename of its own.

    Each question is asked in a thread of its own, which is left alone where no answer comes in time.
    """

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        scheme, _, base = settings.url.partition("://")
        if scheme not in settings.schemes:
            raise SettingsWrong(f"{scheme}:// is not among the schemes that feeds may use.")
        self.base = base.rstrip("/")
        self._check_hosts(scheme)
        options: dict[str, Any] = dict(settings.options)
        if scheme in ("http", "https"):
            options["allow_redirects"] = False  # to hosts that nobody has looked at
        try:
            self.filesystem: Any = self._ask(
                lambda: fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False, **options)
            )
        except ImportError as error:
            raise SettingsWrong(f"{scheme}:// needs a package that is not installed: {quote(error)}") from None
        except (ValueError, TypeError) as error:
            raise SettingsWrong(f"fsspec cannot use {settings.where}: {self._quote(error)}") from None

    def close(self) -> None:
        """fsspec closes what it opened."""

    def list_files(self, folder: str) -> list[RemoteFile]:
        with self._translated(folder or "/", folder=True):
            self.filesystem.invalidate_cache()
            entries = self._ask(lambda: self.filesystem.ls(self._absolute(folder), detail=True))
        names = (
            (posixpath.basename(entry["name"].rstrip("/")), entry) for entry in entries if entry["type"] != "directory"
        )
        return [self._describe(posixpath.join(folder, name), entry) for name, entry in names if name]

    def look_at(self, path: str) -> RemoteFile | None:
        with self._translated(path):
            self.filesystem.invalidate_cache()
            try:
                entry = self._ask(lambda: self.filesystem.info(self._absolute(path)))
            except FileNotFoundError:
                return None
        return self._describe(path, entry) if entry["type"] == "file" else None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        if self.look_at(path) is None:
            raise self.vanished(path)
        count = 0
        with self._translated(path), self._ask(lambda: self.filesystem.open(self._absolute(path), "rb")) as file:
            while block := self._ask(lambda: file.read(BLOCK), BLOCK):
                count += len(block)
                if count > most_bytes:
                    raise self.too_large(path, most_bytes)
                out.write(block)
        return count

    def rename(self, source: str, target: str) -> None:
        if self.look_at(target) is not None:
            raise self.taken(target)
        file = self.look_at(source)
        if file is None:
            raise self.vanished(source)
        with self._translated(source):
            self._ask(lambda: self.filesystem.mv(self._absolute(source), self._absolute(target)), file.size)

    def make_folder(self, path: str) -> None:
        with self._translated(path):
            self._ask(lambda: self.filesystem.makedirs(self._absolute(path), exist_ok=True))

    def write_file(self, path: str, content: bytes) -> None:
        with self._translated(path):
            self._ask(lambda: self.filesystem.pipe_file(self._absolute(path), content), len(content))

    def remove(self, path: str) -> None:
        with self._translated(path):
            self._ask(lambda: self.filesystem.rm_file(self._absolute(path)))

    def _check_hosts(self, scheme: str) -> None:
        """Raise HostRefused for a host of the URL or of an endpoint among the options that may not be reached."""
        texts = [value for name, value in self.settings.options.items() if "://" in value or "host" in name.lower()]
        if scheme not in BUCKETS:
            texts.append(self.settings.url)
        for text in texts:
            host = urlsplit(text if "://" in text else f"//{text}").hostname
            if host:
                with self._translated(host):
                    find_addresses(host, 0)

    def _ask(self, work: Callable[[], T], count: int = 0) -> T:
        """What fsspec answers, within the time of an exchange of so many bytes."""
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:  # noqa: BLE001  (it is raised where the answer is waited for)
                answer.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            return answer.result(PATIENCE * self.settings.timeout + count / LEAST_RATE)
        except TimeoutError:
            if answer.done():
                raise
            raise ServerUnreachable(f"{self.settings.where} did not answer in time.") from None

    def _absolute(self, path: str) -> str:
        return "/".join(filter(None, (self.base, path.strip("/"))))

    def _describe(self, path: str, entry: dict[str, Any]) -> RemoteFile:
        moments = (entry.get(name) for name in ("LastModified", "last_modified", "mtime", "modified", "created"))
        moment = next((moment for moment in moments if moment is not None), None)
        if isinstance(moment, int | float):
            moment = datetime.fromtimestamp(moment, UTC)
        modified = moment if isinstance(moment, datetime) and moment.tzinfo else None
        oddity = "" if entry["type"] == "file" else NO_FILE
        return RemoteFile(path, posixpath.basename(path), entry.get("size") or 0, modified, oddity)

    def _quote(self, error: object) -> str:
        return quote(error, *(value for value in self.settings.options.values() if len(value) >= SHORTEST_SECRET))

    @contextlib.contextmanager
    def _translated(self, path: str, *, folder: bool = False) -> Iterator[None]:
        where = self.settings.where
        try:
            yield
        except FileNotFoundError:
            raise FolderMissing(f"{'The folder ' if folder else ''}{path} is not on {where}.") from None
        except PermissionError as error:
            raise PermissionRefused(f"{where} does not allow that with {path}: {self._quote(error)}") from None
        except (OSError, EOFError, *LIBRARY_ERRORS) as error:
            raise ServerUnreachable(f"{where} cannot be reached ({path}): {self._quote(error)}") from None
