"""Write: cells → one record of a delimited file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.formats.masks import compile_masks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from imports.formats.spec import Dialect


class Unwritable(ValueError):
    """A cell that the dialect has no way to write; the message says why."""


def write_record(file: TextIO, dialect: Dialect, cells: Iterable[Any]) -> None:
    """Append a record that reads back as these cells, and a line feed. Raises Unwritable."""
    texts = ["" if cell is None else str(cell) for cell in cells]
    text = format_record(dialect, texts)
    if ignores := compile_masks(dialect.ignore_lines):
        tries = (text, format_record(dialect, texts, quoted=0))
        found = next((text for text in tries if not ignores(text.encode(errors="replace"))), None)
        if found is None:
            raise Unwritable(f"a row that begins with {text[:100]!r} is one of the lines that the dialect ignores")
        text = found
    file.write(f"{text}\n")


def format_record(dialect: Dialect, cells: list[str], quoted: int | None = None) -> str:
    """The text of a record, without its line end. The cell at the index `quoted` is quoted where it can be."""
    if len(cells) == 1 and not cells[0]:
        quoted = 0  # else the line would be a blank one
    # In a line with a NUL, which is faulty, every delimiter cuts; a record can have other lines, too.
    spaced = dialect.allow_spaced_delimiter and not any("\0" in cell for cell in cells)
    return dialect.delimiter.join(
        _format_cell(dialect, cell, spaced=spaced, is_first=index == 0, quoted=index == quoted)
        for index, cell in enumerate(cells)
    )


def _format_cell(dialect: Dialect, cell: str, *, spaced: bool, is_first: bool, quoted: bool) -> str:
    """The csv module cannot do it: it knows no spaced delimiters, and escapes and quotes its own line end alone."""
    delimiter, quote, escape = dialect.delimiter, dialect.quotechar, dialect.escapechar
    text = cell.replace(f"{delimiter} ", "") if spaced else cell
    merges = dialect.allow_spaced_delimiter and cell.startswith(" ") and not is_first
    special = merges or any(mark in text for mark in (delimiter, "\r", "\n"))
    if quote and (quoted or special or quote in text or (escape and escape in text)):
        escaped = cell.replace(escape, escape * 2) if escape else cell
        return f"{quote}{escaped.replace(quote, quote * 2)}{quote}"
    if not special and not (escape and escape in text):
        return cell
    if not escape:
        raise Unwritable(f"{cell[:100]!r} holds a delimiter or a line end, and the dialect has no quote and no escape")
    for mark in (escape, delimiter, "\r", "\n"):
        cell = cell.replace(mark, escape + mark)
    return f"{escape}{cell}" if merges else cell
