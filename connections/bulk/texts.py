"""Text of COPY: rows → bytes, where they are made without a session of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


@dataclass(frozen=True, slots=True)
class CopyText:
    """So many rows as COPY takes them from a client."""

    count: int
    text: bytes

    def __len__(self) -> int:
        return self.count


def as_copy_text(rows: Sequence[Iterable[str | int | bytes | None]]) -> CopyText:
    return CopyText(len(rows), "".join(["\t".join(map(_as_text, row)) + "\n" for row in rows]).encode())


def _as_text(value: str | int | bytes | None) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    return "tf"[not value] if isinstance(value, bool) else str(value)
