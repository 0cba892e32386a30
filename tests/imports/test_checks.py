"""System checks: each fires where something is set up wrong, and is silent where nothing is."""

import pytest
from django.core.checks import registry, run_checks
from django.db import connection

from accounts.checks import check_keys, check_keys_apart
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


def test_a_folder_that_is_yet_to_be_made_is_right_and_is_not_made(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "data" / "files"
    assert checks.check_storage() == []
    assert list(tmp_path.iterdir()) == []


class Lent:
    """A session that a pooler lends: at the server it is another one's."""

    def __init__(self, session):
        self.session = session

    def cursor(self):
        return self.session.cursor()

    def close(self):
        pass


@pytest.mark.django_db
def test_sessions_that_are_one_on_the_server_are_an_error(monkeypatch):
    assert checks.check_sessions(databases=["default"]) == []
    monkeypatch.setattr(checks, "_open_another", Lent)
    assert ids(checks.check_sessions(databases=["default"])) == ["imports.E003"]
    assert checks.check_sessions(databases=None) == []


@pytest.mark.django_db
def test_the_check_of_sessions_leaves_none_open(monkeypatch):
    other = connection.copy()
    monkeypatch.setattr(checks, "_open_another", lambda session: other)
    assert checks.check_sessions(databases=["default"]) == []
    assert other.connection is None


@pytest.mark.parametrize("keys", [["no key"], ["A" * 43 + "=", "x"], []])
def test_a_key_that_is_none_is_an_error(settings, keys):
    settings.ENCRYPTION_KEYS = keys
    assert ids(check_keys()) == ["accounts.E001"]


def test_the_key_of_sessions_is_none_of_credentials(settings):
    assert check_keys_apart() == []
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, settings.SECRET_KEY]
    assert ids(check_keys_apart()) == ["accounts.E002"]
