"""The data files that come with the project: words, names and signs, which people edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path


_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Makes texts, lists and mappings; where PyYAML has it, in C and ten times as fast."""


def read_data(path: Path) -> dict[str, Any]:
    """A YAML mapping, every scalar of which is a text, such as NO for Norway."""
    document: dict[str, Any] = _LOADER(path.read_bytes()).get_single_data()
    return document
