"""The commands as operators use them."""

import json
import os
import pty
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from imports.management.commands.import_customers import ProgressBar
from imports.models import Run
from tests.imports.customer_files import NEW, SHIPPING, as_text

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW | SHIPPING, NEW | {"customer_code": "C2", "website": "?"}]))
    return path


def run_command(*arguments):
    """Exit code and standard output."""
    output = StringIO()
    try:
        call_command(*map(str, arguments), stdout=output)
    except SystemExit as end:
        return end.code, output.getvalue()
    return 0, output.getvalue()


def test_the_json_of_an_import(account, file):
    code, output = run_command("import_customers", file, "--account", "maison", "--json")
    answer = json.loads(output)
    assert code == 1
    assert output.count("\n") == 1
    assert {"run", "status", "counts", "issues", "seconds"} <= answer.keys()
    assert answer["run"] == Run.objects.get().pk
    assert answer["counts"] == {
        "rows": 2, "rows_rejected": 0, "customers": 2, "created": 1, "updated": 0, "unchanged": 0, "rejected": 1,
        "skipped": 0,
    }  # fmt: skip
    (issue,) = answer["issues"]
    assert issue.pop("message")
    assert issue == {
        "line": 3, "column": "website", "field": "website", "code": "invalid_website", "severity": "error",
        "customer_code": "C2", "value": "?", "more": 0,
    }  # fmt: skip


def test_an_import_for_people(account, file, tmp_path):
    rejects = tmp_path / "rejects.txt"
    code, output = run_command("import_customers", file, "--account", "maison", "--rejects", rejects)
    assert code == 1
    assert "customers.txt into maison: partial" in output
    assert "error: line 3, column website: website '?' must be a web address" in output
    assert f"The rejected rows are in {rejects}" in output


def test_a_dry_run_says_so(account, file):
    code, output = run_command("import_customers", file, "--account", "maison", "--dry-run")
    assert code == 1
    assert "nothing was kept" in output
    assert account.connections.count() == 0


def test_a_long_list_of_issues_is_cut_and_says_so(account, tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text(NEW | {"customer_code": f"C{number}", "website": "?"} for number in range(60)))
    _, output = run_command("import_customers", path, "--account", "maison")
    assert output.count("error: line") == 50
    assert "and 10 more" in output


def test_all_is_well_ends_with_0(account, file):
    file.write_text(as_text([NEW]))
    assert run_command("import_customers", file, "--account", "maison")[0] == 0
    code, output = run_command("export_customers", "--account", "maison")
    assert (code, output.splitlines()[1].split("|")[:2]) == (0, ["Harbor Row", "C1"])


def test_the_progress_bar_names_its_stages(capsys):
    with ProgressBar(shown=True) as progress:
        for stage, total in (("Reading", 1000), ("Checking", 10), ("Writing", 1)):
            progress.show(stage, 0, total)
            progress.show(stage, total, total)
    shown = capsys.readouterr().err
    assert all(stage in shown for stage in ("Reading", "Checking", "Writing"))


def test_no_progress_bar_where_nobody_looks(capsys):
    with ProgressBar(shown=False) as progress:
        progress.show("Reading", 1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.django_db(transaction=True)
def test_a_terminal_gets_a_progress_bar_and_json_none(file):
    settings = connection.settings_dict
    url = f"postgres://{settings['USER']}@/{settings['HOST']}/{settings['NAME']}"
    call_command("create_account", "maison", stdout=StringIO())
    for options, shown in (([], True), (["--json"], False)):
        leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, 80))
        process = subprocess.Popen(
            [sys.executable, "manage.py", "import_customers", str(file), "--account", "maison", *options],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url, "DEBUG": "on"},
            stdout=subprocess.DEVNULL,
            stderr=follower,
        )
        os.close(follower)
        screen = b""
        try:
            while part := os.read(leader, 4096):
                screen += part
        except OSError:  # the other end was closed
            pass
        os.close(leader)
        assert process.wait() == 1
        assert (b"Reading" in screen) is shown
