"""Settle: whether a file is whole, by what its end or its marker says."""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from imports.errors import FileRejected, TryAgainLater
from imports.files.opening import open_source
from imports.filesystems.markers import CHECKSUMS, Marker
from imports.models import Feed
from imports.wording import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from imports.feeds.fetching import FetchedFile
    from imports.filesystems import RemoteFile, Server
    from imports.formats.spec import FormatSpec

MARKER = "it is the marker of another file"
LONE_MARKER = "it is a marker whose file is not there"
LARGEST_MARKER = 1 << 16
DATA_ENDINGS = {".txt", ".csv", ".tsv", ".dat"}
"""Of files that are no markers, be they as empty as they like."""
_LAST_WORD = re.compile(r"(?<=.)[._-][A-Za-z]+$")
_TAIL = 64


class MarkerDiffers(TryAgainLater):
    """A file is not what its marker says; its sender may still be at work."""


# -- markers among the files of a folder


def note_markers(feed: Feed, files: list[RemoteFile]) -> list[RemoteFile]:
    """The same files, of which those that are markers say so: by the feed's pattern, or by their look."""
    marker = Marker.parse(feed.ready_when)
    if marker is None:
        return _note_markers_by_look(feed, files)
    meant = {marker.name_for(file.name).casefold() for file in files if not marker.may_be(file.name)}
    return [
        file._replace(oddity=MARKER if file.name.casefold() in meant else LONE_MARKER)
        if marker.may_be(file.name)
        else file
        for file in files
    ]


def find_marker(feed: Feed, file: RemoteFile, by_name: dict[str, list[RemoteFile]]) -> tuple[RemoteFile | None, str]:
    """The marker of a file, and why the file is not ready; none and "" where it needs none.

    `by_name` has the files of the folder by their names in one case.
    """
    marker = Marker.parse(feed.ready_when)
    if marker is None:
        return None, ""
    name = marker.name_for(file.name)
    alike = by_name.get(name.casefold(), [])
    found = next((other for other in alike if other.name == name), alike[0] if len(alike) == 1 else None)
    if found is None:
        return None, f"its marker {name} is not there yet"
    if found.modified_at and file.modified_at and file.modified_at - found.modified_at >= timedelta(seconds=1):
        return found, f"its marker {found.name} is older than the file itself"
    return found, ""


def _note_markers_by_look(feed: Feed, files: list[RemoteFile]) -> list[RemoteFile]:
    """A file that is called like another one, but for its ending or a last word, and is empty or by its ending a
    checksum, is no data, also once that one went in.
    """
    likely = [file for file in files if not file.oddity and _may_be_marker(file)]
    if not likely:
        return files
    names = {file.name for file in files if file.size and not _has_checksum_ending(file.name)}
    stems = {stem for file in likely for stem in _stems(file.name)}
    near = Q(file_name__in=stems)
    for stem in stems:
        near |= Q(file_name__startswith=f"{stem}.")
    names |= set(feed.runs.filter(near).values_list("file_name", flat=True))
    of = {file.name: next((name for name in names if _is_called_like(file.name, name)), "") for file in likely}
    return [
        file._replace(
            oddity=f"it is {'a checksum' if file.size else 'empty'} and called like {of[file.name]}, so it seems to be "
            "its marker; say so with ready_when"
        )
        if of.get(file.name)
        else file
        for file in files
    ]


def _may_be_marker(file: RemoteFile) -> bool:
    return _has_checksum_ending(file.name) if file.size else _ending(file.name) not in DATA_ENDINGS


def _has_checksum_ending(name: str) -> bool:
    return _ending(name).removeprefix(".") in CHECKSUMS


def _ending(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


def _stems(name: str) -> set[str]:
    """What a name is without its ending, and without its last word: customers_1 of customers_1_done."""
    return {posixpath.splitext(name)[0], _LAST_WORD.sub("", name)}


def _is_called_like(name: str, other: str) -> bool:
    stem = posixpath.splitext(other)[0]
    return name != other and (other in _stems(name) or stem in (name, *_stems(name)))


# -- what a file's end says


def explain_end(feed: Feed, fetched: FetchedFile, size: int, spec: FormatSpec) -> str:
    """Why a file may not be whole: it is empty, or its last line has no end; "" where nothing speaks for that."""
    if not size:
        return "is empty"
    if feed.last_line == Feed.LastLine.TRUST or _ends_with_line(fetched.path, spec):
        return ""
    return "ends within a line"


def _ends_with_line(path: Path, spec: FormatSpec) -> bool:
    """Whether the last line has an end, in the file's encoding; padding and DOS's end mark behind it are nothing."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL) // 4 * 4)
        tail = file.read()
    if tail.rstrip(b"\0\x1a").endswith((b"\n", b"\r")):
        return True
    try:
        return tail.decode(spec.dialect.encoding, "replace").rstrip("\0\x1a").endswith(("\n", "\r", "\x85"))
    except LookupError:
        return False


# -- what a marker says


def compare_with_marker(
    server: Server, feed: Feed, file: RemoteFile, found: RemoteFile, fetched: FetchedFile, spec: FormatSpec
) -> None:
    """Raise MarkerDiffers where the marker says another count or checksum than the file has."""
    marker = Marker.parse(feed.ready_when)
    if marker is None or not marker.holds:
        return
    content = io.BytesIO()
    server.download(found.path, content, LARGEST_MARKER)
    said = content.getvalue().replace(b"\0", b"").decode("utf-8-sig", "replace")
    if marker.holds in CHECKSUMS:
        with fetched.path.open("rb") as local:
            checksum = hashlib.file_digest(local, marker.holds).hexdigest()
        problem = marker.find_checksum_problem(said, file.name, checksum)
    else:
        counts = _count(fetched.path, marker.holds, spec)
        problem = marker.find_number_problem(said, counts) if counts else ""
    if problem:
        raise MarkerDiffers(
            f"{one_line(file.path)} is not what its marker {one_line(found.name)} says: {problem}. It is not imported "
            "before they agree; have the sender send both again."
        )


def _count(path: Path, what: str, spec: FormatSpec) -> set[int]:
    """Bytes, lines that are not blank, or rows of data; none where the file cannot be read, as its import will say."""
    if what == "bytes":
        return {path.stat().st_size}
    if what == "lines":
        with path.open(encoding="latin-1") as file:
            return {sum(bool(line.strip("\0 \t\r\n\x1a")) for line in file)}
    try:
        with open_source(path, spec.dialect) as source:
            lines = (line for block in source.blocks() for line in block.splitlines(keepends=True))
            rows = source.records(lines, source.body_line)
            return {sum(any(cell.strip() for cell in row.cells) for row in rows)}
    except FileRejected:
        return set()
