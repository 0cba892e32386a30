"""Processes start with what they need: pages, and what reads samples, are loaded by those that show or read them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from accounts.management.base import BaseCommand
from accounts.management.commands import migrate
from lookups.management.refused import RefusedCommand
from tests.processes import environment

ROOT = Path(__file__).resolve().parents[2]
OURS = {name: app for name, app in get_commands().items() if (ROOT / app).is_dir()}
"""Our commands, and the app of each."""
LATER = (
    "accounts.api",
    "connections.admin",
    "connections.api",
    "customersync.urls",
    "django.contrib.auth.admin",
    "drf_spectacular.openapi",
    "imports.admin",
    "imports.api",
    "imports.onboarding.proposing",
    "imports.resources",
    "jinja2",
    "rest_framework.views",
    "tablib",
    "unfold.admin",
    "unfold.forms",
    "unfold.sites",
)
"""What no process needs that serves no pages."""
START = """
import json, sys
import django

django.setup()
import imports.management.commands.import_customers, imports.management.commands.run_workers, imports.pipeline.sharing
import dropbox.management.commands.serve_dropbox
from accounts.management.base import BaseCommand
from django.contrib import admin
from django.core.checks import run_checks

run_checks(tags=BaseCommand.requires_system_checks)
at_start = [*sys.modules]
run_checks(tags=["admin"])
print(json.dumps([at_start, [model._meta.label for model in admin.site._registry]]))
"""


@pytest.mark.django_db
def test_who_serves_no_pages_does_not_load_them_and_who_checks_them_does():
    done = subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    at_start, checked = json.loads(done.stdout)
    assert [name for name in LATER if name in at_start] == []
    assert {"imports.Run", "connections.Change", "accounts.Account", "lookups.SalesRep", "dropbox.Login"} <= {*checked}


@pytest.mark.parametrize("name", OURS)
def test_commands_check_what_they_need(name):
    command = load_command_class(OURS[name], name)
    assert isinstance(command, BaseCommand | RefusedCommand | migrate.Command)


def test_a_service_whose_log_is_full_begins_all_the_same():
    begun = []
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("w") as full:
        BaseCommand(stdout=full).announce("Workers: 2")
        begun.append("and only then the file was closed, which writes what is left")
    assert begun


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_while_it_loads_ends_at_once_and_in_silence(number):
    code = (  # whoever runs the tests may ignore the signal, as nohup does
        f"import manage, os, signal\nsignal.signal({int(number)}, signal.SIG_DFL)\nmanage.heed_ends()\n"
        f"try: os.kill(os.getpid(), {int(number)})\nexcept BaseException: pass"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")
