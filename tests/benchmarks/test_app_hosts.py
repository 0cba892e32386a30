"""Two hosts, each with a folder of its own: what comes to one is done by the other, whichever of them is killed."""

import json
import random
import shutil
from contextlib import ExitStack
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.db import connection, transaction
from django_q.tasks import async_task

from accounts.tokens import make_token
from benchmarks.app_hosts import Host
from benchmarks.places import Sender
from connections.models import Change, Connection
from imports.formats.documents import read_format
from imports.models import FormatVersion, Run
from imports.versioning import save_draft
from tests.buckets import running_store
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.dropbox.visitors import make_box
from tests.feeds import customers
from tests.processes import a_session_waits, environment, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BOUNDARY = "b"
FORMAT = """
name: erp
dialect: {delimiter: "|"}
columns:
  - {source: customer_code, target: customer_code}
  - {source: profile_name, target: profile_name}
  - {source: price_type_currency, target: price_type_currency_1}
  - {source: price_type_name, target: price_type_name_1}
policies: {max_change_percent: 50}
"""


@pytest.fixture
def variables(monkeypatch):
    """What both hosts are told: where the database and the store are."""
    with running_store() as store:
        monkeypatch.setattr(settings, "STORAGES", settings.STORAGES | store.storages())
        told = {"STORAGE_URL": store.url(), "Q_WORKERS": "3", "WORKERS_BEAT_SECONDS": "1", "EMAIL_URL": "dummymail://"}
        yield environment(**told)


@pytest.fixture
def maison(db):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("rosa"))
    save_draft(account, "erp", read_format(FORMAT))
    FormatVersion.objects.update(status=FormatVersion.Status.LIVE)
    return account


class Program:
    """A program that asks the API of a host."""

    def __init__(self, account):
        self.account, self.token = account, make_token(account.memberships.get().user, "tests")[1]

    def post(self, host, place, body=b"", kind="application/json"):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        request = Request(f"{host.site}/api/v1/accounts/{self.account.code}/{place}", body, headers)  # noqa: S310  (a server that the test started)
        with urlopen(request, timeout=60) as answer:  # noqa: S310  (a server that the test started)
            return json.load(answer)

    def upload(self, host, name, text):
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = f"{head}{text}\r\n--{BOUNDARY}--\r\n".encode()
        return self.post(host, "runs/upload/", body, f"multipart/form-data; boundary={BOUNDARY}")["id"]


def is_up(host):
    try:
        with urlopen(f"{host.site}/health/live", timeout=60) as answer:  # noqa: S310  (a server that the test started)
            return answer.status == 200
    except (URLError, ConnectionError):
        return False


def status(run):
    return Run.objects.get(pk=run).status


def ended(run):
    return status(run) not in ("queued", "running")


def customers_in(account, word):
    return Connection.objects.filter(account=account, profile_name=word).count()


def test_what_comes_to_one_host_is_done_by_the_other_whichever_is_killed(maison, tmp_path, variables):
    box = make_box(maison, tmp_path, at_once=True)
    program = Program(maison)
    many = [f"C{number:05}" for number in range(100)]
    with ExitStack() as stack:
        first = Host(1, tmp_path, variables, programs=("web", "drop box"))
        stack.callback(first.kill)
        second = Host(2, tmp_path, variables, programs=("workers",))
        stack.callback(second.kill)
        sender = Sender(box, [first.door], random.Random(1))
        stack.callback(sender.close)

        # The first one has no workers: what is brought to it is imported by the second.
        wait_until(lambda: is_up(first))
        sender.drop("dropped.txt", customers("D1", "D2", profile="dropped"))
        uploaded = program.upload(first, "uploaded.txt", customers("U1", "U2", profile="uploaded"))
        wait_until(lambda: ended(uploaded) and not sender.count_waiting())
        assert (status(uploaded), customers_in(maison, "uploaded"), customers_in(maison, "dropped")) == (
            "succeeded",
            2,
            2,
        )

        # The second one is killed in the middle of an import: the first one does it, from the start.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE connections_connection IN SHARE MODE")
            large = program.upload(first, "large.txt", customers(*many, profile="large"))
            wait_until(a_session_waits)
            second.kill()
            assert status(large) == "running"
        second.start("web")  # which is quickest to come back
        first.start("workers")
        async_task("imports.tasks.enqueue_due")  # as the schedule does once a minute
        wait_until(lambda: ended(large))
        assert (status(large), customers_in(maison, "large")) == ("succeeded", len(many))
        assert Change.objects.filter(run_id=large).count() == len(many)

        # What it held is released by the second one, when nothing is left of the first.
        held = program.upload(first, "held.txt", customers(*many, profile="held"))
        wait_until(lambda: ended(held))
        assert status(held) == "held"
        first.kill()
        shutil.rmtree(first.data)
        second.start("workers")
        wait_until(lambda: is_up(second))
        program.post(second, f"runs/{held}/release/")
        wait_until(lambda: customers_in(maison, "held") == len(many))
    released = Run.objects.get(released_from=held)
    assert (released.status, released.updated) == ("succeeded", len(many))
    assert Run.objects.applied().count() == 4
    assert Connection.objects.filter(account=maison).count() == len(many) + 4
