"""What is read from a replica that a second server streams to, and what never is."""

import io
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from accounts import replicas
from accounts.replicas import REPLICA, Router, read_from, reading_replica
from accounts.tokens import make_token
from connections.models import Connection
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.processes import wait_until
from tests.replicas import running_replica

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(scope="module", autouse=True)
def _replica(django_db_setup, django_db_blocker):
    """Before any test, so that Django lets them use it."""
    with django_db_blocker.unblock(), running_replica() as described:
        connections.databases[REPLICA] = described
        yield
        connections[REPLICA].close()
        del connections[REPLICA]
        del connections.databases[REPLICA]


@pytest.fixture
def replicated(db, settings, monkeypatch):
    """The program with a replica, as REPLICA_URL sets it up, and with time for it."""
    monkeypatch.setattr(replicas, "PATIENCE", 120.0)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # as it is but for tests
    settings.DATABASE_ROUTERS = ["accounts.replicas.Router"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "accounts.replicas.ReadReplica"]
    wait_until(answers)


@pytest.fixture
def maison(replicated):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("rosa"))
    make_connection(account, "C1", addresses=[{"kind": "S", "code": "1", "country": "FR"}])
    return account


@pytest.fixture
def rosa(maison):
    return maison.memberships.get().user


def answers():
    try:
        connections[REPLICA].ensure_connection()
    except OperationalError:
        return False
    return True


@contextmanager
def asked():
    """The statements that each database is sent, by its name, of our tables alone."""
    sent: dict[str, list[str]] = {DEFAULT_DB_ALIAS: [], REPLICA: []}

    def note(name):
        def run(execute, sql, *rest):
            if any(f"{app}_" in sql for app in replicas.APPS):
                sent[name].append(sql)
            return execute(sql, *rest)

        return run

    default, replica = connections[DEFAULT_DB_ALIAS], connections[REPLICA]
    with default.execute_wrapper(note(DEFAULT_DB_ALIAS)), replica.execute_wrapper(note(REPLICA)):
        yield sent


def test_lists_of_the_api_are_read_from_it_with_all_that_belongs_to_them(maison, rosa, client):
    headers = {"Authorization": f"Bearer {make_token(rosa, 'tests')[1]}"}
    with asked() as sent:
        answer = client.get("/api/v1/accounts/maison/connections/", headers=headers)
    assert [found["customer_code"] for found in answer.json()["results"]] == ["C1"]
    assert answer.json()["results"][0]["addresses"][0]["country"] == "FR"
    assert not sent[DEFAULT_DB_ALIAS]
    assert len(sent[REPLICA]) > 3


def test_lists_of_the_admin_are_read_from_it_and_users_are_not(maison, rosa, client):
    client.force_login(rosa)
    with asked() as sent:
        answer = client.get("/admin/connections/connection/")
    assert "C1" in answer.content.decode()
    assert any("connections_connection" in sql for sql in sent[REPLICA])
    assert not any("accounts_membership" in sql and "connections_" not in sql for sql in sent[REPLICA])
    assert not any('FROM "connections_connection"' in sql for sql in sent[DEFAULT_DB_ALIAS])


def test_exports_are_read_from_it(maison):
    out = io.StringIO()
    with asked() as sent:
        call_command("export_customers", account="maison", stdout=out)
    assert "C1" in out.getvalue()
    assert any("connections_connection" in sql for sql in sent[REPLICA])
    assert not any("connections_connection" in sql for sql in sent[DEFAULT_DB_ALIAS])


def test_one_connection_and_what_writes_are_not_read_from_it(maison, rosa, client):
    headers = {"Authorization": f"Bearer {make_token(rosa, 'tests')[1]}"}
    pk = Connection.objects.get().pk
    with asked() as sent:
        assert client.get(f"/api/v1/accounts/maison/connections/{pk}/", headers=headers).status_code == 200
        place = f"/api/v1/accounts/maison/connections/{pk}/approve/"
        assert client.post(place, {}, "application/json", headers=headers).status_code == 200
    assert not sent[REPLICA]


def test_what_was_just_written_is_on_the_list(maison, rosa, client, monkeypatch):
    """However far the replica is behind."""
    client.force_login(rosa)
    monkeypatch.setattr(replicas, "PATIENCE", 0.2)
    with psycopg.connect(**connections[REPLICA].get_connection_params(), autocommit=True) as session:
        session.execute("SELECT pg_wal_replay_pause()")
        try:
            make_connection(maison, "LATE")
            with asked() as sent:
                assert "LATE" in client.get("/admin/connections/connection/").content.decode()
            assert not sent[REPLICA]
        finally:
            session.execute("SELECT pg_wal_replay_resume()")
    monkeypatch.setattr(replicas, "PATIENCE", 120.0)
    make_connection(maison, "LATER")
    with asked() as sent:
        assert "LATER" in client.get("/admin/connections/connection/").content.decode()
    assert sent[REPLICA]


def test_who_writes_reads_the_database_from_then_on(maison):
    with reading_replica():
        assert read_from(Connection).alias == REPLICA
        found = Connection.objects.get()
        found.profile_name = "Other"
        found.save()
        assert found._state.db == read_from(Connection).alias == DEFAULT_DB_ALIAS
        assert Connection.objects.get().profile_name == "Other"
    assert read_from(Connection).alias == DEFAULT_DB_ALIAS


def test_a_replica_that_does_not_answer_is_passed_over(maison, rosa, client, monkeypatch):
    client.force_login(rosa)
    connections[REPLICA].close()
    monkeypatch.setitem(connections[REPLICA].settings_dict, "HOST", "/nowhere")
    assert "C1" in client.get("/admin/connections/connection/").content.decode()


def test_nothing_is_migrated_there():
    assert Router().allow_migrate(DEFAULT_DB_ALIAS, "imports")
    assert not Router().allow_migrate(REPLICA, "imports")
