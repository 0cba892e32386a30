"""Archive: what has been imported is renamed out of the way, under a name that no other file has.

What was taken stands in the ledger whether it was moved or not, so a move that fails keeps no file waiting: it is tried
again by the next pull, told, and shown with the feed.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from imports.errors import SettingsWrong, TryAgainLater
from imports.feeds.fetching import is_same, join
from imports.filesystems import FileVanished, RemoteFile
from imports.messages.telling import tell_of_feed
from imports.models import Feed, Run
from imports.wording import file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from imports.filesystems import Server

REMEDY = (
    "Have the user allowed to rename files into the processed and failed folders and to make these, or have files left "
    "where they are (after import: leave; create_feed --leave). Nothing is imported twice meanwhile."
)


LEFT_OVERS = 100
"""Of them at most is found out in one pull what became of their files."""
PATIENCE = timedelta(hours=1)
"""How long moves may fail for a reason that time may mend before the contacts are told."""


@dataclass
class Mover:
    """Moves files in one pull. Behind a move that failed it tries none any more; `problem` says why.

    `lost` says that the session on the server may be of no use any more.
    """

    feed: Feed
    problem: str = ""
    passing: bool = False
    lost: bool = False

    def move(self, server: Server, run: Run, file: RemoteFile) -> bool:
        """Move the file of a run, where that is wanted; False where another file lies there now."""
        if self.problem or self.feed.after_import == self.feed.AfterImport.LEAVE:
            return True
        return bool(self._try(lambda: archive_file(server, self.feed, run, file), otherwise=True))

    def move_marker(self, server: Server, run: Run, marker: RemoteFile) -> None:
        """Move the marker of a run's file, before the file itself: left alone, it would make the next one ready."""
        if not self.problem and self.feed.after_import == self.feed.AfterImport.MOVE:
            self._try(lambda: _archive_marker(server, self.feed, run, marker), otherwise=True)

    def has_moved(self, server: Server, run: Run, name: str, *, is_replaced: bool = False) -> bool | None:
        """Whether the file of a run was moved without our knowing; None where one that looks like it lies in its place
        too, unless its content is known to be another one.
        """
        if self.problem:
            return False
        return self._try(lambda: settle_moved(server, self.feed, run, name, is_replaced=is_replaced), otherwise=False)

    def settle_left_overs(self, server: Server, listed: Collection[str]) -> None:
        """Record where files are that were moved, or taken away by others, without our knowing."""
        if self.problem or self.feed.after_import == self.feed.AfterImport.LEAVE:
            return
        gone = (run for run in self.feed.runs.to_archive() if run.remote_path not in listed)
        for run in islice(gone, LEFT_OVERS):
            if not self.has_moved(server, run, posixpath.basename(run.remote_path)) and not self.problem:
                record_archived(run, "")

    def _try(self, work: Callable[[], bool | None], *, otherwise: bool) -> bool | None:
        try:
            return work()
        except (SettingsWrong, TryAgainLater) as error:
            self.problem, self.passing = str(error), isinstance(error, TryAgainLater)
            self.lost = self.passing
            return otherwise

    @property
    def message(self) -> str:
        return f"Imported, but cannot be moved: {self.problem.rstrip('.')}. {REMEDY}" if self.problem else ""

    def record(self) -> None:
        """Show with the feed whether its files can be moved, and tell the contacts once that they cannot."""
        if not self.problem and not self.feed.move_problem:
            return
        now = timezone.now()
        if not self.problem or not self.feed.runs.to_archive().exists():
            self.problem = ""
            Feed.objects.filter(pk=self.feed.pk).exclude(move_problem="").update(
                move_problem="", move_failing_since=None, move_told_at=None
            )
            return
        with transaction.atomic():
            state = Feed.objects.select_for_update().get(pk=self.feed.pk)
            state.move_problem = self.problem
            state.move_failing_since = state.move_failing_since or now
            if state.move_told_at is None and not (self.passing and now - state.move_failing_since < PATIENCE):
                state.move_told_at = now
                tell_of_feed(state, "feed.not_moved", state.move_failing_since, {"problem": self.problem})
            state.save(update_fields=["move_problem", "move_failing_since", "move_told_at"])


def archive_path(feed: Feed, run: Run, name: str) -> str:
    """Where the file of a run goes: <folder>/<run>-<first of its SHA-256>-<its name>."""
    folder = feed.processed_folder if run.is_applied or run.status == Run.Status.UNDONE else feed.failed_folder
    return join(feed.folder, folder, f"{run.pk}-{run.sha256[:8]}-{file_name(name)}")


def archive_file(server: Server, feed: Feed, run: Run, file: RemoteFile) -> bool:
    """Rename the run's file, and record where it is; whether the file lay there that the run took.

    The file is looked at before and after: another one that its sender put there meanwhile stays, or comes back.
    """
    target = archive_path(feed, run, file.name)
    now = server.look_at(file.path)
    if now is None:
        record_archived(run, target if server.look_at(target) else "")
        return True
    if not is_same(file, now):
        record_archived(run, "")
        return False
    make_folders(server, feed.folder, target)
    try:
        server.rename(file.path, target)
    except FileVanished:
        record_archived(run, target if server.look_at(target) else "")
        return True
    moved, left = server.look_at(target), server.look_at(file.path)
    if is_same(file, left):
        raise SettingsWrong(f"{server.settings.where} said that it moved {file.path}, which still lies where it lay")
    if moved is not None and not _is_that(file, moved, server) and left is None:
        server.rename(target, file.path)
        record_archived(run, "")
        return False
    record_archived(run, target)
    return True


def _archive_marker(server: Server, feed: Feed, run: Run, marker: RemoteFile) -> bool:
    target = archive_path(feed, run, marker.name)
    make_folders(server, feed.folder, target)
    try:
        server.rename(marker.path, target)
    except FileVanished:
        return False
    return True


def _is_that(file: RemoteFile, moved: RemoteFile, server: Server) -> bool:
    """An object store gives what was moved a new time."""
    return is_same(file, moved if server.keeps_times else moved._replace(modified_at=None))


def settle_moved(server: Server, feed: Feed, run: Run, name: str, *, is_replaced: bool) -> bool | None:
    """Whether the run's file was moved although nobody could note that; then it is noted now.

    Where it lay there may be a new one by now: what is listed under its name is to be looked at anew. None where that
    looks like the run's own, which was copied then rather than moved, unless it `is_replaced`.
    """
    target = archive_path(feed, run, name)
    if not server.settle_rename(run.remote_path, target):
        return False
    taken = RemoteFile(run.remote_path, name, run.remote_size or 0, run.remote_modified_at)
    if not is_replaced and is_same(taken, server.look_at(run.remote_path)):
        return None
    record_archived(run, target)
    return True


def record_archived(run: Run, target: str) -> None:
    run.archived_at, run.archived_as = timezone.now(), target
    run.save(update_fields=["archived_at", "archived_as"])


def make_folders(server: Server, base: str, path: str) -> None:
    """Make the folders that lead from the base to a file, where they are missing."""
    within = path.removeprefix(base).strip("/").split("/")[:-1]
    for number in range(len(within)):
        server.make_folder(join(base, *within[: number + 1]))
