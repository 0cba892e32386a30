"""A format as a file: a YAML document that people keep in a repository and review.

Every scalar is read as the text it is, so that codes keep their zeros and Norway its `NO`; what a key holds decides
what the text must be. An error names the line.
"""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import yaml

from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.plain import Plain, read_json, read_yaml
from imports.formats.policies import (
    AssignmentMode,
    FormatError,
    Policies,
    RowMark,
    UnknownLookup,
)
from imports.formats.sections import NAMED_MARKS, Section, choose
from imports.formats.spec import BadValue, Blank, Column, Dialect, FormatSpec, Ownership, check_value_map
from imports.template import Group, find_target

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIALECT, _POLICIES = Dialect(), Policies()
"""As they are where a document says nothing."""
_LEFT_OUT = ("escapechar", "footer", "allow_spaced_delimiter", "width", "spaces_around_quotes", "ignore_lines")
"""Settings of the dialect that a document leaves out where there is none."""


NO_QUOTE = "none"
"""What people write who mean that no character stands around cells."""


def read_mark(text: str) -> str:
    """A character that people give, by itself or by its name; "" for none. Raises FormatError."""
    mark = NAMED_MARKS.get(text.strip().lower(), text)
    if len(mark) > 1:
        raise FormatError(f"Give one character, or one of {', '.join(NAMED_MARKS)}.")
    return mark


def read_quote(text: str) -> str | None:
    """A quote that people give, by itself or by a name; "" for the word none, and None for nothing given.

    Raises FormatError.
    """
    return "" if text.strip().lower() == NO_QUOTE else read_mark(text) or None


# -- writing


def write_format(spec: FormatSpec) -> str:
    """The document of a format; reading it gives an equal format."""
    return yaml.dump(
        describe_format(spec), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000, default_flow_style=None
    )


class _Dumper(yaml.SafeDumper):
    """Refers to nothing, as reading asks for, and spells out what is no letter or takes lines for spaces."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _represent_text)


def describe_format(spec: FormatSpec) -> dict[str, Any]:
    """The format as a mapping of the document's keys; what is as it is by default is left out."""
    document: dict[str, Any] = {
        "name": spec.name.partition("@")[0],
        "dialect": {
            name: list(value) if isinstance(value := getattr(spec.dialect, name), tuple) else value
            for name in (field.name for field in fields(Dialect))
            if name not in _LEFT_OUT or getattr(spec.dialect, name)
        },
    }
    if spec.header:
        document["header"] = list(spec.header)
    document["columns"] = [_describe_column(column) for column in spec.columns or ()]
    if policies := describe_policies(spec.policies):
        document["policies"] = policies
    return document


def _describe_column(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = (
        {"source": column.source} if column.source is not None else {"constant": column.constant}
    )
    described["target"] = str(column.target)
    if column.value_map:
        described["value_map"] = dict(sorted(column.value_map.items()))
    if column.default:
        described["default"] = column.default
    if column.blank is not Blank.KEEP:
        described["blank"] = column.blank.value
    if column.ownership is not Ownership.ALWAYS:
        described["ownership"] = column.ownership.value
    if column.bad_value is not BadValue.REJECT:
        described["bad_value"] = column.bad_value.value
    return described


def describe_policies(policies: Policies) -> dict[str, Any]:
    """The policies as a mapping of the document's keys, without those that are as they are by default."""
    described: dict[str, Any] = {}
    for field in fields(Policies):
        value = getattr(policies, field.name)
        if value == getattr(_POLICIES, field.name):
            continue
        if isinstance(value, tuple):
            value = list(value)
        if field.name in ("assignments", "unknown_lookup"):
            value = {str(kind): choice.value for kind, choice in sorted(value.items())}
        if field.name == "row_marks":
            value = describe_marks(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        described[field.name] = value.value if isinstance(value, StrEnum) else value
    return described


def describe_marks(row_marks: Mapping[str, Mapping[str, RowMark]]) -> dict[str, dict[str, str]]:
    """What rows with a value in a column are, as documents and the database have it."""
    return {
        name: {value: meaning.value for value, meaning in sorted(marks.items())}
        for name, marks in sorted(row_marks.items())
    }


# -- reading


def read_format(text: str) -> FormatSpec:
    """The format of a document. Raises FormatError that says where it is wrong and what would be right."""
    return _read(read_yaml(text))


def read_document(document: Any) -> FormatSpec:
    """The same of a document as JSON has it: what is no text in it is one without quotes."""
    return _read(read_json(document))


def _read(document: Any) -> FormatSpec:
    top = Section("the document", document, {"name", "dialect", "header", "columns", "policies"})
    columns = top.value.get("columns")
    if not isinstance(columns, list) or not columns:
        raise FormatError("columns must be a list, each of them {source: …, target: …} or {constant: …, target: …}.")
    return FormatSpec(
        name=top.text("name"),
        dialect=_read_dialect(top.section("dialect", {field.name for field in fields(Dialect)})),
        columns=tuple(_read_column(column, number) for number, column in enumerate(columns, 1)),
        policies=_read_policies(top.section("policies", {field.name for field in fields(Policies)})),
        header=tuple(top.texts("header")),
    )


def read_marks(row_marks: Any, what: str = "row_marks") -> dict[str, dict[str, RowMark]]:
    """What rows with a value in a column are, by header or position. Raises FormatError."""
    columns = Section(what, row_marks, None)
    return {
        name.strip(): {
            value: choose(f"{what}: {name}: {value}", meaning, RowMark)
            for value, meaning in columns.text_map(name).items()
        }
        for name in columns.value
    }


def _read_dialect(section: Section) -> Dialect:
    delimiter = section.mark("delimiter", _DIALECT.delimiter)
    if delimiter is None:
        raise FormatError("dialect: delimiter must be one character.")
    try:
        encoding = find_encoding(section.text("encoding", _DIALECT.encoding))
    except UnknownEncoding as error:
        raise FormatError(f"dialect: encoding: {error}") from None
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        quotechar=section.mark("quotechar", _DIALECT.quotechar),
        escapechar=section.mark("escapechar", _DIALECT.escapechar),
        has_header=section.flag("has_header", default=_DIALECT.has_header),
        skip_lines=section.number("skip_lines"),
        footer=section.text("footer"),
        allow_spaced_delimiter=section.flag("allow_spaced_delimiter", default=_DIALECT.allow_spaced_delimiter),
        width=section.number("width"),
        spaces_around_quotes=section.flag("spaces_around_quotes", default=_DIALECT.spaces_around_quotes),
        ignore_lines=tuple(section.texts("ignore_lines")),
    )


_COLUMN_KEYS = {"source", "constant", "target", "value_map", "default", "blank", "ownership", "bad_value"}


def _read_column(value: Any, number: int) -> Column:
    section = Section(f"column {number}", value, _COLUMN_KEYS)
    name = section.text("target")
    target = find_target(name)
    if target is None:
        raise FormatError(f"column {number}: {name!r} is no field of the template.")
    source: str | int | None = section.value.get("source")
    if isinstance(source, Plain) and source.isascii() and source.isdigit():
        source = int(source)
    elif source is not None:
        source = section.text("source")
    parts: dict[str, Any] = {
        "target": target,
        "source": source,
        "constant": section.text("constant") if "constant" in section.value else None,
        "value_map": section.text_map("value_map"),
        "default": section.text("default"),
        "blank": section.choice("blank", Blank.KEEP),
        "ownership": section.choice("ownership", Ownership.ALWAYS),
        "bad_value": section.choice("bad_value", BadValue.REJECT),
    }
    try:
        check_value_map(parts["value_map"])
        return Column(**parts)
    except FormatError as error:
        raise FormatError(f"column {number}: {error}") from None


def _read_policies(section: Section) -> Policies:
    return Policies(
        clear_token=section.text("clear_token"),
        assignments={
            choose("policies: assignments", kind, Group): choose(f"policies: assignments: {kind}", mode, AssignmentMode)
            for kind, mode in section.text_map("assignments").items()
        },
        unknown_lookup={
            name: choose(f"policies: unknown_lookup: {name}", policy, UnknownLookup)
            for name, policy in section.text_map("unknown_lookup").items()
        },
        max_error_percent=section.percent("max_error_percent"),
        max_change_percent=section.percent("max_change_percent"),
        allow_trailing_delimiter=section.flag("allow_trailing_delimiter", default=_POLICIES.allow_trailing_delimiter),
        conflict=section.choice("conflict", _POLICIES.conflict),
        swallowed_lines=section.choice("swallowed_lines", _POLICIES.swallowed_lines),
        encoded_twice=section.choice("encoded_twice", _POLICIES.encoded_twice),
        words_for_nothing=section.choice("words_for_nothing", _POLICIES.words_for_nothing),
        blank_code=section.choice("blank_code", _POLICIES.blank_code),
        allow_short_rows=section.flag("allow_short_rows", default=_POLICIES.allow_short_rows),
        max_near_key_percent=section.percent("max_near_key_percent"),
        languages=tuple(section.texts("languages")),
        full_files=section.flag("full_files", default=_POLICIES.full_files),
        row_marks=read_marks(section.value.get("row_marks", {}), "policies: row_marks"),
    )
