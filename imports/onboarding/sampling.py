"""Sample: the beginning of a file, and its last lines, as text. However large the file is, no more is read."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imports.errors import FileRejected
from imports.files.opening import find_bom
from imports.files.signatures import find_not_text
from imports.formats.encodings import find_wide_encoding
from imports.onboarding.alphabets import READABLE, Reading, read_pairs, read_words

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE_BYTES = 1 << 20
TAIL_BYTES = 1 << 14
_PADDING = re.compile(rb"(?:\x1a|(?<=[\r\n])\0)[\x1a\0\s]*\Z")
"""The end mark of DOS and NULs that fill up a file, which are no line of it."""


@dataclass
class Sample:
    """Whole lines from the start of a file, with their ends; `tail` are its last ones, which may be among them.

    `readings` are the encodings that it may be in, where bytes do not tell, the taken one first.
    """

    encoding: str
    lines: list[str]
    tail: list[str]
    is_whole: bool
    size: int
    readings: list[Reading] = field(default_factory=list)


def take_sample(path: Path, encoding: str = "") -> Sample:
    """Read the sample, in the encoding that is given or else the likeliest.

    Raises FileRejected for a file that is empty, no text or has no lines.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(SAMPLE_BYTES)
        is_whole = len(start) == size
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    if not start.strip():
        raise FileRejected("empty_file", "The file is empty. Give a sample with a header and some customers.")
    if what := find_not_text(start):
        raise FileRejected("not_text", f"The file is {what}")
    bom, marked = find_bom(start) or (b"", "")
    encoding = encoding or marked or find_wide_encoding(start)
    if not encoding.startswith(("utf-16", "utf-32")):
        start, tail = _PADDING.sub(b"", start), _PADDING.sub(b"", tail)
    if not encoding and b"\0" in start:
        raise FileRejected("not_text", "The file holds NUL bytes, so it is not text. Give delimited text, such as CSV.")
    start = start[len(bom) :]
    if not is_whole:
        start = _whole_lines(start, encoding)
    readings: list[Reading] = []
    if not encoding:
        readings = _narrow_encodings(start, b"" if is_whole else tail)
        encoding = readings[0].encoding
    text = codecs.decode(start, encoding, "replace").lstrip("\ufeff")
    control = sum(letter < " " and letter not in "\t\r\n\f\x1c\x1d\x1e\x1f" for letter in text[:10_000])
    if control > len(text[:10_000]) / 20:
        raise FileRejected(
            "not_text", "The file is full of control characters, so it is not text. Give delimited text."
        )
    last = b"" if encoding.startswith(("utf-16", "utf-32")) else tail
    return Sample(
        encoding, _cut(text), _cut(last.decode(encoding, "replace"))[1:] if last else [], is_whole, size, readings
    )


def _cut(text: str) -> list[str]:
    """The physical lines of a text, as files have them: other line breaks of Unicode are part of a cell."""
    return [
        line.decode("utf-8", "surrogatepass")
        for line in text.encode("utf-8", "surrogatepass").splitlines(keepends=True)
    ]


def _whole_lines(data: bytes, encoding: str) -> bytes:
    """The data without the line that its end cuts."""
    width = 2 if encoding.startswith("utf-16") else 4 if encoding.startswith("utf-32") else 1
    end = max(data.rfind(b"\n"), data.rfind(b"\r"))
    if end < 0:
        raise FileRejected(
            "line_too_long", f"The first {SAMPLE_BYTES:,} bytes hold no line end. Is this the right file?", line=1
        )
    end += 1
    return data[: end + -end % width]


def _narrow_encodings(start: bytes, tail: bytes) -> list[Reading]:
    """UTF-8 where it decodes; else the encoding in which the words read, and those that rival it."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start + tail)
    except UnicodeDecodeError:
        readings = read_words(start + tail)
        pairs = read_pairs(start) if readings[0].share < READABLE else None
        return [pairs] if pairs else readings
    return [Reading("utf-8", 1.0, ())]
