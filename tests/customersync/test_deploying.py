"""What servers are set up by says what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import get_commands

from imports.workers.running import GRACE

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
FILES = [ROOT / "Procfile", ROOT / "Containerfile", ROOT / "compose.yaml", *(ROOT / "deploy").rglob("*.service")]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_the_commands_that_are_started_exist(file):
    commands = re.findall(r"manage\.py[ ,]+(\w+)", file.read_text())
    assert set(commands) <= set(get_commands())
    assert commands or "gunicorn customersync.wsgi" in file.read_text()


def test_the_image_has_every_app_and_no_more_than_what_runs():
    let_in = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    apps = {app.partition(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app.partition(".")[0]).is_dir()}
    apps.add("customersync")
    sources = [path.read_text() for app in apps for path in (ROOT / app).rglob("*.py")]
    read = {name for source in sources for name in re.findall(r'BASE_DIR / "([^"]+)"', source)} - {".env"}
    assert "pyproject.toml" in read
    assert let_in == apps | read | {"requirements/production.txt", "gunicorn.conf.py", "manage.py"}


def test_the_services_of_one_machine_are_those_that_the_units_start():
    ours = {name for name, service in COMPOSE["services"].items() if service.get("image") == "customersync"}
    units = {path.stem.removeprefix("customersync-") for path in (ROOT / "deploy/systemd").iterdir()}
    assert ours == units | {"migrate"}


def test_one_service_builds_the_image_of_ours_and_nobody_looks_for_it_elsewhere():
    ours = [service for service in COMPOSE["services"].values() if service["image"] == "customersync"]
    assert {service["pull_policy"] for service in ours} == {"never"}
    (build,) = [service["build"] for service in COMPOSE["services"].values() if "build" in service]
    assert (ROOT / build["context"] / build.get("dockerfile", "Dockerfile")).is_file()


def test_no_service_is_killed_before_what_is_at_work_had_its_time():
    ours = [service for service in COMPOSE["services"].values() if service["image"] == "customersync"]
    least = max(30, GRACE)  # seconds; gunicorn's graceful_timeout, and that of workers
    given = [int(service["stop_grace_period"].removesuffix("s")) for service in ours]
    for unit in (ROOT / "deploy/systemd").iterdir():
        given += map(int, re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE))
    assert min(given) > least


def test_files_of_pages_are_readable_whoever_collected_them():
    modes = [getattr(staticfiles_storage, f"{kind}_permissions_mode") for kind in ("directory", "file")]
    assert modes == [0o755, 0o644]
