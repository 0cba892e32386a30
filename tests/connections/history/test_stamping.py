"""Programs that ask what changed since they asked the last time, while others write and commit in any order."""

import random
import threading
import time
from contextlib import closing

import pytest
from django.db import connection as database
from django.db import transaction

from connections import review
from connections.history.recording import recorded_edit
from connections.history.stamping import take_stamp, take_watermark
from connections.models import Change, Connection
from tests.api.conftest import Program
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, as_text, import_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def program(account):
    add_member(account, user := make_user("rosa"))
    return Program(user)


class Poller:
    """A shop that follows the changes, and keeps a copy of the customers by asking which were updated since."""

    def __init__(self, program):
        self.program = program
        self.changes, self.copy = [], {}
        self.after, self.since = "0", ""

    def poll(self):
        for page in self.pages(f"accounts/maison/changes/?page_size=50&after={self.after}"):
            self.after = page["after"]
            self.changes += [found["id"] for found in page["results"]]
        asked = f"&updated_since={self.since.replace('+', '%2B')}" if self.since else ""
        pages = list(self.pages(f"accounts/maison/connections/?page_size=7{asked}"))
        self.since = pages[0]["as_of"]
        for found in (found for page in pages for found in page["results"]):
            if found["updated_at"] >= self.copy.get(found["customer_code"], found)["updated_at"]:
                self.copy[found["customer_code"]] = found

    def pages(self, path):
        while path:
            answer = self.program("get", path)
            assert answer.status_code == 200, answer.content
            yield answer.json()
            path = (answer.json()["next"] or "").partition("/api/v1/")[2]


def work(*works):
    """Each in a thread and a session of its own."""
    failed = []

    def do(one):
        with closing(database):
            try:
                one()
            except BaseException as error:  # noqa: BLE001  (of a thread; told below)
                failed.append(error)

    threads = [threading.Thread(target=do, args=[one]) for one in works]
    for thread in threads:
        thread.start()
    return threads, failed


def test_a_program_that_polls_misses_nothing_whatever_commits_in_which_order(account, program, tmp_path):
    codes = [f"C{number}" for number in range(20)]
    for code in codes:
        make_connection(account, code, status="pending")
    rosa, dice = program.user, random.Random(7)

    def hesitate(most=0.15):
        time.sleep(dice.random() * most)

    def send():
        for number in range(8):
            path = tmp_path / f"{number}.txt"
            names = [*dice.sample(codes, 8), f"N{number}"]
            path.write_text(as_text(NEW | {"customer_code": code, "profile_name": f"file {number}"} for code in names))
            import_path(account, path, keep=False, progress=lambda *_: hesitate())

    def edit():
        for number in range(20):
            one = Connection.objects.get(account=account, customer_code=dice.choice(codes))
            with transaction.atomic():
                with recorded_edit([one.pk], rosa):
                    Connection.objects.filter(pk=one.pk).update(customer_alias=f"{threading.get_ident()} {number}")
                hesitate()
            hesitate(0.02)

    def decide():
        for _ in range(20):
            chosen = Connection.objects.filter(account=account, customer_code__in=dice.sample(codes, 3))
            with transaction.atomic():
                (review.approve if dice.random() < 0.5 else review.reject)(chosen, rosa)
                hesitate()

    poller = Poller(program)
    threads, failed = work(send, edit, edit, decide)
    while any(thread.is_alive() for thread in threads):
        poller.poll()
        time.sleep(0.02)
    poller.poll()
    assert not failed
    assert sorted(poller.changes) == sorted(Change.objects.values_list("pk", flat=True)), "each exactly once"
    stored = Connection.objects.values_list("customer_code", "profile_name", "customer_alias", "status")
    copied = {tuple(one[name] for name in ("customer_code", "profile_name", "customer_alias", "status"))
              for one in poller.copy.values()}  # fmt: skip
    assert copied == set(stored)


def test_a_watermark_stays_behind_what_is_not_committed_and_only_in_its_account(account):
    other = make_account("atelier")
    stamped, done = threading.Event(), threading.Event()
    stamps = []

    def write():
        with transaction.atomic():
            stamps.append(take_stamp([account.pk]))
            stamped.set()
            done.wait(60)

    threads, failed = work(write)
    assert stamped.wait(60)
    time.sleep(0.01)
    assert take_watermark(account.pk) <= stamps[0] < take_watermark(other.pk)
    done.set()
    threads[0].join()
    assert take_watermark(account.pk) > stamps[0]
    assert not failed


def test_a_stamp_is_refused_outside_of_the_transaction_that_would_hold_it(account):
    with pytest.raises(transaction.TransactionManagementError):
        take_stamp([account.pk])


def test_saving_without_a_change_is_no_update(account):
    one = make_connection(account)
    before = one.updated_at
    with recorded_edit([one.pk], make_user("rosa")):
        Connection.objects.get(pk=one.pk).save()
    one.refresh_from_db()
    assert one.updated_at == before
