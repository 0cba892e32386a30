"""A version that nobody edits: what it holds as lists and maps, in the words of the form of a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unfold.decorators import display

from imports.admin.forms import DraftForm, write_marks
from imports.formats.countries import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imports.models import FormatColumn, FormatVersion


@display(description="value map")
def value_map_said(column: FormatColumn) -> str:
    return "\n".join(f"{cell} = {text or '(blank)'}" for cell, text in sorted(column.value_map.items())) or "-"


@display(description="ignore lines")
def lines_ignored(version: FormatVersion) -> str:
    return "\n".join(version.ignore_lines) or "-"


@display(description="row marks")
def marks_said(version: FormatVersion) -> str:
    return "\n".join(write_marks(version.row_marks)) or "-"


@display(description="languages")
def languages_named(version: FormatVersion) -> str:
    return ", ".join(LANGUAGES.get(code, code) for code in version.languages) or "-"


@display(description="lists")
def list_policies(version: FormatVersion) -> str:
    """What is otherwise than the form proposes."""
    said = []
    for name in DraftForm.policy_fields():
        field: Any = DraftForm.base_fields[name]
        mapping, _, kind = name.partition("__")
        if value := getattr(version, mapping).get(kind):
            said.append(f"{field.label}: {dict(field.choices).get(value, value)}")
    return "\n".join(said) or "-"


IN_WORDS: dict[str, Callable[[Any], str]] = {
    "ignore_lines": lines_ignored,
    "languages": languages_named,
    "row_marks": marks_said,
    "value_map": value_map_said,
}
"""What says in words what a field holds."""


def in_words(fields: Iterable[Any]) -> list[Any]:
    """The fields of a form, some of them in rows, as they are shown; the policies by kind as one."""
    kinds = DraftForm.policy_fields()
    shown = [
        tuple(in_words(field)) if isinstance(field, list | tuple) else IN_WORDS.get(field, field)
        for field in dict.fromkeys(fields)
        if field not in kinds and not callable(field)
    ]
    return [*shown, list_policies] if any(field in kinds for field in fields) else shown
