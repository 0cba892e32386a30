"""System checks: each fires where something is set up wrong, and is silent where nothing is."""

import contextlib
import tempfile
from io import FileIO

import pytest
from django.core.checks import registry, run_checks
from django.db import connection

from accounts.checks import check_keys, check_keys_apart
from benchmarks.servers import Server
from imports import checks


def ids(messages):
    return [message.id for message in messages]


def test_all_of_them_run_and_are_silent_here(db):
    ours = {
        getattr(check, "__name__", ""): check in registry.registry.deployment_checks
        for check in registry.registry.get_checks(include_deployment_checks=True)
        if check.__module__ in ("accounts.checks", "imports.checks")
    }
    assert ours == {
        "check_keys": False,
        "check_keys_apart": True,
        "check_queue": False,
        "check_storage": True,
        "check_sessions": False,
        "check_database": False,
    }
    found = ids(run_checks(include_deployment_checks=True, databases=["default"]))
    assert [name for name in found if name.startswith(("accounts.", "imports."))] == []


@pytest.mark.parametrize("times", [{"timeout": 3600, "retry": 3600}, {"timeout": 61}, {"retry": 3600}, {}])
def test_a_task_that_would_be_started_twice_is_an_error(settings, times):
    settings.Q_CLUSTER = times
    assert ids(checks.check_queue()) == ["imports.E001"]


@pytest.mark.parametrize("times", [{"timeout": 3000, "retry": 3600}, {"timeout": 50}])
def test_a_task_that_ends_before_it_is_tried_again_is_right(settings, times):
    settings.Q_CLUSTER = times
    assert checks.check_queue() == []


def test_a_folder_that_takes_no_copies_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    settings.MEDIA_ROOT = tmp_path / "file" / "files"
    (error,) = checks.check_storage()
    assert error.id == "imports.E002"
    assert f"{settings.MEDIA_ROOT}: Not a directory." in error.msg


def test_a_folder_without_room_is_named(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FileIO("/dev/full", "w+"))
    (error,) = checks.check_storage()
    assert f"{tmp_path}: No space left on device." in error.msg


def test_a_folder_that_is_yet_to_be_made_is_right_and_is_not_made(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "data" / "files"
    assert checks.check_storage() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_sessions_that_are_one_on_the_server_are_an_error(monkeypatch):
    assert checks.check_sessions(databases=["default"]) == []
    lent = connection.copy()
    monkeypatch.setattr(checks, "_open_another", lambda session: lent)
    assert ids(checks.check_sessions(databases=["default"])) == ["imports.E003"]
    assert checks.check_sessions(databases=None) == []


@pytest.mark.django_db
def test_the_check_of_sessions_leaves_none_open(monkeypatch):
    opened = [connection.copy(), connection.copy()]
    left = iter(opened)
    monkeypatch.setattr(checks, "_open_another", lambda session: next(left))
    assert checks.check_sessions(databases=["default"]) == []
    assert [session.connection for session in opened] == [None, None]


@pytest.mark.django_db(transaction=True)
def test_another_encoding_a_user_without_temporary_tables_and_no_schema_are_errors():
    server, name = Server(), "test_in_latin1"
    server.execute("CREATE ROLE test_no_temp LOGIN")
    server.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        server.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM public")
        other = connection.copy()
        other.settings_dict["NAME"] = name
        with pytest.MonkeyPatch.context() as patch, contextlib.closing(other), other.cursor() as cursor:
            cursor.execute("SET ROLE test_no_temp; SET search_path = nowhere")
            patch.setattr(checks, "connections", {"default": other})
            found = checks.check_database(databases=["default"])
    finally:
        server.drop(name)
        server.execute("DROP ROLE test_no_temp")
    assert ids(found) == ["imports.E004"] * 3
    assert [error.msg for error in found] == [
        "The database default is in LATIN1.",
        "The user of the database default may make no temporary tables.",
        "The database default has no schema of the search path, nowhere.",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_too_old_is_an_error(monkeypatch):
    with contextlib.closing(connection.copy()) as other:
        monkeypatch.setattr(type(other), "pg_version", 140023)
        monkeypatch.setattr(checks, "connections", {"default": other})
        (error,) = checks.check_database(databases=["default"])
    assert error.msg.endswith("too old: PostgreSQL 15 or later is required (found 14.23).")


@pytest.mark.parametrize("keys", [["no key"], ["A" * 43 + "=", "x"], []])
def test_a_key_that_is_none_is_an_error(settings, keys):
    settings.ENCRYPTION_KEYS = keys
    assert ids(check_keys()) == ["accounts.E001"]


def test_the_key_of_sessions_is_none_of_credentials(settings):
    assert check_keys_apart() == []
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, settings.SECRET_KEY]
    assert ids(check_keys_apart()) == ["accounts.E002"]
