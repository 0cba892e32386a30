"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from imports.copies import Draft, drafting
from imports.pipeline.rejecting import reasons_path
from imports.storage import StorageRefused, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imports.models import KeptFile, Run


class Keeper:
    """A run's file being read beside the run: digested, and copied where a copy is kept."""

    def __init__(self, run: Run, pool: ThreadPoolExecutor, path: Path, draft: Draft | None) -> None:
        """Without a draft no copy is kept."""
        self.run = run
        self.pool = pool
        self.digesting = pool.submit(_digest, path, run.sha256)
        self.draft = draft
        self.bringing: Future[None] | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file in hexadecimal; waits for it. Blank where the file cannot be read."""
        return self.digesting.result()

    def begin_copy(self) -> None:
        """Bring the copy beside the run. Whoever has waited for the digest spares packing what the account has."""
        if self.draft is None or self.bringing is not None:
            return
        if self.digesting.done() and not self.draft.sha256:
            self.draft.sha256 = self.sha256
            self.draft.look_up()
        self.bringing = self.pool.submit(self.draft.bring)

    def wait(self) -> None:
        """Until the copy is in the storage. Raises StorageUnreachable and StorageRefused."""
        self.begin_copy()
        if self.bringing is not None:
            self.bringing.result()

    def name_copy(self) -> None:
        """Name copy and digest in the run, so that they are committed with it.

        Raises StorageUnreachable and StorageRefused.
        """
        self.run.sha256 = self.run.sha256 or self.sha256
        self.wait()
        if self.draft is not None:
            self.run.kept_file = self.draft.keep()


@contextmanager
def keeping_file(run: Run, path: Path, *, wanted: bool = True) -> Iterator[Keeper | None]:
    """Digest and copy the run's file while the block is at work; neither where nothing is to be kept of it."""
    if not wanted:
        yield None
        return
    draft = Draft(run.account_id, lambda: path.open("rb"), run.file_name, run.sha256)
    is_copied = settings.KEEP_FILES_DAYS and not run.kept_file_id
    if is_copied:
        draft.look_up()
    with draft.dropping_unused(), ThreadPoolExecutor(1) as pool:
        yield Keeper(run, pool, path, draft if is_copied else None)


def _digest(path: Path, known: str) -> str:
    """The SHA-256 of a file; blank where it cannot be read, of which the import tells."""
    try:
        with path.open("rb") as file:
            return known or digest_of(file)
    except OSError:
        return ""


def keep_held_file(run: Run, path: Path) -> None:
    """Keep a copy of a held file even where no others are kept: without one it could not be released."""
    if not run.kept_file_id and not settings.KEEP_FILES_DAYS:
        run.kept_file = _keep(run, path)


def keep_rejects(run: Run, write: Callable[[Path], None]) -> None:
    """Keep the rejected rows beside the copy, for the feed's outbox and whoever asks for them."""
    wanted = settings.KEEP_REJECTS_DAYS or (run.feed and run.feed.outbox_folder)
    if not wanted or not (run.rejected or run.rows_rejected):
        return
    with tempfile.TemporaryDirectory(prefix="customersync-") as folder:
        path = Path(folder, "rejects")
        try:
            write(path)
        except OSError as error:
            raise StorageRefused(f"The rejects of {run.file_name} cannot be kept: {error.strerror}.") from None
        run.rejects_file = _keep(run, path)
        if reasons_path(path).exists():
            run.reasons_file = _keep(run, reasons_path(path))


def _keep(run: Run, path: Path) -> KeptFile:
    with drafting(run.account_id, lambda: path.open("rb"), run.file_name) as draft:
        return draft.keep()
