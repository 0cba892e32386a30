"""Undoing while others write the same: whoever comes second sees what the first has done, and nothing is lost."""

import threading
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, transaction

from connections.history.recording import recorded_edit
from connections.models import Connection
from connections.review.decisions import approve
from imports.errors import AccountBusy, SettingsWrong
from imports.runs import undoing
from imports.runs.undoing import undo_run
from tests.builders import make_user
from tests.connections.history.replayed import read_stored, replay_log
from tests.imports.customer_files import NEW
from tests.processes import a_session_waits, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

CODE = {"customer_code": "C1"}


@contextmanager
def meanwhile(work):
    """Do some work in another thread with a session of its own; what it raises is raised at the end."""
    failed = []

    def go():
        try:
            work()
        except (AssertionError, OperationalError, AccountBusy) as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=go)
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def check_log(account):
    assert replay_log(account) == read_stored(account)


def test_an_edit_that_is_being_saved_is_not_overwritten(account, send):
    rosa = make_user("rosa")
    send(NEW)
    run = send({**CODE, "profile_name": "Two", "customer_alias": "Two"})
    pk = account.connections.get().pk
    undone = []
    with recorded_edit([pk], rosa):
        Connection.objects.filter(pk=pk).update(customer_alias="By hand")
        work = meanwhile(lambda: undone.append(undo_run(run)[1]))
        work.__enter__()
        wait_until(a_session_waits)
    work.__exit__(None, None, None)
    assert [left.changed_by for left in undone[0].left] == ["rosa"]
    assert (send.customer()["profile_name"], send.customer()["customer_alias"]) == ("Harbor Row", "By hand")
    check_log(account)


def test_a_customer_that_is_being_approved_stays(account, send):
    rosa = make_user("rosa")
    run = send(NEW)
    undone = []
    with transaction.atomic():
        approve(account.connections.all(), rosa)
        work = meanwhile(lambda: undone.append(undo_run(run)[1]))
        work.__enter__()
        wait_until(a_session_waits)
    work.__exit__(None, None, None)
    assert (undone[0].spared, account.connections.get().status) == (1, "approved")
    check_log(account)


@pytest.mark.parametrize("other", ["edit", "approve", "import"])
def test_whoever_comes_while_a_run_is_being_undone_waits_for_it(account, send, monkeypatch, other):
    rosa = make_user("rosa")
    send(NEW)
    run = send({**CODE, "profile_name": "Two", "customer_alias": "Two"}, {**NEW, "customer_code": "C2"})
    pks = list(account.connections.values_list("pk", flat=True))

    def work():
        if other == "edit":
            with recorded_edit(pks, rosa):
                Connection.objects.filter(pk__in=pks).update(customer_alias="By hand")
        elif other == "approve":
            approve(Connection.objects.filter(pk__in=pks), rosa)
        else:
            send({**CODE, "profile_name": "Three"}, {**NEW, "customer_code": "C2"})

    begun, real = [], undoing._record

    def record(*args):
        begun.append(meanwhile(work))
        begun[0].__enter__()
        wait_until(a_session_waits)
        real(*args)

    monkeypatch.setattr(undoing, "_record", record)
    _, undone = undo_run(run)
    begun[0].__exit__(None, None, None)
    assert (undone.restored, undone.deleted, undone.left) == (1, 1, [])
    expected = {
        "edit": {"C1": ("Harbor Row", "By hand")},
        "approve": {"C1": ("Harbor Row", "")},
        "import": {"C1": ("Three", ""), "C2": ("Harbor Row", "")},
    }[other]
    found = send.customers()
    assert {code: (each["profile_name"], each["customer_alias"]) for code, each in found.items()} == expected
    check_log(account)


def test_an_undo_that_the_database_ends_for_a_deadlock_is_done_again(account, send):
    send(NEW, {**NEW, "customer_code": "C2"})
    run = send({**CODE, "profile_name": "Two"}, {"customer_code": "C2", "profile_name": "Two"})
    first, second = account.connections.order_by("pk")
    undone = []
    work = meanwhile(lambda: undone.append(undo_run(run)[1]))
    try:
        with transaction.atomic():
            Connection.objects.select_for_update().get(pk=second.pk)
            work.__enter__()
            wait_until(a_session_waits)
            Connection.objects.select_for_update().get(pk=first.pk)  # out of order, as no writer of ours does
    except OperationalError:
        pass  # the database ends one of the two
    work.__exit__(None, None, None)
    assert (undone[0].restored, undone[0].left) == (2, [])
    check_log(account)


def test_of_two_who_undo_at_once_one_does(account, send):
    send(NEW)
    run = send({**CODE, "profile_name": "Two"})
    outcomes = []

    def work():
        try:
            outcomes.append(len(undo_run(type(run).objects.get(pk=run.pk))[1].left))
        except SettingsWrong as error:
            outcomes.append("undone already" in str(error))

    with meanwhile(work), meanwhile(work):
        pass
    assert sorted(map(repr, outcomes)) == ["0", "True"]
    assert send.customer()["profile_name"] == "Harbor Row"
    check_log(account)
