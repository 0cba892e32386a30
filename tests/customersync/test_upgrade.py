"""While a new release is rolled out, code of the one before still runs on the migrated database."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from benchmarks.servers import Server
from tests.imports.customer_files import NEW, as_text
from tests.processes import ROOT, environment

PREVIOUS = "064d76f82fa6c85a1a8c8cc073537564f10702e8"
"""The last commit of the release that may still run; set anew with every release."""

SET_UP = """
import sys
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import MagicMock
import django
for package in ("requests_hardened", "sshfs"):  # of the release before alone; nothing here asks a server
    if find_spec(package) is None:
        sys.modules[package] = sys.modules[f"{package}.ip_filter"] = MagicMock()
django.setup()
from accounts.models import Account, User
import imports
assert Path(imports.__file__).is_relative_to(Path.cwd()), imports.__file__
"""

BEGIN = """
from django.core.management import call_command
from accounts.models import Membership
from tests.builders import add_lookups
call_command("migrate", verbosity=0)
account = Account.objects.create(code="maison", name="Maison")
add_lookups(account)
Membership.objects.create(account=account, user=User.objects.create_user("rosa", "rosa@example.com"), role="editor")
"""

WORK = """
import time
from imports.pipeline import import_file
account, folder, over = Account.objects.get(), Path(sys.argv[1]), Path(sys.argv[2])
template, number, longest = (folder / "customers.txt").read_text(), 0, 0.0
while True:
    ends, number, began = over.exists(), number + 1, time.monotonic()
    path = folder / "load" / f"{number}.txt"
    path.write_text(template.replace("\\nC1|", f"\\nN{number}|"))
    run = import_file(account, path)
    longest = max(longest, time.monotonic() - began)
    assert (run.status, run.created) == ("succeeded", 1), (number, run.status, run.message)
    if number == 3:
        print("at work", flush=True)
    if ends:
        break
    time.sleep(0.2)
print("imported", number, round(longest, 1), flush=True)

from django.core.files.uploadedfile import SimpleUploadedFile
from connections.models import Change, Connection
from imports.models import Feed, Message, Pull, Run
from imports.pulling import pull_feed
from imports.telling import tell_of_run
from imports.uploading import import_queued, store_upload
from lookups.loading import load_rows
user, path = User.objects.get(), folder / "customers.txt"
queued = store_upload(account, SimpleUploadedFile("a.txt", path.read_bytes()), user)
print(import_queued(queued.pk))
feed = Feed.objects.create(account=account, name="erp", protocol="file", folder="out", mask="*.txt", settle_seconds=0)
pull = pull_feed(feed)
assert (pull.status, pull.imported) == ("succeeded", 1), pull.message
for model in (Account, User, Change, Connection, Feed, Message, Pull, Run):
    print(model.__name__, len(list(model.objects.all())))
assert set(Run.objects.values_list("status", flat=True)) == {"succeeded"}
"""


@pytest.fixture
def previous(tmp_path):
    """The code of the release before, in a folder of its own."""
    found = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        pytest.skip(f"the history does not reach back to {PREVIOUS}: {found.stderr.decode().strip()}")
    folder = tmp_path / "previous"
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--directory", folder], input=found.stdout, check=True)
    return folder


@pytest.fixture
def database(django_db_setup, django_db_blocker):
    """A database of its own, empty; the name."""
    with django_db_blocker.unblock():
        server, name = Server(), f"{connection.settings_dict['NAME']}_upgraded"
        server.create(name)
        yield name
        server.drop(name)


@pytest.mark.django_db(transaction=True)
def test_code_of_the_release_before_goes_on_while_its_database_is_migrated_and_then(previous, database, tmp_path):
    """Nothing of its work fails, waits long or is lost."""
    (tmp_path / "customers.txt").write_text(as_text([NEW]))
    (tmp_path / "load").mkdir()
    folder = tmp_path / "feeds" / "maison" / "out"
    folder.mkdir(parents=True)
    (folder / "pulled.txt").write_text(as_text([NEW]))
    variables = {"DATABASE_URL": Server().url(database), "DJANGO_SETTINGS_MODULE": "customersync.settings"}
    there = {"cwd": previous, "env": environment(**variables, LOCAL_FEEDS=str(folder.parents[1]))}
    begun = subprocess.run([sys.executable, "-c", SET_UP + BEGIN], **there, capture_output=True, text=True, check=False)
    assert begun.returncode == 0, begun.stderr

    over = tmp_path / "over"
    work = subprocess.Popen(
        [sys.executable, "-c", SET_UP + WORK, str(tmp_path), str(over)],
        **there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert work.stdout is not None
        assert work.stdout.readline() == "at work\n", work.communicate()
        migrate = [sys.executable, "manage.py", "migrate", "--no-input"]
        migrated = subprocess.run(
            migrate, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, check=False
        )
    finally:
        over.touch()
        said, wrong = work.communicate(timeout=120)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    assert work.returncode == 0, said + wrong
    _, imported, longest = said.split("\n", 1)[0].split()
    assert int(imported) > 3
    logging.getLogger(__name__).info("%s imports, the longest of %s seconds", imported, longest)
    with psycopg.connect(Server().dsn, dbname=database) as session:
        counted = session.execute(
            "SELECT count(*), count(DISTINCT c.id) FROM imports_run r JOIN connections_change h ON h.run_id = r.id"
            " JOIN connections_connection c ON c.id = h.connection_id WHERE h.action = 'created'"
            " AND r.status = 'succeeded' AND c.customer_code LIKE 'N%'"
        ).fetchone()
    assert counted is not None
    assert counted[1] == int(imported)


def _models_as_made():
    """The fields of every model of ours at the end of the migration that made it."""
    loader, made = MigrationLoader(None), dict[tuple[str, str], set[str]]()
    ours = {config.label for config in apps.get_app_configs() if Path(config.path).is_relative_to(ROOT)}
    ours = {label for label in ours if ".venv" not in apps.get_app_config(label).path}
    for key in sorted(key for key in loader.graph.nodes if key[0] in ours):
        state = loader.project_state([key])
        for (label, name), model in state.models.items():
            if label == key[0]:
                made.setdefault((label, name), set(model.fields))
    return made


@pytest.mark.django_db
def test_every_column_that_was_added_later_is_filled_by_the_database():
    """Code that does not know a column writes rows without it."""
    made, bare, looked = _models_as_made(), [], 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        )
        required = set(cursor.fetchall())
    for (label, name), fields in made.items():
        model = apps.get_model(label, name)
        for field in model._meta.local_concrete_fields:
            if field.name not in fields:
                looked += 1
                if (model._meta.db_table, field.column) in required:
                    bare.append(f"{label}.{model.__name__}.{field.name}: give it db_default, or let it be null")
    assert looked > 10
    assert not bare
