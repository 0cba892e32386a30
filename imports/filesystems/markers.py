"""Markers: files that say that another one is whole, and may say what it holds."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass

SETTLED = "settled"
"""No marker: a file is whole when it keeps its size and time."""
COUNTS = ("rows", "lines", "bytes")
CHECKSUMS = ("md5", "sha1", "sha256", "sha512")
_PLACE = re.compile(r"\{(name|stem)\}")


class MarkerError(ValueError):
    """A pattern that cannot be one; the message says what would be right."""


@dataclass(frozen=True)
class Marker:
    """How markers are called: {name}.done, {stem}.ctl; and what they hold to be compared: {name}.sha256 sha256."""

    text: str
    holds: str

    @classmethod
    def parse(cls, text: str) -> Marker | None:
        """None where files need none. Raises MarkerError."""
        if text == SETTLED:
            return None
        pattern, _, holds = text.rpartition(" ")
        if holds not in (*COUNTS, *CHECKSUMS):
            pattern, holds = text, ""
        pattern = pattern.strip()
        if len(_PLACE.findall(pattern)) != 1 or re.search(r"[{}/\\\0]", _PLACE.sub("", pattern)):
            raise MarkerError(
                f"Say {SETTLED}, or how markers are called, with one {{name}} for a file's name or {{stem}} for what "
                f"stands before its ending: {{name}}.done. Behind it may stand what they hold: "
                f"{', '.join((*COUNTS, *CHECKSUMS))}."
            )
        if not _PLACE.sub("", pattern):
            raise MarkerError("A marker needs another name than its file, such as {name}.done.")
        return cls(pattern, holds)

    def name_for(self, name: str) -> str:
        """What the marker of a file is called."""
        values = {"name": name, "stem": posixpath.splitext(name)[0]}
        return _PLACE.sub(lambda match: values[match[1]], self.text)

    def may_be(self, name: str) -> bool:
        """Whether a file of this name is a marker, and so no data, in whatever case."""
        before, _, after = _PLACE.split(self.text)
        return re.fullmatch(f"{re.escape(before)}.+{re.escape(after)}", name, re.IGNORECASE | re.DOTALL) is not None

    def find_number_problem(self, said: str, counts: set[int]) -> str:
        """Why a marker's text does not fit any of these counts; "" where it does."""
        numbers = {int(number) for number in re.findall(r"(?<![\w.])\d{1,15}(?![\w.])", said)}
        if numbers & counts:
            return ""
        found = ", ".join(f"{number:,}" for number in sorted(numbers)) or "no number"
        return f"it has {min(counts):,} {self.holds}, and its marker says {found}"

    def find_checksum_problem(self, said: str, name: str, checksum: str) -> str:
        """The same of a checksum; of a list of several, the line that names the file counts."""
        length = hashlib.new(self.holds, usedforsecurity=False).digest_size * 2
        pattern = re.compile(rf"(?<![0-9a-f])[0-9a-f]{{{length}}}(?![0-9a-f])", re.IGNORECASE)
        lines = [line for line in said.splitlines() if name in line and pattern.search(line)] or said.splitlines()
        found = {match.lower() for line in lines for match in pattern.findall(line)}
        if checksum in found:
            return ""
        return f"its {self.holds} is {checksum}, and its marker says {', '.join(sorted(found)) or 'none'}"
