"""Fetch: a feed's folder → the files to take, in order → a local file and its SHA-256."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from imports.errors import SettingsWrong, TryAgainLater
from imports.feeds.settling import find_marker, note_markers
from imports.filesystems import FileTooLarge
from imports.filesystems.masks import Mask
from imports.models import Feed, Run
from imports.wording import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from imports.filesystems import RemoteFile, Server


LONG_PAST = timedelta(hours=26)
"""After so long, no clock and no time zone that a server takes for UTC makes a file look older than it is."""
COARSEST_TIME = timedelta(seconds=10)
"""Longer than what any server's times are rounded to."""


class Step(StrEnum):
    """What is to be done with a file on the server."""

    TAKE = "take"
    COMPARE = "compare"
    """Download it, and take it unless it is what its last run took: size and time alone do not tell."""
    ARCHIVE = "archive"
    """It went in, and is still to be moved away."""
    WAIT = "wait"
    """It is held."""
    UNREADY = "unready"
    """Its marker is not there."""
    LEAVE = "leave"


class Candidate(NamedTuple):
    """A file that the mask takes, the last run of its path, and what is to be done."""

    file: RemoteFile
    run: Run | None
    step: Step
    reason: str
    marker: RemoteFile | None = None


class FileUnsettled(Exception):
    """A file changes while it is looked at: its sender is still at work."""


class FetchedFile(NamedTuple):
    """A local copy; `sha256` in hexadecimal."""

    path: Path
    sha256: str


def list_folder(server: Server, feed: Feed) -> list[RemoteFile]:
    """What lies in the feed's folder; a file that is listed twice is one, and a marker is no file to take.

    Where the two differ, the server is asked which of them the file is like.
    """
    files: dict[str, RemoteFile] = {}
    for file in server.list_files(feed.folder):
        known = files.setdefault(file.path, file)
        if not is_same(known, file):
            files[file.path] = server.look_at(file.path) or known
    return note_markers(feed, list(files.values()))


def list_candidates(feed: Feed, files: list[RemoteFile]) -> list[Candidate]:
    """The files that the feed's mask takes, oldest first.

    By the time in their names, else by the server's; those of one time by the server's, then by the numbers in their
    names, for the tenth of a day stands behind the ninth.
    """
    mask = Mask.parse(feed.mask)
    matching = [file for file in files if not file.oddity and mask.matches(file.name)]
    matching.sort(key=lambda file: _in_natural_order(file.name))
    if all(file.modified_at for file in matching):
        matching.sort(key=lambda file: (file.modified_at, _in_natural_order(file.name)))
    if mask.stamp:
        matching.sort(key=lambda file: mask.time_of(file.name) or datetime.min)  # noqa: DTZ901  (every name has one)
    runs = feed.runs.latest_of_paths(file.path for file in matching) if matching else ()
    latest = {run.remote_path: run for run in runs}
    by_name: dict[str, list[RemoteFile]] = {}
    for file in files:
        by_name.setdefault(file.name.casefold(), []).append(file)
    candidates = (_choose_step(feed, file, latest.get(file.path)) for file in matching)
    return [_look_for_marker(feed, candidate, by_name) for candidate in candidates]


def _in_natural_order(name: str) -> list[str | int]:
    """Texts and numbers in turn."""
    parts = re.split(r"(\d+)", name, flags=re.ASCII)
    return [int(part) if number % 2 else part for number, part in enumerate(parts)]


def _look_for_marker(feed: Feed, candidate: Candidate, by_name: dict[str, list[RemoteFile]]) -> Candidate:
    marker, problem = find_marker(feed, candidate.file, by_name)
    if problem and candidate.step == Step.TAKE:
        return candidate._replace(step=Step.UNREADY, reason=problem)
    return candidate._replace(marker=marker)


def _choose_step(feed: Feed, file: RemoteFile, run: Run | None) -> Candidate:
    if run is None:
        return Candidate(file, run, Step.TAKE, "new")
    if file.size != run.remote_size or (
        file.modified_at and run.remote_modified_at and not _same_second(file.modified_at, run.remote_modified_at)
    ):
        return Candidate(file, run, Step.TAKE, f"changed since {run}")
    if run.status in (Run.Status.RUNNING, Run.Status.FAILED):
        return Candidate(file, run, Step.TAKE, f"{run} did not end, and is repeated")
    unsure = _may_be_another(file, run)
    if run.awaits_decision:
        return Candidate(file, run, Step.COMPARE if unsure else Step.WAIT, f"{run} is held")
    if feed.after_import == Feed.AfterImport.LEAVE:
        return Candidate(file, run, Step.COMPARE if unsure else Step.LEAVE, f"taken by {run}")
    if run.archived_at:
        return Candidate(file, run, Step.TAKE, f"sent again after {run}")
    return Candidate(file, run, Step.COMPARE if unsure else Step.ARCHIVE, f"taken by {run}, and not moved away yet")


def _may_be_another(file: RemoteFile, run: Run) -> bool:
    """Whether the file may hold other content than the run took, though it has the same size and second.

    What is written in the second in which the file was taken looks the same, so a file is compared once more, when
    that second is over by any clock. One that was old when it was taken, whatever the server's clock, cannot be it.
    """
    if file.modified_at is None or run.remote_modified_at is None or file.modified_at != run.remote_modified_at:
        return True
    if run.started_at - file.modified_at > LONG_PAST:
        return False
    return run.compared_at is None or run.compared_at - run.started_at < COARSEST_TIME


def is_same(before: RemoteFile, after: RemoteFile | None) -> bool:
    """Whether two looks saw the same file; times count in seconds, as that is all that some servers tell."""
    if after is None or before.size != after.size:
        return False
    if before.modified_at is None or after.modified_at is None:
        return True
    return _same_second(before.modified_at, after.modified_at)


def _same_second(one: datetime, other: datetime) -> bool:
    return int(one.timestamp()) == int(other.timestamp())


def fetch_file(server: Server, file: RemoteFile, path: Path, most_bytes: int) -> FetchedFile:
    """Download a file to a path of our own, and prove that all of it came and that it did not change meanwhile.

    Raises FileUnsettled when it did, FileTooLarge, TryAgainLater when fewer bytes came than the server listed, and
    SettingsWrong without room on this machine.
    """
    if file.size > most_bytes:
        raise FileTooLarge(
            f"{file.path} has {file.size:,} bytes, more than the feed's limit of {most_bytes:,}. Raise the limit, or "
            "have the file removed; later files wait for it."
        )
    hashing = _HashingFile(path)
    try:
        with hashing:
            size = server.download(file.path, hashing, most_bytes)  # type: ignore[arg-type]  # only written to
    except _DiskError as error:
        raise SettingsWrong(f"{file.path} cannot be written to DATA_DIR: {error}.") from None
    after = server.look_at(file.path)
    if not is_same(file, after):
        raise FileUnsettled(
            f"Waits: {one_line(file.name)} changed while it was downloaded, from {_say(file)} to {_say(after)}; later "
            "files wait behind it."
        )
    if size < file.size:
        raise TryAgainLater(
            f"Only {size:,} of the {file.size:,} bytes of {file.path} came, though the server reported success."
        )
    if size > file.size:
        raise TryAgainLater(
            f"{size:,} bytes of {file.path} came, which has {file.size:,} as the server says. It is not imported "
            "before they agree; ask the server's operator why they do not."
        )
    return FetchedFile(path, hashing.digest.hexdigest())


def _say(file: RemoteFile | None) -> str:
    if file is None:
        return "nothing"
    return f"{file.size:,} bytes" + (f" of {file.modified_at:%Y-%m-%d %H:%M:%S} UTC" if file.modified_at else "")


class _DiskError(Exception):
    """This machine's disk, where the transports would take any OSError for the server's."""


@dataclass
class _HashingFile:
    """A file that is hashed while it is written."""

    path: Path

    def __enter__(self) -> _HashingFile:
        self.digest = hashlib.sha256()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file = self.path.open("wb")
        except OSError as error:
            raise _DiskError(error.strerror) from error
        return self

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        try:
            return self.file.write(data)
        except OSError as error:
            raise _DiskError(error.strerror) from error

    def __exit__(self, *exception: object) -> None:
        try:
            self.file.close()
        except OSError as error:
            raise _DiskError(error.strerror) from error


def join(*parts: str) -> str:
    """A path on the server."""
    return posixpath.join(*filter(None, parts)) if any(parts) else ""
