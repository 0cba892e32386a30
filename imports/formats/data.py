"""The data files that come with the project: words, names and signs, which people edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path


def read_data(path: Path) -> dict[str, Any]:
    """A YAML mapping, every scalar of which is a text, such as NO for Norway."""
    document: dict[str, Any] = yaml.load(path.read_bytes(), yaml.BaseLoader)  # noqa: S506  (makes texts, lists, mappings)
    return document
