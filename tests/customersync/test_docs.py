"""The documents say what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
COMMANDS = sorted(path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py"))
SETTINGS = sorted(set(re.findall(r'env(?:\.\w+)?\("([A-Z_]+)"', (ROOT / "customersync/settings.py").read_text())))


def test_there_are_commands_and_settings_to_look_for():
    assert {"create_account", "export_customers", "import_customers", "load_lookups"} <= set(COMMANDS)
    assert {"DEBUG", "DATABASE_URL", "SECRET_KEY"} <= set(SETTINGS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert f"manage.py {command}" in DOCUMENTS


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_documented(setting):
    assert f"`{setting}`" in DOCUMENTS


def test_every_link_to_a_file_leads_somewhere():
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
