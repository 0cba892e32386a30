"""Programs that follow the changes, while transactions commit in another order than they began."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from connections.history.following import Place, read_on
from connections.history.stamping import take_stamp, take_watermark
from connections.models import Change
from tests.api.conftest import Program
from tests.builders import add_member, make_account, make_change, make_connection, make_user


class Writer:
    """Writes a change in a session of its own, and commits when it is told to."""

    def __init__(self, connection):
        self.connection = connection
        self.written, self.commit = threading.Event(), threading.Event()
        self.pk = 0
        self.thread = threading.Thread(target=self._write)
        self.thread.start()
        assert self.written.wait(60)

    def _write(self):
        with closing(database), transaction.atomic():
            at = take_stamp([self.connection.account_id])
            self.pk = make_change(self.connection, at=at).pk
            self.written.set()
            self.commit.wait(60)

    def end(self):
        self.commit.set()
        self.thread.join()
        return self.pk


class Follower:
    """Reads one change a page, so that every place between two is one where it stops."""

    def __init__(self, account):
        self.account, self.place, self.told = account, Place.parse("0"), []

    def read(self):
        more = True
        while more:
            watermark = take_watermark(self.account.pk)
            changes = Change.objects.filter(account=self.account)
            page, self.place, more = read_on(changes, Place.parse(str(self.place)), watermark, 1)
            self.told += [change.pk for change in page]
        return self.told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_whatever_commits_when_every_change_is_told_once(order):
    account, other = make_account("maison"), make_account("atelier")
    writers = [Writer(make_connection(account, f"C{number}")) for number in range(3)]
    elsewhere = Writer(make_connection(other))
    follower = Follower(account)
    assert follower.read() == []
    for number in order:
        writers[number].end()
        follower.read()
        assert len(set(follower.told)) == len(follower.told)
    pks = sorted(writer.pk for writer in writers)
    assert sorted(follower.read()) == pks, "the open transaction of another account holds nothing back"
    late = Writer(make_connection(account, "C9"))
    assert late.end() == follower.read()[-1]
    assert len(follower.told) == 4
    elsewhere.end()


@pytest.mark.django_db(transaction=True)
def test_what_is_held_back_comes_with_what_held_it():
    account = make_account("maison")
    first, second = (Writer(make_connection(account, code)) for code in ("C1", "C2"))
    follower = Follower(account)
    second.end()
    assert follower.read() == [], "a change that was stamped before may still be committed"
    first.end()
    assert follower.read() == [first.pk, second.pk]


@pytest.mark.django_db
def test_a_program_begins_at_the_newest_page_or_at_the_beginning():
    account, rosa = make_account("maison"), make_user("rosa")
    add_member(account, rosa)
    connection, ask = make_connection(account), Program(rosa)
    past = datetime.now(tz=UTC) - timedelta(days=1)
    known = [make_change(connection, at=past, run_id=run).pk for run in (None, 7, 7)]

    def read(query):
        answer = ask("get", f"accounts/maison/changes/{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    newest = read("")
    assert [change["id"] for change in newest["results"]] == known[::-1]
    assert read(f"?after={newest['after']}")["results"] == []
    page = read("?after=0&page_size=2")
    assert [change["id"] for change in page["results"]] == known[:2]
    assert page["after"] in page["next"]
    assert page["previous"] is None
    last = read(f"?after={page['after']}&page_size=2")
    assert ([change["id"] for change in last["results"]], last["next"]) == (known[2:], None)
    assert [change["id"] for change in read("?after=0&run=7")["results"]] == known[1:]


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["x", "-1", "1-", "1-2-3", "9" * 19, "9" * 18, "1.5", "2026-01-31T00:00:00Z"])
def test_what_is_no_place_is_refused(after):
    account, rosa = make_account("maison"), make_user("rosa")
    add_member(account, rosa)
    answer = Program(rosa)("get", f"accounts/maison/changes/?after={after}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "after")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1)), st.integers(0, 2**53))  # noqa: DTZ001  (made aware)
def test_a_place_is_what_it_was_when_it_comes_back(at, number):
    place = Place(at.replace(tzinfo=UTC), number)
    assert Place.parse(str(place)) == place
