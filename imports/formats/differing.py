"""Differ: two formats by what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from imports.formats.documents import describe_format

if TYPE_CHECKING:
    from imports.formats.spec import FormatSpec


class Difference(NamedTuple):
    """What one version says and the other does not; "" where it says nothing."""

    what: str
    before: str
    after: str


def compare_specs(before: FormatSpec, after: FormatSpec) -> list[Difference]:
    """What differs between two formats: dialect, columns by the field they go to, policies, approved header."""
    old, new = describe_format(before), describe_format(after)
    differences = [
        *_compare_mappings("dialect", old["dialect"], new["dialect"]),
        *_compare_mappings("", _columns(old), _columns(new)),
        *_compare_mappings("policies", old.get("policies", {}), new.get("policies", {})),
    ]
    if before.header != after.header:
        old_header, new_header = set(before.header), set(after.header)
        gone = [text for text in before.header if text not in new_header]
        come = [text for text in after.header if text not in old_header]
        differences.append(Difference("approved header", ", ".join(gone), ", ".join(come)))
    return differences


def _columns(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        column["target"]: {key: value for key, value in column.items() if key != "target"}
        for column in document["columns"]
    }


def _compare_mappings(name: str, before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    return [
        Difference(f"{name} {key}".strip(), _say(before.get(key)), _say(after.get(key)))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]


def _say(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
