"""While a new release is rolled out, code of the one before still runs on the migrated database."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from imports.models import Run
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.imports.customer_files import NEW, as_text
from tests.processes import ROOT, environment

PREVIOUS = "064d76f82fa6c85a1a8c8cc073537564f10702e8"
"""The last commit of the release that may still run; set anew with every release."""

WORK = """
import sys
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import MagicMock
import django
for package in ("requests_hardened", "sshfs"):  # of the release before alone; nothing here asks a server
    if find_spec(package) is None:
        sys.modules[package] = sys.modules[f"{package}.ip_filter"] = MagicMock()
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from accounts.models import Account, User
from connections.models import Change, Connection
from imports.models import Feed, Message, Pull, Run
from imports.pipeline import import_file
from imports.pulling import pull_feed
from imports.telling import tell_of_run
from imports.uploading import import_queued, store_upload
from lookups.loading import load_rows
import imports
assert Path(imports.__file__).is_relative_to(Path.cwd()), imports.__file__
account, user, path = Account.objects.get(), User.objects.get(), Path(sys.argv[1])
run = import_file(account, path)
assert (run.status, run.created) == ("succeeded", 1), run.message
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
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.django_db(transaction=True)
def test_code_of_the_release_before_works_on_the_new_schema(previous, tmp_path):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("rosa"))
    (tmp_path / "customers.txt").write_text(as_text([NEW]))
    folder = tmp_path / "feeds" / "maison" / "out"
    folder.mkdir(parents=True)
    (folder / "pulled.txt").write_text(as_text([NEW]))
    variables = {"LOCAL_FEEDS": str(folder.parents[1]), "DJANGO_SETTINGS_MODULE": "customersync.settings"}
    ended = subprocess.run(
        [sys.executable, "-c", WORK, str(tmp_path / "customers.txt")],
        cwd=previous, env=environment(**variables), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert list(Run.objects.values_list("status", "created", "unchanged").order_by("pk")) == [
        ("succeeded", 1, 0),
        ("succeeded", 0, 1),
        ("succeeded", 0, 1),
    ]


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
