"""Read: an open file → blocks of whole lines, and the records of lines.

Lines are physical lines counted from 1, ended by LF, CR LF or CR; the line of a record that spans lines is its first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from imports.errors import FileRejected
from imports.files.records import LONGEST_RECORD, RecordReader, decode_record
from imports.formats.encodings import BLOCK
from imports.formats.masks import compile_masks
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imports.formats.spec import Dialect


@dataclass
class Source:
    """A file opened for reading. `file` holds UTF-8; `body` is the offset and `body_line` the line after the header.

    The data ends at the offset `end`, before the footer where the dialect has one. `separator` is the delimiter that a
    line "sep=;" in front of the header names for spreadsheets; the dialect's is the one that counts. `last_line` is the
    last one before the footer that is not blank, as it is known of a dialect with a footer.
    `is_open` says that the file ends without a line end, so that its last row may have been cut off.
    """

    file: BinaryIO
    dialect: Dialect
    encoding: str
    has_bom: bool
    size: int
    header: list[str] = field(default_factory=list)
    header_line: int | None = None
    preamble: str = ""
    separator: str = ""
    separator_line: int = 0
    body: int = 0
    body_line: int = 1
    end: int = 0
    footer: str = ""
    last_line: str = ""
    newline: str = "\n"
    is_open: bool = False

    def __post_init__(self) -> None:
        self.delimiter = self.dialect.delimiter.encode()
        self.ignores = compile_masks(self.dialect.ignore_lines)
        spaced = f"{self.dialect.delimiter} " if self.dialect.allow_spaced_delimiter else ""
        marks = (self.dialect.quotechar, self.dialect.escapechar, spaced)
        self.specials = [mark.encode() for mark in marks if mark]
        self.blank = (" \t\r\n" + (self.dialect.delimiter if self.dialect.delimiter.isascii() else "")).encode()
        for mark in (self.dialect.quotechar, self.dialect.escapechar):
            if mark:
                self.blank = self.blank.replace(mark.encode(), b"")

    @property
    def width(self) -> int:
        """How many cells a row has, where that is known."""
        return len(self.header) or self.dialect.width

    def is_blank_line(self, line: bytes, number: int) -> bool:
        """Whether a line without quotes and escapes is nothing but delimiters and what cannot be seen."""
        if not line.strip(self.blank):
            return True
        return not any(read_key(cell) for cell in decode_record(line, number).split(self.dialect.delimiter))

    def is_plain(self, data: bytes) -> bool:
        """Whether every delimiter and line end in the data means just that."""
        for mark in self.specials:  # noqa: SIM110  (asked of every customer, and twice as quick as any())
            if mark in data:
                return False
        return True

    def blocks(self) -> Iterator[bytes]:
        """The data after the header in blocks of whole lines."""
        self.file.seek(self.body)
        rest, left = b"", self.end - self.body
        while left > 0 and (block := self.file.read(min(BLOCK, left))):
            left -= len(block)
            data = rest + block
            end = _end_of_lines(data)
            rest = data[end:]
            if len(rest) > LONGEST_RECORD:
                raise FileRejected(
                    "line_too_long",
                    f"A line is longer than {LONGEST_RECORD:,} bytes. Is this the right file, with line ends?",
                    line=self.line_at(self.end - left - len(rest)),
                )
            if end:
                yield data[:end]
        if rest:
            yield rest

    def line_at(self, offset: int) -> int:
        """The line that begins at an offset of the data."""
        self.file.seek(self.body)
        line, left, last = self.body_line, offset - self.body, b""
        while left > 0 and (block := self.file.read(min(BLOCK, left))):
            left -= len(block)
            line += count_line_ends(block) - (last == b"\r" and block.startswith(b"\n"))
            last = block[-1:]
        return line

    def records(self, lines: Iterable[bytes], line: int) -> RecordReader:
        """Records of lines in which quotes or escapes may occur."""
        return RecordReader(self.dialect, self.width, lines, line)


def count_line_ends(data: bytes) -> int:
    """How many lines end in whole lines: by LF, CR LF or CR."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _end_of_lines(data: bytes) -> int:
    """Where the last line ends that is whole; a CR at the end may be half of a line end."""
    if data.endswith(b"\n"):
        return len(data)
    end = len(data) - data.endswith(b"\r")
    return max(data.rfind(b"\n", 0, end), data.rfind(b"\r", 0, end)) + 1
