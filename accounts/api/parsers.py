"""Bodies of requests: JSON and forms, read to the end that was announced, and only what is meant in one way."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rest_framework import parsers, serializers
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 40
LONGEST_NUMBER = 20
"""Digits; no field takes a longer one."""


def read_json(text: bytes | str) -> Any:
    """The document. Raises ParseError for what is none or not one thing, ValidationError for text that is none."""
    try:
        data = json.loads(
            text if isinstance(text, str) else text.decode(),
            object_pairs_hook=_make_object,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except UnicodeDecodeError as error:
        raise ParseError(f"The body is not UTF-8 at byte {error.start + 1}.") from None
    except ValueError as error:
        raise ParseError(f"The body is no JSON as it is taken here: {error}.") from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    problems = {field: [ErrorDetail(said, "invalid_text")] for field, said in _find_bad_text(data)}
    if problems:
        raise ValidationError(problems)
    return data


_TOO_DEEP = f"The body is nested more than {DEEPEST} levels deep."


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:60]!a} is given twice")
    return made


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or len(text) > 2 * LONGEST_NUMBER:
        raise ValueError(f"{text[:30]} is too large or too long a number")
    return number


def _read_int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"{text[:30]} is too large a number")
    return int(text)


def _find_bad_text(data: Any) -> Iterator[tuple[str, str]]:
    """Where text stands that no database takes. Raises ParseError for what is nested too deeply."""
    waiting = [("", data, 0)]
    while waiting:
        field, value, depth = waiting.pop()
        if depth > DEEPEST:
            raise ParseError(_TOO_DEEP)
        inner: list[tuple[Any, Any]] = []
        if isinstance(value, dict):
            inner = list(value.items())
        elif isinstance(value, list):
            inner = list(enumerate(value))
        elif isinstance(value, str) and not _is_text(value):
            yield field, "NUL and halves of surrogate pairs are no text."
        for name, held in inner:
            if isinstance(name, str) and not _is_text(name):
                yield field, f"{name[:60]!a} names no field."
            else:
                waiting.append((f"{field}.{name}" if field else str(name), held, depth + 1))


def _is_text(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))


class _Counted:
    """A stream that knows how much of it was read."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.bytes = stream, 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.stream.read(size) if size >= 0 else self.stream.read()
        self.bytes += len(data)
        return data

    def check_end(self, context: Any) -> None:
        """Raise ParseError where less came than was announced: a file cut off in between looks like a whole one."""
        announced = int(context["request"].META.get("CONTENT_LENGTH") or 0)
        if self.bytes < announced:
            raise ParseError(f"The request broke off: {self.bytes:,} of {announced:,} bytes came. Send it again.")


class StrictJSONParser(parsers.JSONParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        counted = _Counted(stream)
        body = counted.read()
        counted.check_end(parser_context)
        return read_json(body)


class WholeMultiPartParser(parsers.MultiPartParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        counted, whole = _Counted(stream), False
        try:
            parsed = super().parse(counted, media_type, parser_context)  # type: ignore[arg-type]  # it only reads
            counted.check_end(parser_context)
            whole = True
        finally:
            if not whole:
                for handler in parser_context["request"].upload_handlers:
                    handler.upload_interrupted()
        return parsed


class JSONTextField(serializers.JSONField):
    """A document as the text of a form's field."""

    def to_internal_value(self, data: Any) -> Any:
        return read_json(str(data)) if getattr(data, "is_json_string", False) else super().to_internal_value(data)
