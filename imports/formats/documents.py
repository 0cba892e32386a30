"""A format as a file: a YAML document that people keep in a repository and review.

Every scalar is read as the text it is, so that codes keep their zeros and Norway its `NO`; what a key holds decides
what the text must be. An error names the line.
"""

from __future__ import annotations

import re
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.plain import Plain, read_json, read_yaml
from imports.formats.policies import (
    AssignmentMode,
    BlankCode,
    Conflict,
    EncodedTwice,
    FormatError,
    Policies,
    RowMark,
    Swallowed,
    UnknownLookup,
    WordsForNothing,
)
from imports.formats.spec import BadValue, Blank, Column, Dialect, FormatSpec, Ownership, check_value_map
from imports.template import Group, find_target

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED_MARKS = {"comma": ",", "pipe": "|", "semicolon": ";", "tab": "\t", "space": " "}
_NO_POLICIES = Policies()
_Choice = TypeVar("_Choice", bound="StrEnum")
_LEFT_OUT = ("escapechar", "footer", "allow_spaced_delimiter", "width", "spaces_around_quotes", "ignore_lines")
"""Settings of the dialect that a document leaves out where there is none."""
_NOTHING = ("", "~", "null", "none")


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
        if value == getattr(_NO_POLICIES, field.name):
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
    top = _Section("the document", document, {"name", "dialect", "header", "columns", "policies"})
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
    columns = _Section(what, row_marks, None)
    return {
        name.strip(): {
            value: _choose(f"{what}: {name}: {value}", meaning, RowMark)
            for value, meaning in columns.text_map(name).items()
        }
        for name in columns.value
    }


class _Section:
    """A mapping of the document, and what it is called in errors; its keys are any where none are given."""

    def __init__(self, name: str, value: Any, keys: set[str] | None) -> None:
        self.name = name
        if not isinstance(value, dict):
            raise FormatError(f"{name} must be a mapping of {', '.join(sorted(keys or {'columns'}))}.")
        self.value: dict[str, Any] = value
        if keys is not None and (unknown := set(value) - keys):
            raise FormatError(f"{name}: {', '.join(sorted(unknown))} is none of {', '.join(sorted(keys))}.")

    def section(self, key: str, keys: set[str]) -> _Section:
        return _Section(key, self.value.get(key, {}), keys)

    def text(self, key: str, default: str = "") -> str:
        value = self.value.get(key, default)
        if not isinstance(value, str):
            raise FormatError(f"{self.name}: {key} must be a text.")
        return str(value)

    def texts(self, key: str) -> list[str]:
        value = self.value.get(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise FormatError(f"{self.name}: {key} must be a list of texts.")
        return [str(text) for text in value]

    def text_map(self, key: str) -> dict[str, str]:
        value = self.value.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise FormatError(f"{self.name}: {key} must be a mapping of texts to texts.")
        trimmed = {str(cell).strip(): str(text) for cell, text in value.items()}
        if len(trimmed) < len(value):
            raise FormatError(f"{self.name}: {key} has a key twice that differs in spaces around it only.")
        return trimmed

    def mark(self, key: str, default: str | None) -> str | None:
        """One character, a word for one, or none."""
        value = self.value.get(key, default)
        if isinstance(value, Plain) and value.lower() in _NOTHING:
            return None
        return NAMED_MARKS.get(str(value), str(value)) if value else None

    def number(self, key: str, default: int = 0) -> int:
        text = self.text(key, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise FormatError(f"{self.name}: {key} must be a whole number, not {text!r}.")
        return int(text)

    def percent(self, key: str) -> float | None:
        text = self.text(key)
        if text.lower() in _NOTHING:
            return None
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?(e-[0-9]{1,3})?", text, re.ASCII):
            raise FormatError(f"{self.name}: {key} must be a number from 0 to 100, not {text!r}.")
        return float(text)

    def flag(self, key: str, *, default: bool) -> bool:
        text = self.text(key, str(default)).lower()
        if text not in ("true", "false"):
            raise FormatError(f"{self.name}: {key} must be true or false, not {text!r}.")
        return text == "true"

    def choice(self, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        return _choose(f"{self.name}: {key}", self.text(key, default.value), choices)


def _choose(what: str, text: str, choices: type[_Choice]) -> _Choice:
    try:
        return choices(text)
    except ValueError:
        raise FormatError(
            f"{what} must be one of {', '.join(choice.value for choice in choices)}, not {text!r}."
        ) from None


def _read_dialect(section: _Section) -> Dialect:
    delimiter = section.mark("delimiter", "|")
    if delimiter is None:
        raise FormatError("dialect: delimiter must be one character.")
    try:
        encoding = find_encoding(section.text("encoding", "utf-8"))
    except UnknownEncoding as error:
        raise FormatError(f"dialect: encoding: {error}") from None
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        quotechar=section.mark("quotechar", '"'),
        escapechar=section.mark("escapechar", None),
        has_header=section.flag("has_header", default=True),
        skip_lines=section.number("skip_lines"),
        footer=section.text("footer"),
        allow_spaced_delimiter=section.flag("allow_spaced_delimiter", default=False),
        width=section.number("width"),
        spaces_around_quotes=section.flag("spaces_around_quotes", default=False),
        ignore_lines=tuple(section.texts("ignore_lines")),
    )


_COLUMN_KEYS = {"source", "constant", "target", "value_map", "default", "blank", "ownership", "bad_value"}


def _read_column(value: Any, number: int) -> Column:
    section = _Section(f"column {number}", value, _COLUMN_KEYS)
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
        "blank": section.choice("blank", Blank, Blank.KEEP),
        "ownership": section.choice("ownership", Ownership, Ownership.ALWAYS),
        "bad_value": section.choice("bad_value", BadValue, BadValue.REJECT),
    }
    try:
        check_value_map(parts["value_map"])
        return Column(**parts)
    except FormatError as error:
        raise FormatError(f"column {number}: {error}") from None


def _read_policies(section: _Section) -> Policies:
    return Policies(
        clear_token=section.text("clear_token"),
        assignments={
            _choose("policies: assignments", kind, Group): _choose(
                f"policies: assignments: {kind}", mode, AssignmentMode
            )
            for kind, mode in section.text_map("assignments").items()
        },
        unknown_lookup={
            name: _choose(f"policies: unknown_lookup: {name}", policy, UnknownLookup)
            for name, policy in section.text_map("unknown_lookup").items()
        },
        max_error_percent=section.percent("max_error_percent"),
        max_change_percent=section.percent("max_change_percent"),
        allow_trailing_delimiter=section.flag("allow_trailing_delimiter", default=False),
        conflict=section.choice("conflict", Conflict, Conflict.REJECT),
        swallowed_lines=section.choice("swallowed_lines", Swallowed, Swallowed.HOLD),
        encoded_twice=section.choice("encoded_twice", EncodedTwice, EncodedTwice.HOLD),
        words_for_nothing=section.choice("words_for_nothing", WordsForNothing, WordsForNothing.KEEP),
        blank_code=section.choice("blank_code", BlankCode, BlankCode.REJECT),
        allow_short_rows=section.flag("allow_short_rows", default=False),
        max_near_key_percent=section.percent("max_near_key_percent"),
        languages=tuple(section.texts("languages")),
        full_files=section.flag("full_files", default=False),
        row_marks=read_marks(section.value.get("row_marks", {}), "policies: row_marks"),
    )
