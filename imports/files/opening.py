"""Open: bytes → a source: in which encoding it is, where its header stands, and where its data begins and ends.

Nothing is guessed: the dialect says how bytes become cells, and what does not fit it is an error with its line. A file
is read as UTF-8; one in another encoding is first rewritten to a temporary UTF-8 copy.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import tempfile
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from imports.errors import FileRejected, SettingsWrong
from imports.files.furniture import find_separator
from imports.files.records import RecordReader, decode, is_blank, undecodable
from imports.files.signatures import find_not_text
from imports.files.sources import Source, count_line_ends
from imports.files.widths import drop_columns_behind
from imports.formats.encodings import (
    BLOCK,
    ENCODINGS,
    Undecodable,
    find_encoding,
    find_wide_encoding,
    is_utf_8,
    looks_like_ebcdic,
    read_text,
)
from imports.formats.masks import Footer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom
    from pathlib import Path

    from imports.formats.spec import Dialect

LONGEST_FOOTER = 1 << 16

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FILLING = b"\x1a\0 \t\r\n"
_PADDING = re.compile(rb"\x1a|(?<=[\r\n])\0")


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
            raise FileRejected("not_text", f"The file is {what}")
        bom, encoding = _tell_encoding(file, start, dialect.encoding)
        offset = len(bom)
        if encoding != "utf-8":
            copy = stack.enter_context(tempfile.TemporaryFile())
            _rewrite(file, encoding, copy)
            file, offset = copy, 0
        source = Source(file, dialect, encoding, bool(bom), size)
        source.end, source.is_open = _find_end(file, offset)
        if dialect.footer:
            _find_footer(source, offset)
            source.is_open &= not source.footer
        _read_header(source, offset)
        source.header = drop_columns_behind(source.header, source.records(_lines(source), source.body_line))
        yield source


def find_bom(start: bytes) -> tuple[bytes, str] | None:
    """The byte order mark that a file begins with, and the encoding it stands for."""
    return next(((mark, name) for mark, name in _BOMS if start.startswith(mark)), None)


def _tell_encoding(file: BinaryIO, start: bytes, expected: str) -> tuple[bytes, str]:
    """The byte order mark, if any, and the encoding of a file that begins so.

    Raises FileRejected where it cannot be the one that is expected.
    """
    bom, encoding = find_bom(start) or (b"", find_encoding(expected))
    if not bom and not encoding.startswith(("utf-16", "utf-32")) and (wide := find_wide_encoding(start)):
        raise _wide(wide, encoding)
    if not bom and encoding not in ENCODINGS["EBCDIC"] and looks_like_ebcdic(start):
        raise FileRejected(
            "wrong_encoding",
            f"The file looks like EBCDIC; it is read as {encoding}. Have it converted on its way, as FTP does in "
            "text mode, or set the format's encoding to that of the system which writes it, such as cp037.",
        )
    if encoding in ENCODINGS["Chinese, Japanese, Korean"]:
        file.seek(0)
        if is_utf_8(file):
            raise FileRejected(
                "wrong_encoding",
                f"The file is in utf-8; it is read as {encoding}. Send the file as {encoding}, or set the format's "
                "encoding to utf-8.",
            )
    return bom, "utf-8" if encoding == "utf-8-sig" else encoding


def _wide(found: str, expected: str) -> FileRejected:
    return FileRejected(
        "wrong_encoding",
        f"The file looks like {found} without a byte order mark; it is read as {expected}. "
        f"Send the file as {expected}, or set the format's encoding to {found}.",
    )


def _rewrite(file: BinaryIO, encoding: str, copy: BufferedRandom) -> None:
    """Copy a file as UTF-8. Raises FileRejected with the line of the first byte that cannot be decoded, SettingsWrong
    where there is no room for the copy.
    """
    file.seek(0)
    try:
        for text in read_text(file, encoding):
            _write(copy, text.encode())
    except Undecodable as error:
        raise undecodable(encoding, error.line, str(error)) from None


def _write(copy: BufferedRandom, content: bytes) -> None:
    try:
        copy.write(content)
        copy.flush()  # rows are read by offset, past this object's buffer
    except OSError as error:
        copy.raw.close()  # else what is left would be written once more, and that error be told
        raise SettingsWrong(
            f"The file cannot be rewritten as UTF-8 in {tempfile.gettempdir()}: {error.strerror}. Make room there, or "
            "set TMPDIR to another folder."
        ) from error


def _find_end(file: BinaryIO, start: int) -> tuple[int, bool]:
    """Where the data ends: before the end mark of DOS, and before NULs that fill up the file behind a line end.

    And whether nothing at all ends it, no mark and no line end.
    """
    size = end = file.seek(0, os.SEEK_END)
    step = 1 << 12
    while end > start:
        begin = max(start, end - step)
        file.seek(begin)
        kept = file.read(end - begin).rstrip(_FILLING)
        end = begin + len(kept)
        if kept:
            break
        step = BLOCK
    file.seek(end)
    last = b""
    while block := file.read(BLOCK):
        if found := _PADDING.search(last + block):
            return end - len(last) + found.start(), False
        end, last = end + len(block), block[-1:]
    file.seek(max(start, size - 1))
    return size, file.read() not in (b"\n", b"\r", b"")


def _find_footer(source: Source, offset: int) -> None:
    """Let the data end before the lines at the end of the file that match the footer's mask."""
    start = max(offset, source.end - LONGEST_FOOTER)
    source.file.seek(start)
    tail = source.file.read(source.end - start)
    lines = tail.splitlines(keepends=True)
    lines = lines[1:] if start > offset else lines
    footer, size = Footer(source.dialect), source.end
    for is_footer in (footer.matches, footer.matches_loosely):
        end = size
        for line in reversed(lines):
            end -= len(line)
            text = line.decode(errors="replace").strip()
            if is_footer(text):
                source.end = end
            elif text and not (source.ignores and source.ignores(line)):
                source.last_line = text
                break
        if source.end < size:
            break
    source.footer = tail[len(tail) - (size - source.end) :].decode(errors="replace")


def _read_header(source: Source, offset: int) -> None:
    """Skip the lines before the header, read it, and note where the data begins."""
    source.body = offset
    for line in islice(_lines(source), source.dialect.skip_lines):
        _pass_before(source, line)
    first = next(_lines(source), b"")
    if separator := find_separator(first.decode(errors="replace")):
        source.separator, source.separator_line = separator, source.body_line
        _pass_before(source, first)
    if not source.dialect.has_header:
        source.newline = _line_end(next(_lines(source), b""))
        return
    _skip_blank_lines(source)
    for row in source.records(_lines(source), source.body_line):
        _pass(source, row.raw)
        if is_blank(row):
            continue
        if b"\0" in row.raw:
            raise FileRejected("not_text", "The header holds NUL bytes, so the file is not text.", line=row.line)
        if row.fault:
            why = _find_cut(source, row.raw) or row.fault
            raise FileRejected("malformed_quote", f"The header cannot be read: {why}", line=row.line)
        source.header, source.header_line = row.cells, row.line
        source.newline = _line_end(row.raw)
        return
    if not source.preamble.strip():
        raise FileRejected("empty_file", "The file holds nothing but blank lines; at least a header is needed.")
    # else the lines to skip were all there is: the file is judged as one whose header stands elsewhere


def _find_cut(source: Source, header: bytes) -> str:
    """Words for a quoted header with another delimiter than the dialect's; "" where no usual one cuts it."""
    for mark in [*source.separator, *",;|\t"]:
        if mark in (source.dialect.delimiter, source.dialect.quotechar, source.dialect.escapechar):
            continue
        row = next(iter(RecordReader(replace(source.dialect, delimiter=mark), 0, [header], 1)))
        if not row.fault and len(row.cells) > 1:
            return f"its delimiter is {mark!r}, and {source.dialect.delimiter!r} is expected."
    return ""


def _line_end(line: bytes) -> str:
    return "\r\n" if line.endswith(b"\r\n") else "\r" if line.endswith(b"\r") else "\n"


def _lines(source: Source) -> Iterator[bytes]:
    for block in source.blocks():
        yield from block.splitlines(keepends=True)


def _pass_before(source: Source, line: bytes) -> None:
    """Let the data begin behind a line that stands before the header."""
    source.preamble += decode(line, source.body_line)
    _pass(source, line)


def _pass(source: Source, data: bytes) -> None:
    """Let the data begin behind these whole lines."""
    source.body += len(data)
    source.body_line += count_line_ends(data)


def _skip_blank_lines(source: Source) -> None:
    """Let the data begin with a line that is not blank."""
    for block in source.blocks():
        rest = block.lstrip(source.blank)
        if rest:
            blank = block[: len(block) - len(rest)]
            _pass(source, blank[: max(blank.rfind(b"\n"), blank.rfind(b"\r")) + 1])
            return
        _pass(source, block)
