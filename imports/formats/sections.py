"""Sections: a mapping of a document, each of whose keys is read as what it must hold.

What it cannot be is a FormatError, which says where it stands and what would be right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from imports.formats.plain import Plain
from imports.formats.policies import FormatError

if TYPE_CHECKING:
    from enum import StrEnum

Choice = TypeVar("Choice", bound="StrEnum")
NAMED_MARKS = {"comma": ",", "pipe": "|", "semicolon": ";", "tab": "\t", "space": " "}
_NOTHING = ("", "~", "null", "none")


class Section:
    """A mapping of the document, and what it is called in errors; its keys are any where none are given."""

    def __init__(self, name: str, value: Any, keys: set[str] | None) -> None:
        self.name = name
        if not isinstance(value, dict):
            raise FormatError(f"{name} must be a mapping of {', '.join(sorted(keys or {'columns'}))}.")
        self.value: dict[str, Any] = value
        if keys is not None and (unknown := set(value) - keys):
            raise FormatError(f"{name}: {', '.join(sorted(unknown))} is none of {', '.join(sorted(keys))}.")

    def section(self, key: str, keys: set[str]) -> Section:
        return Section(key, self.value.get(key, {}), keys)

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

    def choice(self, key: str, default: Choice) -> Choice:
        return choose(f"{self.name}: {key}", self.text(key, default.value), type(default))


def choose(what: str, text: str, choices: type[Choice]) -> Choice:
    """The choice that a text is. Raises FormatError that names `what` and the choices."""
    try:
        return choices(text)
    except ValueError:
        raise FormatError(
            f"{what} must be one of {', '.join(choice.value for choice in choices)}, not {text!r}."
        ) from None
