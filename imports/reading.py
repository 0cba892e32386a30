"""Read: bytes → (line, cells). Two reads of one file: where each customer's rows are, then the rows themselves.

Lines are physical lines counted from 1, ended by LF, CR LF or CR; the line of a record that spans lines is its
first. Nothing is guessed: the dialect says how bytes become cells, and what does not fit it is an error with its
line. A file is read as UTF-8; one in another encoding is first rewritten to a temporary UTF-8 copy.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import fnmatch
import hashlib
import io
import os
import re
import tempfile
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from imports.errors import FileRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from imports.formats import Dialect

BLOCK = 1 << 20
LONGEST_RECORD = 1 << 20
LONGEST_FOOTER = 1 << 16
csv.field_size_limit(4 * LONGEST_RECORD)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


class Row(NamedTuple):
    """One record: its first physical line, its cells and bytes as they stand, and what is wrong with its quoting.

    A record with wrong quoting is cut at every delimiter, so that its customer can still be named.
    """

    line: int
    cells: list[str]
    raw: bytes
    fault: str = ""


@dataclass
class Source:
    """A file opened for reading. `file` holds UTF-8; `body` is the offset and `body_line` the line after the header.

    The data ends at the offset `end`, before the footer where the dialect has one.
    """

    file: BinaryIO
    dialect: Dialect
    encoding: str
    has_bom: bool
    size: int
    header: list[str] = field(default_factory=list)
    header_line: int | None = None
    preamble: str = ""
    body: int = 0
    body_line: int = 1
    end: int = 0
    footer: str = ""
    newline: str = "\n"

    def __post_init__(self) -> None:
        self.delimiter = self.dialect.delimiter.encode()
        self.spaced = f"{self.dialect.delimiter} " if self.dialect.allow_spaced_delimiter else ""
        marks = (self.dialect.quotechar, self.dialect.escapechar, self.spaced)
        self.specials = [mark.encode() for mark in marks if mark]

    def is_plain(self, data: bytes) -> bool:
        """Whether every delimiter and line end in the data means just that."""
        return not any(mark in data for mark in self.specials)

    def csv_reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        dialect = self.dialect
        return csv.reader(
            lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quotechar,
            quoting=csv.QUOTE_MINIMAL if dialect.quotechar else csv.QUOTE_NONE,
            escapechar=dialect.escapechar,
            strict=True,
        )

    def blocks(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """The data after the header in blocks of whole lines, each block also as its lines with their ends."""
        self.file.seek(self.body)
        rest, line, left = b"", self.body_line, self.end - self.body
        while left > 0 and (block := self.file.read(min(BLOCK, left))):
            left -= len(block)
            data = rest + block
            lines = data.splitlines(keepends=True)
            rest = lines.pop()
            line += len(lines)
            if len(rest) > LONGEST_RECORD:
                raise FileRejected(
                    "line_too_long",
                    f"A line is longer than {LONGEST_RECORD:,} bytes. Is this the right file, with line ends?",
                    line=line,
                )
            yield data, lines
        if rest:
            yield rest, rest.splitlines(keepends=True)

    def _hide_spaced(self, text: str) -> str:
        """Put a NUL, which no sound row has, in the place of delimiters that are part of a cell."""
        return text.replace(self.spaced, "\0 ") if self.spaced else text

    def records(self, lines: Iterable[bytes], line: int) -> Iterator[Row]:
        """Records of lines in which quotes or escapes may occur."""
        record: list[bytes] = []
        number = line - 1

        def feed() -> Iterator[str]:
            nonlocal number
            size = 0
            for text in lines:
                number += 1
                size = size + len(text) if record else len(text)
                if record and size > LONGEST_RECORD:
                    raise _unterminated(number - len(record))
                record.append(text)
                yield self._hide_spaced(decode(text, number))

        reader = self.csv_reader(feed())
        while True:
            record.clear()
            fault = ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise _unterminated(number - len(record) + 1) from None
                fault = "text stands after a closing quote"
                text = self._hide_spaced(decode(b"".join(record), number))
                cells = text.rstrip("\r\n").split(self.dialect.delimiter)
            if self.spaced:
                cells = [cell.replace("\0", self.dialect.delimiter) for cell in cells]
            yield Row(number - len(record) + 1, cells, b"".join(record), fault)


def find_not_text(start: bytes) -> str:
    """What a file is that begins so and is no text; "" where it may be text."""
    return next((what for magic, what in _NOT_TEXT if start.startswith(magic)), "")


def find_bom(start: bytes) -> tuple[bytes, str] | None:
    """The byte order mark that a file begins with, and the encoding it stands for."""
    return next(((mark, name) for mark, name in _BOMS if start.startswith(mark)), None)


def decode(data: bytes, line: int) -> str:
    """The text of one line. Raises FileRejected naming the byte that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _undecodable("utf-8", line, data[error.start]) from None


def _undecodable(encoding: str, line: int, byte: int) -> FileRejected:
    return FileRejected(
        "wrong_encoding",
        f"Byte 0x{byte:02X} is not {encoding}. Send the file as {encoding}, or change the format's encoding.",
        line=line,
    )


def _unterminated(line: int) -> FileRejected:
    return FileRejected(
        "unterminated_quote",
        "A quote opens in this row and is never closed. Double every quote inside a quoted cell, "
        "or read the file with a format that has no quote character.",
        line=line,
    )


@contextlib.contextmanager
def open_source(path: Path, dialect: Dialect) -> Iterator[Source]:
    """Open a file and read its header.

    Raises FileRejected when the file is empty or not text, or its header cannot be read.
    """
    with contextlib.ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        start = file.read(4096)
        size = path.stat().st_size
        if not start:
            raise FileRejected("empty_file", "The file is empty; at least a header is needed.")
        if what := find_not_text(start):
            raise FileRejected("not_text", f"The file is {what}, not text. Send delimited text.")
        bom, encoding = find_bom(start) or (b"", codecs.lookup(dialect.encoding).name)
        offset = len(bom)
        if encoding == "utf-8-sig":
            encoding = "utf-8"
        if encoding != "utf-8":
            copy: BinaryIO = stack.enter_context(tempfile.TemporaryFile())
            _rewrite(file, encoding, copy)
            file, offset = copy, 0
        source = Source(file, dialect, encoding, bool(bom), size)
        source.end = file.seek(0, os.SEEK_END)
        if dialect.footer:
            _find_footer(source, offset)
        _read_header(source, offset)
        yield source


def _rewrite(file: BinaryIO, encoding: str, copy: BinaryIO) -> None:
    """Copy a file as UTF-8. Raises FileRejected with the line of the first byte that cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    line = 1
    file.seek(0)
    while True:
        block = file.read(BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            good = lines.decode(error.object[: error.start].decode(encoding, "ignore"))
            raise _undecodable(encoding, line + good.count("\n"), error.object[error.start]) from None
        copy.write(text.encode())
        line += lines.decode(text).count("\n")
        if not block:
            copy.flush()  # rows are read by offset, past this object's buffer
            return


def _find_footer(source: Source, offset: int) -> None:
    """Let the data end before the lines at the end of the file that match the footer's mask."""
    start = max(offset, source.end - LONGEST_FOOTER)
    source.file.seek(start)
    tail = source.file.read()
    lines = tail.splitlines(keepends=True)
    matches = re.compile(fnmatch.translate(source.dialect.footer)).match
    end = size = source.end
    for line in reversed(lines[1:] if start > offset else lines):
        end -= len(line)
        text = line.decode(errors="replace").strip()
        if text and not matches(text):
            break
        if text:
            source.end = end
    source.footer = tail[len(tail) - (size - source.end) :].decode(errors="replace")


def _read_header(source: Source, offset: int) -> None:
    """Skip the lines before the header, read it, and note where the data begins."""
    source.body = offset
    lines = (line for _, lines in source.blocks() for line in lines)
    for _ in range(source.dialect.skip_lines):
        skipped = next(lines, b"")
        source.preamble += decode(skipped, source.body_line)
        source.body += len(skipped)
        source.body_line += 1
    if not source.dialect.has_header:
        return
    for row in source.records(lines, source.body_line):
        raw = row.raw
        source.body += len(raw)
        source.body_line += len(raw.splitlines())
        if not any(cell.strip() for cell in row.cells):
            continue
        if b"\0" in raw:
            raise FileRejected("not_text", "The header holds NUL bytes, so the file is not text.", line=row.line)
        if row.fault:
            raise FileRejected("malformed_quote", f"The header cannot be read: {row.fault}.", line=row.line)
        source.header, source.header_line = row.cells, row.line
        source.newline = "\r\n" if raw.endswith(b"\r\n") else "\r" if raw.endswith(b"\r") else "\n"
        return
    raise FileRejected("empty_file", "The file holds nothing but blank lines; at least a header is needed.")


class Scan:
    """Where each customer's rows are and a digest of them: what the first read keeps.

    Adjacent rows of one customer are one span; `previous` chains a customer's spans backwards. `nameless` is the
    number of the rows that name no customer, if there are any. Per customer that is the code, 16 bytes of digest
    and 8 bytes more, per span 32.
    """

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.customers: dict[str, int] = {}
        self.digests: list[bytes] = []
        self.last_span = array("q")
        self.lines, self.offsets, self.sizes, self.previous = array("Q"), array("Q"), array("Q"), array("q")
        self.records = 0
        self.nameless: int | None = None

    def add_span(self, code: str, line: int, offset: int, raw: bytes) -> None:
        span = len(self.lines)
        self.lines.append(line)
        self.offsets.append(offset)
        self.sizes.append(len(raw))
        number = self.customers.setdefault(code, len(self.digests))
        if number == len(self.digests):
            self.digests.append(hashlib.blake2b(raw, digest_size=16, person=self.seed).digest())
            self.previous.append(-1)
            self.last_span.append(span)
        else:
            self.digests[number] = hashlib.blake2b(
                self.digests[number] + raw, digest_size=16, person=self.seed
            ).digest()
            self.previous.append(self.last_span[number])
            self.last_span[number] = span

    def spans(self, customer: int) -> list[int]:
        """The spans of a customer's rows, in file order."""
        spans = [self.last_span[customer]]
        while (span := self.previous[spans[-1]]) >= 0:
            spans.append(span)
        spans.reverse()
        return spans


def scan_customers(source: Source, code_index: int, seed: bytes, progress: Callable[[int], None]) -> Scan:
    """First read: find every customer's rows and digest their bytes; the seed (16 bytes) goes into each digest.

    Lines are cut by hand as long as no quote or escape has occurred, and read by the csv module from then on.
    Raises FileRejected for an unterminated quote, a line without end, a customer code that cannot be decoded.
    """
    scan = Scan(seed)
    delimiter, maxsplit = source.delimiter, code_index + 1
    line, code, previous = source.body_line - 1, "", None
    span_line, span_offset, span = line + 1, source.body, list[bytes]()

    def end_span() -> None:
        nonlocal span, span_offset
        if span:
            raw = b"".join(span)
            scan.add_span(code, span_line, span_offset, raw)
            span_offset += len(raw)
            span = []

    blocks = source.blocks()
    lines: list[bytes] = []
    for data, lines in blocks:
        progress(len(data))
        if not source.is_plain(data):
            break
        for raw in lines:
            line += 1
            try:
                cell = raw.split(delimiter, maxsplit)[code_index]
            except IndexError:
                cell = b""
            if cell != previous:
                previous = cell
                row_code = _customer_code(decode(cell, line))
                if row_code != code or not span:
                    end_span()
                    span_line, code = line, row_code
            span.append(raw)
    else:
        lines = []
    end_span()
    scan.records = line - source.body_line + 1

    def remaining_lines() -> Iterator[bytes]:
        yield from lines
        for data, more in blocks:
            progress(len(data))
            yield from more

    for row in source.records(remaining_lines(), line + 1):
        scan.records += 1
        row_code = _customer_code(row.cells[code_index]) if len(row.cells) > code_index else ""
        if row_code != code or not span:
            end_span()
            span_line, code = row.line, row_code
        span.append(row.raw)
    end_span()
    scan.nameless = scan.customers.pop("", None)
    return scan


def _customer_code(cell: str) -> str:
    """The trimmed code, or "" for one that PostgreSQL could not even be asked about."""
    code = cell.strip()
    return "" if "\0" in code else code


def read_rows(source: Source, scan: Scan, spans: Iterable[int]) -> Iterator[Row]:
    """Second read: the rows of some spans. Raises FileRejected for a byte that is not text."""
    for span in spans:
        raw = os.pread(source.file.fileno(), scan.sizes[span], scan.offsets[span])
        line = scan.lines[span]
        if source.is_plain(raw):
            delimiter = source.dialect.delimiter
            for number, text in enumerate(raw.splitlines(), line):
                yield Row(number, decode(text, number).split(delimiter), text)
        else:
            yield from source.records(raw.splitlines(keepends=True), line)


def is_blank(row: Row) -> bool:
    """Whether a row is nothing but delimiters and spaces."""
    return not any(cell.strip() for cell in row.cells)
