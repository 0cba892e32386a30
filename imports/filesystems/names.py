"""Names on servers that say nothing of their encoding: read as people wrote them, and sent back as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.filesystems.base import is_utf_8

if TYPE_CHECKING:
    from collections.abc import Iterable


class Names:
    """Those of one session: in UTF-8, and each that cannot be is read as Latin-1.

    Where no name of a folder is in UTF-8 beyond ASCII but one is not, the server writes Latin-1, and is sent that.
    """

    def __init__(self) -> None:
        self.encoding = "utf-8"
        self.raw: dict[str, bytes] = {}
        """Names that are not in UTF-8, by what they are read as."""
        self.texts: dict[bytes, str] = {}
        """The same the other way round."""

    def learn(self, names: Iterable[bytes]) -> None:
        """Take note of the names in a folder before they are read."""
        parts = {part for name in names for part in name.split(b"/")}
        known = {part.decode() for part in parts if is_utf_8(part)}
        odd = sorted(part for part in parts if not is_utf_8(part))
        if odd and all(name.isascii() for name in known):
            self.encoding = "latin-1"
        for part in odd:
            text = part.decode("latin-1")
            text = part.decode(errors="backslashreplace") if text in known else text
            self.raw[text], self.texts[part] = part, text

    def read(self, raw: bytes) -> str:
        if is_utf_8(raw):
            return raw.decode()
        return "/".join(self.texts.get(part) or part.decode("latin-1") for part in raw.split(b"/"))

    def write(self, path: str) -> bytes:
        """A path, whose parts may be names that were read."""
        return b"/".join(self.raw.get(part) or part.encode(self.encoding, "replace") for part in path.split("/"))
