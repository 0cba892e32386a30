"""Archive: what has been imported is renamed out of the way, under a name that no other file has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from imports.feeds.fetching import is_same, join
from imports.filesystems import FileVanished, RemoteFile
from imports.models import Run
from imports.wording import file_name

if TYPE_CHECKING:
    from imports.filesystems import Server
    from imports.models import Feed


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
        record_archived(run, "")
        return True
    moved = server.look_at(target)
    if moved is not None and not _is_that(file, moved, server) and server.look_at(file.path) is None:
        server.rename(target, file.path)
        record_archived(run, "")
        return False
    record_archived(run, target)
    return True


def _is_that(file: RemoteFile, moved: RemoteFile, server: Server) -> bool:
    """An object store gives what was moved a new time."""
    return is_same(file, moved if server.keeps_times else moved._replace(modified_at=None))


def settle_moved(server: Server, feed: Feed, run: Run, name: str) -> bool:
    """Whether the run's file was moved although nobody could note that; then it is noted now.

    Where it lay there may be a new one by now: what is listed under its name is to be looked at anew.
    """
    target = archive_path(feed, run, name)
    if not server.settle_rename(run.remote_path, target):
        return False
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
