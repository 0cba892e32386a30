"""The options of `onboard_format` by which a person corrects a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.core.management.base import CommandError

from imports.formats.documents import read_mark, read_quote
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.policies import FormatError, RowMark
from imports.onboarding.corrections import Corrections
from imports.template import find_target

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from imports.template import Target

Read = TypeVar("Read")


def add_corrections(parser: ArgumentParser) -> None:
    """What a person decides; the rest is proposed again around it."""
    parser.add_argument(
        "--map", action="append", default=[], metavar="COLUMN=FIELD",
        help="a column, by its header or position, is this field; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--unmap", action="append", default=[], metavar="COLUMN", help="a column is left out; may be repeated"
    )
    parser.add_argument(
        "--default", action="append", default=[], metavar="FIELD=VALUE",
        help="what blank cells of the field's column become; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--blank", action="append", default=[], metavar="COLUMN",
        help="the values of a column that its field cannot have become blank; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="COLUMN=VALUE",
        help="rows with this value in a column are no customers, such as LOEVM=X; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--take", action="append", default=[], metavar="COLUMN=VALUE",
        help="rows with this value in a column are customers like others; may be repeated",
    )  # fmt: skip
    parser.add_argument("--header-line", type=int, metavar="N", help="the line of the header, 0 where there is none")
    parser.add_argument("--delimiter", default="", help="one character, or comma, pipe, semicolon, tab, space")
    parser.add_argument("--quote", default="", help="what stands around cells: one character, or none")
    parser.add_argument("--encoding", default="", help="such as cp1252")


def read_corrections(options: dict[str, Any]) -> Corrections:
    """What the options decide. Raises CommandError for what an option cannot be."""
    fields: dict[str, Target | None] = dict(_read_field("--map", text) for text in options["map"])
    fields |= dict.fromkeys(options["unmap"])
    return Corrections(
        constants=dict(_read_value("--constant", text) for text in options["constant"]),
        defaults=dict(_read_value("--default", text) for text in options["default"]),
        fields=fields,
        row_marks=_read_marks(options),
        blanked=options["blank"],
        encoding=_read("--encoding", options["encoding"], find_encoding) if options["encoding"] else "",
        delimiter=_read("--delimiter", options["delimiter"], read_mark),
        quotechar=_read("--quote", options["quote"], read_quote),
        header_line=options["header_line"],
    )


def _read(option: str, text: str, read: Callable[[str], Read]) -> Read:
    try:
        return read(text)
    except (FormatError, UnknownEncoding) as error:
        raise CommandError(f"{option} {text}: {error}", returncode=2) from None


def _read_marks(options: dict[str, Any]) -> dict[str, dict[str, RowMark]]:
    row_marks: dict[str, dict[str, RowMark]] = {}
    for option, meaning in (("leave_out", RowMark.LEAVE_OUT), ("take", RowMark.TAKE)):
        for text in options[option]:
            column, equals, value = text.rpartition("=")
            if not equals or not column.strip():
                raise CommandError(f"--{option.replace('_', '-')} {text}: give COLUMN=VALUE.", returncode=2)
            row_marks.setdefault(column.strip(), {})[value.strip()] = meaning
    return row_marks


def _read_value(option: str, text: str) -> tuple[Target, str]:
    name, _, value = text.partition("=")
    target = find_target(name)
    if target is None or not value.strip():
        raise CommandError(f"{option} {text}: give FIELD=VALUE with a field of the template.", returncode=2)
    return target, value.strip()


def _read_field(option: str, text: str) -> tuple[str, Target]:
    column, _, name = text.rpartition("=")
    target = find_target(name)
    if target is None or not column.strip():
        raise CommandError(f"{option} {text}: give COLUMN=FIELD with a field of the template.", returncode=2)
    return column.strip(), target
