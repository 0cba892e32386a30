"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.conf import settings

from imports.copies import Draft
from imports.pipeline.rejecting import reasons_path
from imports.storage import StorageRefused, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    from imports.models import Run


class NotBrought(Exception):
    """What is to be kept is not in the storage yet, and is brought there while nothing is locked."""


class Keeper:
    """A run's file being copied beside the run, where a copy is kept, and digested where nobody has done so yet."""

    def __init__(self, run: Run, pool: ThreadPoolExecutor, path: Path, draft: Draft, *, is_wanted: bool) -> None:
        """Without being wanted a copy is kept of a held file alone, which could not be released otherwise."""
        self.run = run
        self.pool = pool
        self.path = path
        self.draft = draft
        self.is_wanted = is_wanted
        self.bringing: Future[None] | None = None

    def find_digest(self) -> str:
        """The SHA-256 of the whole file in hexadecimal, for which it may be read. Blank where it cannot be."""
        if not self.draft.sha256:
            self.draft.sha256 = _digest(self.path)
        return self.draft.sha256

    def begin_copy(self) -> None:
        """Bring the copy beside the run. Whoever has asked for the digest spares packing what the account has."""
        if self.is_wanted and self.bringing is None:
            self.draft.look_up()
            self.bringing = self.pool.submit(self.draft.bring)

    def wait(self) -> None:
        """Until the copy is in the storage, and the digest known. Raises StorageUnreachable and StorageRefused."""
        self.begin_copy()
        if self.bringing is not None:
            self.bringing.result()
        self.find_digest()

    def hold(self) -> None:
        """Wait for the copy and hold it, before anything is locked. Raises StorageUnreachable and StorageRefused."""
        self.wait()
        if self.is_wanted:
            self.draft.hold()

    def require_held(self) -> None:
        """Raise NotBrought where the run's file is held and its copy must be brought first."""
        if self._want_held():
            raise NotBrought

    def name_copy(self) -> None:
        """Name copy and digest in the run, so that they are committed with it.

        Raises StorageUnreachable and StorageRefused.
        """
        self._want_held()
        try:
            self.wait()
        finally:
            self.run.sha256 = self.run.sha256 or self.find_digest()
        if self.is_wanted:
            self.run.kept_file = self.draft.keep()

    def _want_held(self) -> bool:
        """Whether a copy is wanted only now."""
        if self.is_wanted or not self.run.held_for or self.run.kept_file_id:
            return False
        self.is_wanted = True
        return True


@contextmanager
def keeping_file(run: Run, path: Path, *, wanted: bool = True) -> Iterator[Keeper | None]:
    """Copy and digest the run's file while the block is at work; neither where nothing is to be kept of it."""
    if not wanted:
        yield None
        return
    draft = Draft(run.account_id, lambda: path.open("rb"), run.file_name, run.sha256)
    is_wanted = bool(settings.KEEP_FILES_DAYS and not run.kept_file_id)
    with draft.dropping_unused(), ThreadPoolExecutor(1) as pool:
        yield Keeper(run, pool, path, draft, is_wanted=is_wanted)


def _digest(path: Path) -> str:
    """The SHA-256 of a file; blank where it cannot be read, of which the import tells."""
    try:
        with path.open("rb") as file:
            return digest_of(file)
    except OSError:
        return ""


class RejectsKeeper:
    """The rejected rows of a run, kept beside the copy for the feed's outbox and whoever asks for them.

    They are brought into the storage before the merge locks anything, since a store may be slow or away.
    """

    def __init__(self, run: Run, write: Callable[[Path], None], stack: ExitStack) -> None:
        """`write` writes them to a path, as they are known just then; the `stack` ends behind the commit."""
        self.run = run
        self.write = write
        self.stack = stack
        self.drafts: list[Draft] = []

    @cached_property
    def path(self) -> Path:
        return Path(self.stack.enter_context(TemporaryDirectory(prefix="customersync-")), "rejects")

    @property
    def is_wanted(self) -> bool:
        run = self.run
        is_kept = settings.KEEP_REJECTS_DAYS or (run.feed and run.feed.outbox_folder)
        return bool(is_kept and (run.rejected or run.rows_rejected))

    def bring(self) -> None:
        """Bring them into the storage as they were written. Raises StorageUnreachable and StorageRefused."""
        for draft in self.drafts:
            if not (draft.known or draft.stored):
                draft.look_up()
                draft.bring()
            draft.hold()

    def require(self) -> None:
        """Write them anew, and raise NotBrought where they are others than were brought."""
        if self.draft():
            raise NotBrought

    def name(self) -> None:
        """Name them in the run, so that they are committed with it."""
        self.run.rejects_file, self.run.reasons_file, *_ = [*(draft.keep() for draft in self.drafts), None, None]

    def draft(self) -> bool:
        """Write them as they are now; returns whether that changes them. Raises StorageRefused without room."""
        try:
            paths = self._write() if self.is_wanted else []
            digests = [_digest(path) for path in paths]
        except OSError as error:
            raise StorageRefused(f"The rejects of {self.run.file_name} cannot be kept: {error.strerror}.") from None
        if digests == [draft.sha256 for draft in self.drafts]:
            return False
        drafts = (self._draft_of(path, digest) for path, digest in zip(paths, digests, strict=True))
        self.drafts = [self.stack.enter_context(draft.dropping_unused()) for draft in drafts]
        return True

    def _draft_of(self, path: Path, digest: str) -> Draft:
        return Draft(self.run.account_id, lambda: path.open("rb"), self.run.file_name, digest)

    def _write(self) -> list[Path]:
        paths = [self.path, reasons_path(self.path)]
        for path in paths:
            path.unlink(missing_ok=True)
        self.write(self.path)
        return [path for path in paths if path.exists()]
