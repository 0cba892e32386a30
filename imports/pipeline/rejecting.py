"""Reject: the rows of rejected customers → a file in the sender's own dialect that can be sent again once mended.

The law: read again by the same format, unmended, the rows are rejected for the same reasons. So what was wrong with a
row's cells or quotes must still be wrong in what is written.
"""

from __future__ import annotations

import csv
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TextIO

from imports.errors import FileRejected
from imports.files.customers import Customer
from imports.files.drafts import drafting, is_replaceable, publish
from imports.files.grouping import Grouper
from imports.files.mapping import REJECT_COLUMNS
from imports.files.near_lines import NearLines
from imports.files.records import without_line_end
from imports.files.scanning import read_rows
from imports.files.spans import NAMELESS
from imports.formats.masks import Footer
from imports.formats.writing import format_record
from imports.pipeline.issues import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from imports.files.mapping import CustomerMapping
    from imports.files.records import Row
    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.pipeline.issues import IssueLog

_NO_REASON = [Reason("", "", "")]
_MESSAGE = REJECT_COLUMNS.index("_message")


def write_rejects(
    log: IssueLog, source: Source, mapping: CustomerMapping, scan: Scan, rejected: Sequence[int], path: Path
) -> None:
    """Write all rows of the rejected customers, and the rows that name none, in the file's own dialect and encoding.

    The original columns stand as they came, then `_line`, `_code`, `_field`, `_message`. Without a header the
    originals stand alone and the reasons go to a second file beside it, `<path>.reasons.csv`. Nothing is written
    when nothing was rejected.
    """
    is_rejected = bytearray(len(scan.lines))
    for number in rejected:
        for span in scan.spans(number):
            is_rejected[span] = 1
    is_nameless = bytearray(len(scan.lines))
    for span in scan.spans(NAMELESS):
        is_rejected[span] = is_nameless[span] = 1
    if not any(is_rejected):
        return
    rows = (
        (row, bool(is_nameless[span]))
        for span in range(len(is_rejected))
        if is_rejected[span]
        for row in read_rows(source, scan, [span])
    )
    encoding = "utf-8-sig" if source.has_bom and source.encoding == "utf-8" else source.encoding
    draft, draft_of_reasons = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.reasons.part")
    try:
        with (
            closing(log.read_reasons()) as found,
            draft.open("w", encoding=encoding, errors="backslashreplace", newline="") as file,
        ):
            explained = _explain(rows, found, Grouper(mapping, NearLines(source, scan)))
            if source.header:
                count = _write_lines(file, source, _Headed(source, mapping, encoding).lines(explained))
            else:
                with draft_of_reasons.open("w", encoding="utf-8", newline="") as reasons:
                    count = _write_lines(file, source, _headless_lines(source, reasons, explained))
            _write_footer(file, source, {"rows": count, "customers": len(rejected)})
        draft.replace(path)
        if not source.header:
            draft_of_reasons.replace(reasons_path(path))
    finally:
        draft.unlink(missing_ok=True)
        draft_of_reasons.unlink(missing_ok=True)


def reasons_path(path: Path) -> Path:
    """The second file of rejects without a header."""
    return path.with_name(f"{path.name}.reasons.csv")


@contextmanager
def drafting_rejects(write: Callable[[Path], None], path: Path) -> Iterator[Callable[[], None]]:
    """Write rejects beside their place within the transaction, which knows the reasons.

    What the block is given puts them there after the commit, or raises what went wrong before.
    """
    with drafting(path) as draft:
        problem: OSError | None = None
        try:
            write(draft)
        except OSError as error:
            problem = error

        def publish_rejects() -> None:
            if problem is not None:
                raise problem
            if draft.exists():
                publish(draft, path)
            if reasons_path(draft).exists() and is_replaceable(path):
                publish(reasons_path(draft), reasons_path(path))

        try:
            yield publish_rejects
        finally:
            reasons_path(draft).unlink(missing_ok=True)


def _explain(
    rows: Iterable[tuple[Row, bool]], found: Iterator[tuple[int, Reason]], grouper: Grouper
) -> Iterator[tuple[Row, list[Reason]]]:
    """Each row with its reasons; none for one that is rejected with another row of its customer. Both go by line."""
    line, reason = next(found, (None, None))
    for row, is_nameless in rows:
        reasons: list[Reason] = []
        while line is not None and reason is not None and line <= row.line:
            if line == row.line:
                reasons.append(reason)
            line, reason = next(found, (None, None))
        if is_nameless:
            nobody = Customer("")
            grouper.reject_nameless(nobody, row)
            reasons = [Reason(problem.code, problem.field, problem.message) for problem in nobody.problems[-1:]]
        yield row, reasons


class _Headed:
    """Rows as they came with the four columns after them."""

    def __init__(self, source: Source, mapping: CustomerMapping, encoding: str) -> None:
        self.source = source
        self.dialect = source.dialect
        self.encoding = encoding
        self.width = len(source.header)
        self.needed = mapping.code_index + 1
        self.dropped = mapping.reject_indexes
        self.short = mapping.spec.policies.allow_short_rows

    def lines(self, rows: Iterable[tuple[Row, list[Reason]]]) -> Iterator[str]:
        """The header and the rows."""
        yield format_record(self.dialect, [*self._own(self.source.header), *REJECT_COLUMNS])
        for row, reasons in rows:
            yield self._seen(row, self._describe(row, reasons or _NO_REASON))

    def _seen(self, row: Row, why: list[str]) -> str:
        """The row with so much of its reasons that no mask of lines to ignore matches it."""
        for said in (len(why), _MESSAGE, 1):
            reasons = [text if index < said else "" for index, text in enumerate(why)]
            text = self._faulty(row, reasons) if row.fault else self._sound(row, reasons, in_full=said == len(why))
            if not (self.source.ignores and self.source.ignores(text.encode())):
                break
        return text

    def _own(self, cells: list[str]) -> list[str]:
        """The cells without those of reasons that came back."""
        return [cell for index, cell in enumerate(cells) if index not in self.dropped]

    def _describe(self, row: Row, reasons: list[Reason]) -> list[str]:
        """The four cells; several reasons are joined."""
        return [str(row.line), *(self._plain("; ".join(parts)) for parts in zip(*reasons, strict=True))]

    def _plain(self, text: str) -> str:
        """The text on one line, in letters that the encoding has, without the delimiter."""
        text = " ".join(text.split()).encode(self.encoding, "backslashreplace").decode(self.encoding)
        return text.replace(self.dialect.delimiter, "_" if self.dialect.delimiter == " " else " ").strip()

    def _sound(self, row: Row, why: list[str], *, in_full: bool) -> str:
        """The cells, the reasons and what came after the last column.

        Behind a row that was too short stands a cell that says so, because its missing cells are given here.
        """
        found, width = len(row.cells), self.width
        if found == width and not self.dropped and not looks_like_footer(self.source, row.raw):
            return _text_of(self.source, row) + self.dialect.delimiter + format_record(self.dialect, why)
        cells = row.cells + [""] * (width - found)
        behind = cells[width:]
        if found < width and not self.short:
            note = f"only {found} of {width} cells; delete this one when all are right"
            behind = [self._plain(note) if in_full else "?"]
        return _join(self.source, [*self._own(cells[:width]), *why, *behind])

    def _faulty(self, row: Row, why: list[str]) -> str:
        """The line as it came; a message in quotes behind it, so that a quote open at its end fails there again.

        A line that ends before the customer code is filled up to it, for else a reason would stand in its place.
        """
        text = _text_of(self.source, row)
        cells = text.split(self.dialect.delimiter)
        found = len(row.cells)
        if self.dropped and cells[-len(REJECT_COLUMNS) :][1:2] == why[1:2]:
            text = self.dialect.delimiter.join(cells[: -len(REJECT_COLUMNS)])
            found -= len(REJECT_COLUMNS)
        text += self.dialect.delimiter * (self.needed - found)
        return text + self.dialect.delimiter + format_record(self.dialect, why, quoted=_MESSAGE)


def _text_of(source: Source, row: Row) -> str:
    """A row as it came, without its line end; an escape before a CR LF takes the CR for its cell."""
    text = without_line_end(row.raw).decode()
    escape = source.dialect.escapechar
    is_escaped = escape and not row.fault and (len(text) - len(text.rstrip(escape))) % 2
    return f"{text}\r" if is_escaped and row.raw.endswith(b"\r\n") else text


def _join(source: Source, cells: list[str]) -> str:
    """A record of cells that came from the file: where nothing can be quoted, they need no quotes."""
    dialect = source.dialect
    if not dialect.quotechar and not dialect.escapechar:
        return dialect.delimiter.join(cells)
    text = format_record(dialect, cells)
    return format_record(dialect, cells, quoted=0) if looks_like_footer(source, text.encode()) else text


def looks_like_footer(source: Source, line: bytes) -> bool:
    """Whether a row would be taken for the footer where it is the last one, and quotes can prevent it."""
    dialect = source.dialect
    if not dialect.footer or not dialect.quotechar:
        return False
    return Footer(dialect).matches(line.decode(errors="replace"))


def _write_lines(file: TextIO, source: Source, lines: Iterable[str]) -> int:
    """Write what stands before the header, and lines; returns how many of them are rows.

    A blank row keeps the last one from the footer where its last line cannot be told from it: within a cell, or since
    its quotes are wrong.
    """
    file.write(source.preamble)
    count, line = -bool(source.header), ""
    for line in lines:
        file.write(line + source.newline)
        count += 1
    if looks_like_footer(source, line.encode().splitlines()[-1]):
        file.write(2 * (source.dialect.quotechar or "") + source.newline)
    return count


def _write_footer(file: TextIO, source: Source, counts: Mapping[str, int]) -> None:
    """The footer as it came, but for what it counts."""
    footer = Footer(source.dialect)
    for line in source.footer.splitlines(keepends=True):
        file.write(footer.recount(line, counts))


def _headless_lines(source: Source, reasons_file: TextIO, rows: Iterable[tuple[Row, list[Reason]]]) -> Iterator[str]:
    """The rows as they came; their reasons go by line to a file of their own."""
    writer = csv.writer(reasons_file)
    writer.writerow(REJECT_COLUMNS)
    for row, reasons in rows:
        text = _text_of(source, row)
        if row.fault and _is_open(source, row.raw):
            # Else its quote would take in the rows behind it. The delimiter keeps what stands before as it is.
            text += f"{source.dialect.delimiter}{source.dialect.quotechar}?"
        elif not row.fault and looks_like_footer(source, row.raw):
            text = format_record(source.dialect, row.cells, quoted=0)
        yield text
        writer.writerows((row.line, *reason) for reason in reasons)


def _is_open(source: Source, line: bytes) -> bool:
    """Whether a quote is open at the end of a line."""
    try:
        next(iter(source.records([line], 1)))
    except FileRejected:
        return True
    return False
