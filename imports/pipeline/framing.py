"""Frame: what stands around the rows of a file, and what is to be said of it: header, footer, separator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

from imports.errors import CellError, FileHeld, FileRejected, HeldFor, Problem
from imports.files.blocks import ANY_TEXT
from imports.files.records import is_blank
from imports.formats.masks import Footer
from imports.formats.spec import fold_value_map
from imports.onboarding.headers import knows
from imports.template import FIELDS, normalize
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imports.files.columns import BoundColumn
    from imports.files.mapping import CustomerMapping
    from imports.files.marks import MarkedRows
    from imports.files.records import Row
    from imports.files.sources import Source
    from imports.files.spans import Scan

MOST_UNKNOWN = 100
"""How many columns that are not read are told one by one."""
LIKE_A_FIELD = 88
"""From 0 to 100: how alike a header must be to the name of a field that it misspells."""


def require_footer(source: Source) -> None:
    """Raise FileHeld for a file without the footer that its format asks for."""
    mask, last = source.dialect.footer, source.last_line[:100]
    if not mask or source.footer:
        return
    if Footer(source.dialect).miscounts(source.last_line):
        message = f"The footer {last!r} counts nothing that can be read; {mask!r} asks for a number there."
    else:
        ends = f"ends with {last!r}, not" if last else "does not end"
        message = (
            f"The file {ends} with the footer {mask!r} that its format asks for; it may have been cut off on its way."
        )
    raise FileHeld(HeldFor.FOOTER, [Problem(code="missing_footer", message=message)])


def refuse_skipped_rows(source: Source, mapping: CustomerMapping) -> None:
    """Raise FileHeld where a line before the first row of a file without a header is a row itself.

    The lines to skip did not come, then, and customers would be passed over. A row is what is as wide, names a customer
    and gives something that only a field of its kind takes, such as a country.
    """
    if source.dialect.has_header or not source.preamble:
        return
    lines = source.preamble.encode().splitlines(keepends=True)
    found = next((row for row in source.records(lines, 1) if _is_row(row, mapping)), None)
    if found is not None:
        message = (
            f"Line {found.line} is a row, where {mapping.spec.name} skips {source.dialect.skip_lines} lines before the "
            "first one. Send the file with these lines, or let a version of the format skip fewer."
        )
        raise FileHeld(HeldFor.HEADER, [Problem(code="skipped_row", message=message, line=found.line)])


def _is_row(row: Row, mapping: CustomerMapping) -> bool:
    if row.fault or len(row.cells) != mapping.spec.width or not row.cells[mapping.code_index].strip():
        return False
    cleaned = [block.clean(row.cells) for block in mapping.blocks]
    typed = [column for column in mapping.columns.values() if column.target.field.kind not in ANY_TEXT]
    says_more = any(row.cells[index].strip() for column in typed for index in column.indexes)
    return says_more and not any(problem.severity == "error" for of_block in cleaned for problem in of_block.problems)


def refuse_header(source: Source, mapping: CustomerMapping) -> None:
    """Raise FileHeld where the first row of a file without a header is one, in words of ERPs.

    Its cells read like headers, and where its columns take only values of a kind, none is one. A header in the words of
    the template is known wherever it stands.
    """
    row = None if source.dialect.has_header else _first_row(source)
    if row is None or mapping.furniture.is_header(row.cells) or not _reads_like_header(row, mapping):
        return
    named = ", ".join(repr(cell.strip()) for cell in row.cells[:3])
    name = mapping.spec.name.partition("@")[0]
    message = (
        f"Line {row.line} reads like a header ({named}, …), where {name} expects none: the columns may have changed. "
        "Send the file without it, or let a version of the format read it, or skip one line more."
    )
    raise FileHeld(HeldFor.HEADER, [Problem(code="unexpected_header", message=message, line=row.line)])


def _first_row(source: Source) -> Row | None:
    """The first row that is not blank; none where it cannot be read, of which whoever reads it will say why."""
    lines = next(source.blocks(), b"").splitlines(keepends=True)
    try:
        return next((row for row in source.records(lines, source.body_line) if not is_blank(row)), None)
    except FileRejected:
        return None


def _reads_like_header(row: Row, mapping: CustomerMapping) -> bool:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    code = "".join(row.cells[mapping.code_index : mapping.code_index + 1])
    if row.fault or len(filled) < 2 or not code.strip() or any(map(str.isdigit, code)):
        return False
    typed = [column for column in mapping.columns.values() if column.target.field.kind not in ANY_TEXT]
    cells = [(column, row.cells[column.indexes[0]].strip()) for column in typed if column.indexes[0] < len(row.cells)]
    values = [_is_value(column, cell) for column, cell in cells if cell]
    if any(values):
        return False
    known = sum(map(knows, filled))
    return known * 5 >= len(filled) * 4 if values else known == len(filled) > 2


def _is_value(column: BoundColumn, cell: str) -> bool:
    """Whether a cell is a value of its column's kind, or one that the format translates."""
    if cell.casefold() in fold_value_map(column.column.value_map):
        return True
    try:
        column.clean(cell)
    except CellError:
        return False
    return True


def refuse_lost_lines(source: Source, mapping: CustomerMapping, scan: Scan) -> None:
    """Raise FileRejected where all rows stand on the line of the header, because the line ends were lost."""
    unknown = [text for _, text in mapping.unknown_headers if text.strip()]
    known = len(mapping.columns)
    if scan.records or len(source.header) < 2 * known or len(mapping.unknown_headers) < known:
        return
    if sum(map(knows, unknown)) * 2 >= len(unknown):  # they are columns that nobody reads
        return
    message = (
        f"The file is one line of {len(source.header)} cells and no row; those from {unknown[0].strip()[:40]!r} on "
        "seem to be rows. Its line ends are lost, or are none of LF, CR LF and CR. Send one of them behind every row."
    )
    raise FileRejected("lost_line_ends", message, line=source.header_line)


def compare_footer(source: Source, scan: Scan) -> list[Problem]:
    """A problem for every number in the footer that is not how much came, with or without the rows left out."""
    footer = Footer(source.dialect)
    came = {"rows": scan.records, "customers": len(scan.customers)}
    with_left_out = came | scan.count_with_left_out() if scan.left_out else came
    wrong = [
        (index, text.strip(), what, count)
        for index, text in enumerate(source.footer.splitlines())
        for what, count in footer.read_counts(text).items()
        if count not in (came[what], with_left_out[what])
    ]
    first = source.line_at(source.end) if wrong else 0
    return [_wrong_count(first + index, text, what, count, came[what]) for index, text, what, count in wrong]


def _wrong_count(line: int, text: str, what: str, count: int, came: int) -> Problem:
    why = "it may have been cut off on its way" if came < count else "there may be rows of another file in it"
    message = f"The footer {text[:100]!r} says {count:,} {what}, and the file has {came:,}: {why}."
    return Problem(code="wrong_count", message=message, line=line, value=text)


def find_remarks(source: Source, mapping: CustomerMapping, scan: Scan) -> Iterator[Problem]:
    """Warnings about the file as a whole: columns that are not read, lines that are no rows, counts let go."""
    for wrong in compare_footer(source, scan):
        yield replace(wrong, severity="warning")
    yield from _find_unknown(source, mapping)
    yield from _tell_marks(mapping)
    if source.separator not in ("", source.dialect.delimiter):
        yield Problem(
            code="separator",
            message=f"{describe_separator(source)}; the file is read with {source.dialect.delimiter!r}.",
            severity="warning",
            line=source.separator_line,
        )
    if scan.repeated_headers:
        where = f"on line {scan.first_repeat}"
        what = "The header stands again" if source.header else "A header, where the format expects none, stands"
        again = (
            f"{where} and {scan.repeated_headers - 1:,} more time{'s' * (scan.repeated_headers > 2)} below"
            if scan.repeated_headers > 1
            else where
        )
        yield Problem(
            code="repeated_header",
            message=f"{what} {again}; as no row is one, this is left out.",
            severity="warning",
            line=scan.first_repeat,
        )


def _tell_marks(mapping: CustomerMapping) -> Iterator[Problem]:
    """Rows that were left out for a mark, and those that seem to be marked as deleted, by column and value."""
    for rows in mapping.marks.find_left_out():
        message = f"{say_marked(rows)} left out, as the format says."
        yield Problem(
            code="left_out", message=message, severity="info", line=rows.line, column=rows.column, value=rows.value
        )
    for rows in mapping.marks.find_suspects():
        message = f"{say_marked(rows)} marked as deleted or inactive, it seems; no field is read from that column."
        yield Problem(
            code="row_mark", message=message, severity="warning", line=rows.line, column=rows.column, value=rows.value
        )


def say_marked(rows: MarkedRows) -> str:
    """Words for marked rows, as a sentence begins: 3 rows with 'D' in 'action' (from line 4 on) are."""
    what = f"with {rows.value!r} in {rows.column!r}"
    if rows.rows == 1:
        return f"The row {what} (line {rows.line}) is"
    return f"{rows.rows:,} rows {what} (from line {rows.line} on) are"


def find_open_end(row: Row, mapping: CustomerMapping) -> Problem | None:
    """A warning about a whole row at which the file ends without a line end; none where its last cell is in quotes."""
    quote = mapping.spec.dialect.quotechar
    if (quote and row.raw.endswith(quote.encode())) or len(row.cells) <= mapping.code_index:
        return None
    index = len(row.cells) - 1
    column = next((column for column in mapping.columns.values() if index in column.indexes), None)
    label = column.label if column else ""
    said = f"its last cell{f' ({label})' if label else ''} is {row.cells[-1].strip()[:100]!r}"
    return Problem(
        code="open_end",
        message=f"The file ends within this row, without a line end: {said}, and may have been cut off on its way. "
        "If it was, send it again, whole; else end the last row with a line end, too.",
        severity="warning",
        line=row.line,
        column=label,
        field=str(column.target) if column else "",
        value=row.cells[-1],
        customer_code=read_key(row.cells[mapping.code_index]),
    )


def _find_unknown(source: Source, mapping: CustomerMapping) -> list[Problem]:
    """A warning for every column that is not read and that nobody has seen before; one for all without a name, and one
    for those behind the first ones.
    """
    unknown = "no field of the template" if mapping.spec.columns is None else "not in the approved header"
    named = [(index, text.strip()) for index, text in mapping.unknown_headers if text.strip()]
    known = {str(target).removesuffix("_1") for target in mapping.columns}
    missing = [name for name in FIELDS if name not in known] if mapping.spec.columns is None else []
    found = [
        (text, text, f"Column {index + 1} ({text!r}) is {unknown}; it is not read.{_suggest_field(text, missing)}")
        for index, text in named[:MOST_UNKNOWN]
    ]
    if more := named[MOST_UNKNOWN:]:
        index, text = more[0]
        what = f"{len(more):,} more, from column {index + 1:,} ({text!r}) on, are {unknown}; they are not read."
        found.append((text, text, what))
    if nameless := [str(index + 1) for index, text in mapping.unknown_headers if not text.strip()]:
        what = f"Column {nameless[0]} has no name; it is"
        if len(nameless) > 1:
            what = f"Columns {', '.join(nameless[:-1])} and {nameless[-1]} have no name; they are"
        found.append((nameless[0], "", f"{what} not read."))
    return [
        Problem(
            code="unknown_column",
            message=message,
            severity="warning",
            line=source.header_line,
            column=column,
            value=value,
        )
        for column, value, message in found
    ]


def _suggest_field(header: str, missing: Iterable[str]) -> str:
    """Words for the field of the template, among those that the file lacks, that a header seems to misspell."""
    name = normalize(header).removesuffix("_1")
    found = process.extractOne(name, missing, scorer=fuzz.ratio, score_cutoff=LIKE_A_FIELD)
    return f" Did you mean {found[0]}?" if found else ""


def describe_separator(source: Source) -> str:
    """What the file itself says of its delimiter, where that is not the format's."""
    return f"Line {source.separator_line} says that the delimiter is {source.separator!r} (sep=)"
