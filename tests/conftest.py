from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from ipaddress import ip_network
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection, transaction
from django.template import RequestContext, Template
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as examples
from psycopg.errors import ObjectInUse

from benchmarks.servers import Server
from tests.processes import ROOT, end_commands, wait_until

MANY_ROWS = 5000
TEMPLATE = pytest.StashKey[tuple[str, subprocess.Popen[bytes]]]()
RENDER: Any = Template._render  # type: ignore[attr-defined]  # private; before the test client listens


# Each process that tests start would compile all of the program anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No example asserts seconds: a busy machine is slow. Fixtures are shared by the examples of a test.
examples.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
examples.load_profile("any machine")

# Tests walk the pages that are registered.
admin.autodiscover()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config):
    """One process migrates for all."""
    name = f"test_template_{os.getpid()}"
    command = [sys.executable, "-m", "tests.template", name]
    config.stash[TEMPLATE] = name, subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["template"] = node.config.stash[TEMPLATE][0]


def pytest_unconfigure(config):
    if TEMPLATE in config.stash:
        config.stash[TEMPLATE][1].communicate()


def pytest_collection_finish():
    """What is loaded by now stays: to look through it for garbage again and again is a tenth of the tests' time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown():
    """No command that a test started outlives it: the database would wait for its locks."""
    end_commands()


@pytest.fixture(scope="session", autouse=True)
def _kept_files(tmp_path_factory):
    """Copies of files go to a folder of the test session."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("data") / "files"


@pytest.fixture(scope="session", autouse=True)
def _own_servers():
    """Those of the tests are on loopback."""
    settings.PRIVATE_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("::1")]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords():
    """Hashing a password well takes longer than most tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _quick_templates(django_test_environment):
    """The test client copies the context of every template, each widget's too; `response.context` needs the page's."""
    listened_to: Any = Template._render  # type: ignore[attr-defined]  # as above

    def render(self, context):
        is_page = isinstance(context, RequestContext) and context.template is self
        return listened_to(self, context) if is_page else RENDER(self, context)

    Template._render = render  # type: ignore[attr-defined]  # as above


@pytest.fixture(scope="session")
def template(request, django_db_blocker):
    """The name of the migrated database that all the processes copy; blank where there is but one process."""
    name = getattr(request.config, "workerinput", {}).get("template", "")
    if name:
        with django_db_blocker.unblock():
            server = Server()
            wait_until(lambda: server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'") is not None, 200)
            connection.close()
    return name


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, template):
    """No test pulls the plug of the server, so none waits for its disk."""
    connection.settings_dict["OPTIONS"]["options"] = "-c synchronous_commit=off"
    if template:
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture
def superuser(db):
    """The role of the tests' database, where it may set what others may not."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        if cursor.fetchone() != ("on",):
            # The embedded server's user is one; a company's own server may be tested with a user that must not be one.
            pytest.skip("the user of DATABASE_URL is no superuser of PostgreSQL")


@pytest.fixture(scope="session")
def bucket_server():
    """A store that speaks S3; it is imported late, for it takes a second."""
    from tests.buckets import running_store

    with running_store() as store:
        yield store


@pytest.fixture
def bucket(bucket_server, settings, monkeypatch):
    """An empty bucket, in which files are kept."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the attempts
    settings.STORAGES = settings.STORAGES | bucket_server.storages()
    bucket_server.empty()
    return bucket_server


@pytest.fixture(scope="session")
def migrated(django_db_setup, django_db_blocker, template):
    """The name of a database as `migrate` leaves it, that others are copied from: migrating takes seconds.

    Blank where somebody is connected to the one of the tests.
    """
    if template:
        yield template
        return
    with django_db_blocker.unblock():
        server, original = Server(), connection.settings_dict["NAME"]
        connection.close()
        name = f"{original}_migrated"
        server.drop(name)
        try:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {original}")
        except ObjectInUse:
            name = ""
        yield name
        if name:
            server.drop(name)


@pytest.fixture(scope="session", autouse=True)
def _quick_emptying():
    """After tests that commit. Django's flush writes each of some fifty tables anew, where few hold a few rows."""
    flush: Any = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private, but no setting is

    def empty(self):
        if not empty_tables():
            flush(self)

    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]  # as above


def empty_tables() -> bool:
    """Leave what `migrate` leaves: False where a table holds so many rows that emptying it as a whole is quicker."""
    kept = ("django_content_type", "auth_permission")
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in kept]
    with transaction.atomic(), connection.cursor() as cursor:
        look = "SELECT '{0}', EXISTS (SELECT FROM {0} OFFSET {1}) WHERE EXISTS (SELECT FROM {0})"
        looks = " UNION ALL ".join(look.format(name, MANY_ROWS) for name in tables)
        # Planning it takes longer than doing it, so each session does that once.
        filled = dict(connection.connection.execute(looks, prepare=True).fetchall())
        if any(filled.values()):
            return False
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")
    if apps.is_installed("imports"):
        from imports.apps import add_schedule

        add_schedule()
    return True
