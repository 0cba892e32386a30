"""What can be set: `settings` reads nothing that configuration.yaml does not describe.

docs/configuration.md and `.env.example` are generated from it, by `bin/generate-docs`.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import environ
import yaml
from django.core.checks import Warning as CheckWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.checks import CheckMessage


class Setting(NamedTuple):
    """A variable of the environment; default and meaning in Markdown, an example of its value."""

    default: str
    meaning: str
    example: str = ""
    required: bool = False


SETTINGS: dict[str, dict[str, Setting]] = {
    title: {name: Setting(**described) for name, described in settings.items()}
    for title, settings in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")).items()
}
"""By section and name."""
NAMES = [name for settings in SETTINGS.values() for name in settings]


class Environment(environ.Env):
    """The environment; what it does not say, a file of lines NAME=VALUE may say after `read_env`."""

    def get_value(self, var: str, *arguments: Any, **options: Any) -> Any:
        """The value of a setting. Raises KeyError for one that nobody described."""
        if var not in NAMES:
            raise KeyError(f"{var} is not described in customersync/configuration.yaml.")
        return super().get_value(var, *arguments, **options)


def check_names(file: Path, **_: object) -> list[CheckMessage]:
    """W001: a line of the file that nothing reads, such as one with a typing error in its name."""
    return [
        CheckWarning(
            f"{name} in {file} is no setting.",
            hint=f"Do you mean {near[0]}?" if (near := get_close_matches(name, NAMES, 1)) else "Take it away.",
            id="customersync.W001",
        )
        for name in _names_in(file)
        if name not in NAMES
    ]


def _names_in(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        name, is_given, _ = line.removeprefix("export ").partition("=")
        if is_given and not name.startswith("#"):
            yield name
