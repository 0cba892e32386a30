"""The documents say what there is."""

from __future__ import annotations

import re
import runpy
import shlex
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from customersync.configuration import KNOWN
from imports.models import FormatVersion, Run

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = sorted(path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py"))
SETTINGS = sorted(set(re.findall(r'env(?:\.\w+)?\("([A-Z_]+)"', (ROOT / "customersync/settings.py").read_text())))


def test_there_are_commands_and_settings_to_look_for():
    assert {"create_account", "export_customers", "import_customers", "load_lookups"} <= set(COMMANDS)
    assert {"DEBUG", "DATABASE_URL", "SECRET_KEY"} <= set(SETTINGS)


def test_every_command_is_documented():
    assert [command for command in COMMANDS if f"manage.py {command}" not in DOCUMENTS] == []
    assert len(COMMANDS) > 20


def test_every_setting_that_is_read_is_described_and_the_other_way_round():
    assert set(SETTINGS) == set(KNOWN)


def test_every_link_to_a_file_leads_somewhere():
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_generated_parts_are_up_to_date():
    module = runpy.run_path(str(ROOT / "bin" / "generate-docs"))
    texts = [document.read_text() for document in module["DOCUMENTS"]]
    assert "".join(texts).count("<!-- generated: ") == len(module["BLOCKS"])
    assert [module["generate"](text) for text in texts] == texts, "run bin/generate-docs"
    assert (ROOT / ".env.example").read_text() == module["example"](), "run bin/generate-docs"


@pytest.mark.django_db
def test_the_worked_example_works(tmp_path, monkeypatch):
    """Its commands are run as they stand, also after the demo, and they print what it shows."""
    call_command("create_account", "demo", name="Maison Demo", stdout=StringIO())
    call_command("load_lookups", ROOT / "tests/samples/demo_lookups.csv", account="demo", stdout=StringIO())
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    example = (ROOT / "docs" / "formats.md").read_text().partition("## A worked example")[2].partition("\n## ")[0]
    printed = StringIO()
    for block in re.findall(r"```sh\n(.*?)```", example, re.DOTALL):
        for line in block.splitlines():
            python, manage, *arguments = shlex.split(line)
            assert (python, manage) == ("python", "manage.py")
            call_command(*arguments, stdout=printed)
    shown = [line for line in re.findall(r"```\n(utf-8.*?)```", example, re.DOTALL)[0].splitlines() if line.strip(" …")]
    assert [line for line in shown if line not in printed.getvalue().splitlines()] == []
    assert len(shown) > 5
    assert FormatVersion.objects.get().status == "live"
    runs = Run.objects.order_by("id").values_list("account__code", "status", "created", "rejected")
    assert list(runs) == [("gourmet-sandbox", "succeeded", 91, 0), ("gourmet", "succeeded", 91, 0)]
