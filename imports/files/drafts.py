"""Drafts: what somebody asked for at a path is written beside it and put there when it is whole."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_replaceable(path: Path) -> bool:
    """Whether a file may take the place of what is there: not of a device, a pipe or a socket."""
    return path.is_file() or not path.exists()


@contextmanager
def drafting(path: Path) -> Iterator[Path]:
    """Where to write what `publish` will put at the path; what is not published by then is deleted."""
    if not is_replaceable(path):
        with TemporaryDirectory() as folder:
            yield Path(folder, path.name)
        return
    place = path.resolve()  # of a link, the file that it leads to
    draft = place.with_name(f".{place.name}.new")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def publish(draft: Path, path: Path) -> None:
    """Put a draft in its place at once; into a device or a pipe it is written. Raises OSError."""
    if is_replaceable(path):
        draft.replace(path.resolve())
    else:
        with draft.open("rb") as written, path.open("wb") as place:
            shutil.copyfileobj(written, place)
