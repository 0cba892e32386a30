"""A backup comes back whole into another database, or not at all; and what came back does nothing by itself."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import stat
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO, StringIO

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account, Suspension
from accounts.pruning import PrunedAlready, claim_pruning
from benchmarks.servers import Server
from connections.models import Change, Connection
from dropbox.identity import read_fingerprints
from dropbox.logins import verify_password
from dropbox.models import Login
from dropbox.storing import store_file
from imports.backups import making, restoring
from imports.backups.manifests import measure, read_manifest
from imports.copies import open_copy
from imports.errors import Suspended
from imports.feeds.pulling import pull_feed
from imports.models import Feed, KeptFile, Message, Run
from imports.pipeline import ImportRequest, import_file
from tests.buckets import BUCKET
from tests.builders import PASSWORD, add_lookups, make_account
from tests.dropbox.visitors import make_box
from tests.feeds import drop, make_feed
from tests.servers import run_sftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(transactional_db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "here"
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def elsewhere(account, settings, tmp_path):
    """Another system: `with elsewhere():` one works there, on a database and a storage of its own."""
    here, name = connection.settings_dict["NAME"], f"{connection.settings_dict['NAME']}_elsewhere"
    server = Server()
    server.create(name)

    @contextmanager
    def work():
        connection.close()
        connection.settings_dict["NAME"], settings.MEDIA_ROOT = name, tmp_path / "elsewhere"
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"], settings.MEDIA_ROOT = here, tmp_path / "here"

    yield work
    server.drop(name)


def run_command(*arguments):
    out, err = StringIO(), StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def import_again(account, path):
    run = import_file(ImportRequest(account=account, path=path))
    return run.status, run.created, run.updated, run.unchanged


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_copy(run):
    with open_copy(run.kept_file, run.file_name) as copy:
        return copy.read()


def test_what_comes_back_is_what_was_there_and_waits_for_a_word(account, elsewhere, tmp_path, settings):
    path = drop(tmp_path, "customers.txt", "C1", "C2")
    lost = drop(tmp_path, "lost.txt", "C3")
    assert import_again(account, path) == ("succeeded", 2, 0, 0)
    assert import_again(account, lost) == ("succeeded", 1, 0, 0)
    default_storage.delete(KeptFile.objects.get(sha256=digest(lost)).key)
    box = make_box(account, tmp_path)
    Login.objects.update(password=make_password(PASSWORD))
    store_file(box.feed.pk, "in", "waits.txt", BytesIO(b"customer_code\nC4\n"))
    read_fingerprints()
    (tmp_path / "served").mkdir()
    with run_sftp(tmp_path / "served") as server:
        feed = make_feed(account, server, "sftp", after_import=Feed.AfterImport.LEAVE)
        drop(tmp_path / "served", "1.txt", "C5")
        assert pull_feed(feed).imported == 1
        Message.objects.create(account=account, feed=feed, kind="email", event="feed.failing", key="email:1")
        said = run_command("backup", tmp_path / "backup")
        assert "1 copies that the database names were not in the storage" in said
        _look_at_folder(tmp_path / "backup", settings)
        before = _tell_all()

        with elsewhere():
            default_storage.save(f"copies/{account.pk}/stray.zst", ContentFile(b"?"))
            said = run_command("restore", tmp_path / "backup")
            assert "4 connections, 2 feeds, 3 runs, 3 copies" in said
            assert "1 copies that runs name are missing" in said
            assert "1 files in the storage are named by nothing" in said
            assert "stray.zst" in said
            assert "1 messages waited" in said
            assert _tell_all() == before
            assert "restored from the backup" in Suspension.objects.get().reason
            feed = Feed.objects.get(name="sftp")
            with pytest.raises(Suspended):
                pull_feed(feed)
            account = Account.objects.get()
            assert import_again(account, path) == ("succeeded", 0, 0, 2)
            assert read_copy(Run.objects.order_by("pk").first()) == path.read_bytes()
            assert verify_password(box.login.user_name, PASSWORD, "127.0.0.1") == box.login
            run_command("resume", "--give-up-messages")
            assert pull_feed(feed).imported == 0
            drop(tmp_path / "served", "2.txt", "C6")
            assert pull_feed(feed).imported == 1


def _look_at_folder(folder, settings):
    """Nobody else may read it, no key is in it, and the tool of every system can check it."""
    paths = [folder, *folder.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == ["database.dump", "files", "files.sha256", "manifest.json"]
    assert settings.ENCRYPTION_KEYS[0] not in (folder / "manifest.json").read_text()
    assert len(read_manifest(folder).keys) == 1
    assert not [path for path in folder.parent.iterdir() if path.name.endswith(".unfinished")]


def _tell_all():
    """What must be the same in both systems."""
    return (
        list(Connection.objects.order_by("pk").values()),
        list(Change.objects.order_by("pk").values()),
        list(Run.objects.order_by("pk").values("pk", "status", "sha256", "kept_file")),
        [feed.password for feed in Feed.objects.order_by("pk")],
        read_fingerprints(),
    )


def spoil(path, change):
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def reseal(folder, **changes):
    manifest = replace(read_manifest(folder), **changes)
    (folder / "manifest.json").unlink()
    manifest.write(folder)


def test_what_cannot_come_back_whole_does_not_come_back_at_all(account, elsewhere, tmp_path, settings, monkeypatch):
    import_again(account, drop(tmp_path, "customers.txt", "C1"))
    Feed.objects.create(account=account, name="erp", protocol="ftp", host="ftp.example.com", password="s3cret")
    whole = tmp_path / "backup"
    run_command("backup", whole)
    with pytest.raises(CommandError, match="exists already") as refused:
        run_command("backup", whole)
    assert refused.value.returncode == 2
    (copy,) = (path for path in (whole / "files").rglob("*") if path.is_file())
    copy = copy.relative_to(whole)

    def truncate(folder):
        spoil(folder / "database.dump", lambda content: content.__delitem__(slice(len(content) // 4, None)))

    def truncate_unnoticed(folder):
        truncate(folder)
        parts = {**read_manifest(folder).parts, "database.dump": measure(folder / "database.dump")}
        reseal(folder, parts=parts)

    def flip(folder):
        spoil(folder / copy, lambda content: content.__setitem__(-1, content[-1] ^ 1))

    migrations = {**read_manifest(whole).migrations, "imports": ["9999_of_the_next_release"]}
    variants = [
        (lambda folder: (folder / "manifest.json").unlink(), "is no backup"),
        (lambda folder: spoil(folder / "manifest.json", lambda content: content.pop()), None),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "manifest.json is damaged"),
        (lambda folder: _edit(folder, files=7), "manifest.json is damaged: its digest"),
        (lambda folder: reseal(folder, layout=3), "by another release"),
        (truncate, "database.dump is damaged"),
        (truncate_unnoticed, "Nothing was restored into the database. pg_restore says"),
        (lambda folder: (folder / "database.dump").unlink(), "database.dump is missing"),
        (lambda folder: (folder / copy).unlink(), f"{copy.name} is missing"),
        (flip, f"{copy.name} is damaged"),
        (lambda folder: reseal(folder, migrations=migrations), "newer release.*imports.9999_of_the_next_release"),
        (lambda folder: reseal(folder, server=99), "is of PostgreSQL 99, and this server is older"),
    ]
    with elsewhere():
        for number, (change, said) in enumerate(variants):
            folder = tmp_path / f"variant-{number}"
            shutil.copytree(whole, folder)
            change(folder)
            if said is None:
                read_manifest(folder)  # a lost line end is no damage
                continue
            with pytest.raises(CommandError, match=said) as refused:
                run_command("restore", folder)
            assert refused.value.returncode == 2
            assert connection.introspection.table_names() == []

        keys = settings.ENCRYPTION_KEYS
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        with pytest.raises(CommandError, match="ENCRYPTION_KEYS lacks"):
            run_command("restore", whole)
        settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, *keys]
        run_command("restore", whole)
        assert Feed.objects.get().password == "s3cret"
        with pytest.raises(CommandError, match=r"is not empty.*--replace"):
            run_command("restore", whole)
        with psycopg.connect(Server().dsn, dbname=connection.settings_dict["NAME"]) as session:
            monkeypatch.setattr(restoring, "MOMENT", 0)
            with pytest.raises(CommandError, match="1 sessions use the database"):
                run_command("restore", whole, "--replace")
            monkeypatch.setattr(restoring, "MOMENT", 60)
            monkeypatch.setattr(time, "sleep", lambda seconds: session.close())  # it ends while it is waited for
            Connection.objects.update(profile_name="Changed since")
            settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
            run_command("restore", whole, "--replace", "--without-secrets")
        assert Connection.objects.get().profile_name != "Changed since"

        call_command("migrate", "django_q", "0017", verbosity=0)
        run_command("backup", tmp_path / "older", "--leave-files")
        said = run_command("restore", tmp_path / "older", "--replace", "--without-secrets")
        assert "django_q.0018" in said
        assert not (tmp_path / "older" / "files").exists()

        _move_to_schema("Ours.*")
        run_command("backup", tmp_path / "moved", "--leave-files")
        Connection.objects.update(profile_name="Changed since")
        run_command("restore", tmp_path / "moved", "--replace", "--without-secrets")
        assert Connection.objects.get().profile_name != "Changed since"
        _execute("SELECT kept FROM others")  # in their schema, where nobody asked for a backup
        _execute("SET search_path = public")
        with pytest.raises(CommandError, match=r'of the schema Ours\.\*, and .* the schema public\. .*"Ours\.\*"'):
            run_command("restore", tmp_path / "moved", "--replace", "--without-secrets")


def _execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _move_to_schema(schema):
    """All that the database holds, as if it had been migrated there, beside a table of others who use it too."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    _execute(f'ALTER SCHEMA public RENAME TO "{schema}"; CREATE SCHEMA public')
    _execute(f'ALTER DATABASE {name} SET search_path = "{schema}", public; CREATE TABLE public.others (kept int)')
    connection.close()


def test_a_restore_that_found_no_room_goes_on_when_there_is_some(account, elsewhere, tmp_path):
    assert import_again(account, drop(tmp_path, "customers.txt", "C1")) == ("succeeded", 1, 0, 0)
    run_command("backup", tmp_path / "backup")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with elsewhere():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            with pytest.raises(CommandError, match=r"not all copies: copies/.* cannot be kept: .*elsewhere.*too large"):
                run_command("restore", tmp_path / "backup")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        run_command("restore", tmp_path / "backup")
        assert read_copy(Run.objects.get()) == (tmp_path / "customers.txt").read_bytes()


def test_a_bucket_is_backed_up_and_restored_as_a_folder_is(account, elsewhere, tmp_path, bucket):
    path = drop(tmp_path, "customers.txt", "C1")
    import_again(account, path)
    (name,) = bucket.names()
    bucket.cut_after = 1
    with pytest.raises(CommandError, match=r"^No backup was made: the bucket .* does not answer .* Mend that"):
        run_command("backup", tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))
    bucket.cut_after = None
    assert "1 copies" in run_command("backup", tmp_path / "backup")
    run_command("backup", tmp_path / "without", "--leave-files")
    with elsewhere():
        for source in ("backup", "without"):
            bucket.cut_after = 1
            with pytest.raises(CommandError, match=r"^Nothing was restored: the bucket .* does not answer"):
                run_command("restore", tmp_path / source)
        assert connection.introspection.table_names() == []
        bucket.cut_after = None
        bucket.client().put_object(Bucket=BUCKET, Key=name, Body=b"another's")
        with pytest.raises(CommandError, match=f"the bucket {BUCKET} .*has another file by the name of"):
            run_command("restore", tmp_path / "backup")
        bucket.empty()
        assert "1 copies that runs name are missing" in run_command("restore", tmp_path / "without")
        run_command("restore", tmp_path / "backup", "--replace")
        assert bucket.names() == [name]
        assert read_copy(Run.objects.get()) == path.read_bytes()


def _edit(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_files_that_come_meanwhile_are_in_whole_or_not_at_all(account, elsewhere, tmp_path, monkeypatch):
    """Imports go on while the backup is made, and none is in it by half; nothing is pruned meanwhile."""
    going, dumped = threading.Event(), making._dump

    def keep_importing():
        number = 0
        while not over.is_set():
            number += 1
            import_again(account, drop(tmp_path, f"{number}.txt", f"C{number}a", f"C{number}b"))
            going.set()
        connection.close()

    def dump(*arguments):
        going.clear()
        assert going.wait(60)
        with pytest.raises(PrunedAlready), claim_pruning_of_another():
            pass
        dumped(*arguments)
        for _ in range(3):  # what was in the middle when it ended may be in it, and the next two cannot
            going.clear()
            assert going.wait(60)

    monkeypatch.setattr(making, "_dump", dump)
    over, importer = threading.Event(), threading.Thread(target=keep_importing)
    importer.start()
    try:
        assert going.wait(60)
        run_command("backup", tmp_path / "backup")
    finally:
        over.set()
        importer.join(60)
    all_of_them = Run.objects.count()
    with elsewhere():
        said = run_command("restore", tmp_path / "backup")
        assert "missing" not in said
        runs = Run.objects.filter(status="succeeded").count()
        assert 1 <= runs <= all_of_them - 2
        assert Connection.objects.count() == 2 * runs
        assert KeptFile.objects.count() >= runs


@contextmanager
def claim_pruning_of_another():
    """In a session of its own, as locks of one session do not exclude each other."""
    problems = []

    def claim():
        try:
            with claim_pruning():
                pass
        except PrunedAlready as error:
            problems.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=claim)
    thread.start()
    thread.join(60)
    if problems:
        raise problems[0]
    yield
