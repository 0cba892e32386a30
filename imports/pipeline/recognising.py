"""Recognise: what a file seems to be that is not what its format expects, and rejects that come back mended."""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from imports.choosing import STANDARD_NAME, find_other_specs, find_version
from imports.errors import Problem, SettingsWrong
from imports.files.drift import HeaderDrift, shorten
from imports.files.mapping import REJECT_COLUMNS
from imports.files.opening import find_bom
from imports.files.records import read_cells
from imports.files.widths import DELIMITERS
from imports.formats.spec import STANDARD
from imports.models import Run
from imports.pipeline.framing import describe_separator
from imports.template import find_target, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Account
    from imports.errors import FileHeld
    from imports.files.sources import Source
    from imports.formats.spec import FormatSpec
    from imports.models import FormatVersion

LOOKED_AT = 1 << 16
"""Bytes of the file's beginning."""
MOST_LINES = 40
"""Among how many lines a header that has moved is looked for."""
_DELIMITERS = ",;|\t^~\xa6\xac\xa7\uff5c\x01\x1c\x1e\x1f"
"""By one of these a header may be cut that the format's delimiter leaves whole."""
_BOM_AS_TEXT = codecs.BOM_UTF8.decode("latin-1")
_WITHIN = re.compile(r"[\W_]+")
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")


def explain_drift(hold: FileHeld, source: Source, spec: FormatSpec, others: Iterable[FormatSpec]) -> None:
    """Say in one sentence what a file is like whose header is not the approved one.

    Where the approved header stands on another line, that is all there is to say.
    """
    lines = _first_lines(source)
    name = _name(spec)
    alike = next((other for other in (STANDARD, *others) if _reads(other, lines, other.dialect.skip_lines)), None)
    said = [] if alike is None else [f"it looks like {'the standard template' if alike is STANDARD else _name(alike)}"]
    moved = _find_moved(lines, source, spec)
    if moved is not None:
        where = f"the header stands on line {moved + 1} of this file, {name} expects it on line {_expected(source)}"
        hold.problems = [Problem(code="moved_header", message=_sentence([where, *said]), line=moved + 1)]
        return
    delimiter = _find_other_delimiter(lines, source, spec)
    if delimiter:
        drift = HeaderDrift(spec, _cut(lines[(source.header_line or 1) - 1 :], delimiter, spec.dialect.quotechar), [])
        uses = f"this file uses {DELIMITERS.get(delimiter, repr(delimiter))}"
        if source.separator == delimiter:
            uses = f"this file says on line {source.separator_line} that its delimiter is {delimiter!r} (sep=)"
        sentence = _sentence(
            [f"{uses}, {name} expects {DELIMITERS.get(spec.dialect.delimiter, repr(spec.dialect.delimiter))}", *said]
        )
        hold.problems = [Problem(code="other_delimiter", message=sentence), *([] if alike else drift.find_problems())]
    else:
        lost = "" if said else _find_lost(source, spec, name)
        unlike = "" if said or lost else f"the header of this file is not the one that {name} is approved for"
        if unlike and source.header and not _known(spec, source.header):
            unlike += f": it begins with {shorten(source.header[0])!r}"
            if {problem.code for problem in hold.problems} == {"missing_column"}:
                message = f"None of the {len(hold.problems)} columns that the format reads is in it."
                hold.problems = [Problem(code="missing_column", message=message)]
        hold.summary = _sentence([_describe_separator(source), *said, lost, unlike])
    hold.problems = [replace(problem, line=source.header_line) for problem in hold.problems]


def explain_missing_header(source: Source) -> str:
    """What a file seems to be in which no header of the standard template was found; "" for nothing."""
    said = []
    if separator := _describe_separator(source):
        said.append(f"{separator}.")
    if sign := _describe_signs(source):
        said.append(sign)
    lines = _first_lines(source)
    if delimiter := _find_other_delimiter(lines, source, STANDARD):
        said.append(f"This file uses {DELIMITERS.get(delimiter, repr(delimiter))}.")
    moved = _find_moved(lines, source, STANDARD)
    if moved is not None:
        said.append(f"A header stands on line {moved + 1}; send the file without the lines above it.")
    return "".join(f" {sentence}" for sentence in said)


def _sentence(parts: Iterable[str]) -> str:
    sentence = "; ".join(filter(None, parts))
    return f"{sentence[0].upper()}{sentence[1:]}."


def _name(spec: FormatSpec) -> str:
    return spec.name.partition("@")[0]


def _describe_separator(source: Source) -> str:
    is_other = source.separator not in ("", source.dialect.delimiter)
    return describe_separator(source) if is_other else ""


def _describe_signs(source: Source) -> str:
    """Words for a header whose names stand within signs that are no part of them; "" for none."""
    header = source.header
    if header and header[0].startswith(_BOM_AS_TEXT):
        return "The file begins with a byte order mark that was encoded twice ('\xef\xbb\xbf'); encode the file once."
    if len(header) == 1 and source.dialect.delimiter in header[0]:
        return "The header stands in quotes as a whole, and so may all rows; put cells in quotes, or none."
    named = next((cell.strip() for cell in header if _WITHIN.sub("", cell).casefold() == "customercode"), "")
    if named and find_target(named):
        return ""
    if named and find_target(_AROUND.sub("", named)) is None:
        return f"{named!r} may be meant; write customer_code, and the other fields by their names, too."
    return f"{named!r} has signs that are no part of the name; leave them out here and below." if named else ""


def _expected(source: Source) -> int:
    """The line on which the dialect expects the header."""
    finds = source.dialect.ignore_lines or source.separator
    return source.header_line if finds and source.header_line else source.dialect.skip_lines + 1


def _first_lines(source: Source) -> list[str]:
    source.file.seek(0)
    data = source.file.read(LOOKED_AT).removeprefix(b"\xef\xbb\xbf")
    return [line.decode(errors="replace") for line in data.splitlines(keepends=True)][:MOST_LINES]


def _cut(lines: list[str], delimiter: str, quotechar: str | None) -> list[str]:
    """The cells of the record that begins with the first line; nothing where its quotes are wrong."""
    if quotechar is None:
        return lines[0].rstrip("\r\n").split(delimiter)
    try:
        return next(read_cells(lines, delimiter=delimiter, quotechar=quotechar, strict=False), [])
    except csv.Error:
        return []


def _cells(spec: FormatSpec, lines: list[str], index: int) -> list[str]:
    return _cut(lines[index:], spec.dialect.delimiter, spec.dialect.quotechar) if index < len(lines) else []


def _reads(spec: FormatSpec, lines: list[str], index: int) -> bool:
    """Whether the format would take the line for its header."""
    cells = _cells(spec, lines, index)
    if spec.columns is not None:
        named = bool(spec.header) or any(column.headers for column in spec.columns)
        return bool(cells) and named and spec.dialect.has_header and not HeaderDrift(spec, cells, []).find_problems()
    targets = [str(target) for cell in cells if (target := find_target(cell))]
    return "customer_code" in targets and len(targets) > len(cells) / 2


def _known(spec: FormatSpec, cells: list[str]) -> int:
    """How many of the cells are headers of the format."""
    known = {normalize(text) for text in spec.header} | {
        normalize(text) for column in spec.columns or () for text in column.headers
    }
    return sum(normalize(cell) in known for cell in cells)


def _find_other_delimiter(lines: list[str], source: Source, spec: FormatSpec) -> str:
    """The delimiter that the header is cut by, where it is not the format's; "" where it seems to be."""
    own, index = spec.dialect.delimiter, (source.header_line or 1) - 1
    if index >= len(lines):
        return ""
    header = lines[index : index + 1]
    marks: list[str] = [own, *source.separator, *_DELIMITERS]
    widths = {mark: len(_cut(header, mark, spec.dialect.quotechar)) for mark in marks}
    widest = max(widths, key=lambda mark: widths[mark])
    expected = max(2, len(spec.header) / 2)
    if widths[own] * 2 > widths[widest] or widths[widest] < expected:
        return ""
    return widest


def _find_moved(lines: list[str], source: Source, spec: FormatSpec) -> int | None:
    """The index of the line on which the approved header stands, where that is another one."""
    taken = source.header_line
    return next((index for index in range(len(lines)) if index + 1 != taken and _reads(spec, lines, index)), None)


def _find_lost(source: Source, spec: FormatSpec, name: str) -> str:
    """Data in the place of the header: no cell is a known header, and some are what no header is."""
    cells = [cell.strip() for cell in source.header if cell.strip()]
    data = [cell for cell in cells if "@" in cell or cell.isdecimal() or not any(map(str.isalpha, cell))]
    if not data or _known(spec, cells):
        return ""
    return (
        f"this file has no header: {shorten(cells[0])!r} and {shorten(data[0])!r} stand in its place, "
        f"where {name} expects the names of the columns"
    )


# -- rejects that come back

REJECTS = re.compile(rf"(?m)^(?P<header>.+)(?P<mark>.){'(?P=mark)'.join(REJECT_COLUMNS)}\r?$")


def digest_header(header: list[str]) -> str:
    """The header however it is quoted, delimited and written in capitals; "" for none."""
    text = "\x1f".join(map(normalize, header))
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest() if header else ""


def find_version_for_file(account: Account, name: str | None, start: bytes) -> FormatVersion | None:
    """The version that a file is read with, by what it begins with; none means the standard template.

    Without a name, rejects that come back are read with the format that their run was read with, and any other file
    with the account's live format. Raises SettingsWrong where that cannot be told.
    """
    found = None if name else _find_rejects(start)
    return find_version(account, name) if found is None else _find_version_of_rejects(account, *found)


def _find_rejects(start: bytes) -> tuple[str, str] | None:
    """The header line of rejects without the four columns, and what stands between its cells."""
    _, encoding = find_bom(start) or (b"", "utf-8")
    found = REJECTS.search(start[:LOOKED_AT].decode(encoding, "replace").lstrip("\ufeff").replace("\r\n", "\n"))
    return (found["header"], found["mark"]) if found else None


def _find_version_of_rejects(account: Account, header: str, delimiter: str) -> FormatVersion | None:
    cuts = [_cut([header], delimiter, quote) for quote in ('"', "'", None)]
    names = _names_by_digest(account, {digest_header(cells) for cells in cuts if cells})
    if not names:
        specs = [STANDARD, *find_other_specs(account, STANDARD)]
        names = {
            STANDARD_NAME if spec is STANDARD else _name(spec)
            for spec in specs
            if spec.dialect.delimiter == delimiter and _reads(spec, [header], 0)
        }
    if len(names) != 1:
        known = f"those of {' or '.join(sorted(names))}" if names else "of no format of the account"
        raise SettingsWrong(
            f"The file holds rejected rows that come back, by its header {known}. Say with which format it is to be "
            f"read, {STANDARD_NAME} for the standard template."
        )
    return find_version(account, names.pop())


def _names_by_digest(account: Account, digests: set[str]) -> set[str]:
    """The formats that the account's runs with such rejects were read with."""
    runs = Run.objects.filter(account=account, rejects_header__in=digests).order_by()
    found = runs.values_list("format_version__format__name", "format_name").distinct()
    return {name or STANDARD_NAME for name, read_with in found if name or read_with == STANDARD.name}
