"""Plain documents: YAML, or what JSON holds → texts, lists and mappings, each scalar the text it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from imports.formats.policies import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_DOCUMENT = 1 << 20
DEEPEST = 10


class Plain(str):
    """A scalar that stands in the document without quotes."""

    __slots__ = ()


def read_yaml(text: str) -> Any:
    """The one document of a text. Raises FormatError, with the line, for more than texts, lists and mappings."""
    if len(text) > LONGEST_DOCUMENT:
        raise FormatError(f"The document is longer than {LONGEST_DOCUMENT:,} characters; a format is a few pages.")
    try:
        return _Builder(text).build()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise FormatError(f"line {line}: not YAML: {error.problem}.") from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise FormatError("The document is not YAML.") from None


def read_json(value: Any, depth: int = 1) -> Any:
    """A document as JSON has it: what is no text in it is one without quotes."""
    if depth > DEEPEST:
        raise FormatError(f"The document is nested more than {DEEPEST} deep; a format is not.")
    if isinstance(value, dict):
        return {str(key): read_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [read_json(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value
    return Plain("null" if value is None else str(value).lower() if isinstance(value, bool) else value)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Builder:
    """Makes texts, lists and mappings of a YAML document, and refuses whatever else YAML can do.

    What refers to another place would let a few lines stand for gigabytes, so nothing does.
    """

    def __init__(self, text: str) -> None:
        self.events = yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    def build(self) -> Any:
        document: Any = Plain("")
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                document = self._value(event, 1)
            elif isinstance(event, yaml.DocumentStartEvent) and document != "":
                raise FormatError(f"line {_line(event)}: a second document begins; give one.")
        return document

    def _value(self, event: Any, depth: int) -> Any:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise FormatError(f"line {line}: anchors and aliases (& and *) are not read; write the value itself.")
        if event.tag is not None:
            raise FormatError(f"line {line}: tags are not read ({event.tag}); every value is a text.")
        if depth > DEEPEST:
            raise FormatError(f"line {line}: nested more than {DEEPEST} deep; a format is not.")
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else Plain(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self._items(depth))
        return self._mapping(depth)

    def _items(self, depth: int) -> Iterator[Any]:
        while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
            yield self._value(item, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            text = self._value(key, depth + 1)
            if not isinstance(text, str) or text in mapping:
                said = f"{text!r} is given twice" if isinstance(text, str) else "is no text"
                raise FormatError(f"line {_line(key)}: the key {said}.")
            mapping[text] = self._value(next(self.events), depth + 1)
        return mapping
