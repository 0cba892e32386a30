"""Sessions: how many there may be, and who has to leave."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from dropbox.errors import Refused
from dropbox.models import Login, Session
from dropbox.sessions import IDLE, PUT_OUT, STOPPED, begin_session, end_all, end_session, look_after, note, record_lost
from imports.models import Feed
from tests.builders import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def login():
    feed = Feed.objects.create(account=make_account("maison"), name="erp", protocol="dropbox")
    return Login.objects.create(feed=feed, user_name="maison-erp", password=make_password("x"))


@pytest.fixture
def begin(login):
    begun = []

    def begin():
        reasons: list[str] = []
        visit = begin_session(Login.objects.select_related("feed__account").get(), "SFTP", "::1", reasons.append)
        begun.append(visit)
        return visit, reasons

    yield begin
    for visit in begun:
        end_session(visit)


def test_whoever_asks_for_nothing_has_to_leave(begin, settings):
    (idle, idle_told), (busy, busy_told) = begin(), begin()
    idle.active_at -= settings.DROPBOX_IDLE_SECONDS + 1
    look_after()
    assert (idle_told, busy_told) == ([IDLE], [])
    busy.touch()
    end_session(idle)
    assert Session.objects.exclude(ended_at=None).get().ended == IDLE


@pytest.mark.parametrize(
    "change",
    [
        lambda: Login.objects.update(enabled=False),
        lambda: Login.objects.update(password=make_password("y")),
        lambda: Login.objects.update(public_keys="ssh-ed25519 AAAA"),
        lambda: Feed.objects.update(enabled=False),
        lambda: Feed.objects.update(protocol="ftp"),
        lambda: Feed.objects.all().delete(),
    ],
    ids=["login paused", "password changed", "keys changed", "feed paused", "protocol changed", "feed removed"],
)
def test_whose_login_is_not_what_it_was_has_to_leave(begin, change):
    _, told = begin()
    look_after()
    assert told == []
    change()
    look_after()
    assert told == [PUT_OUT]


def test_there_are_so_many_sessions_of_a_login_and_of_a_server(begin, settings):
    Login.objects.update(most_sessions=1)
    begin()
    with pytest.raises(Refused, match="maison-erp has 1 sessions at the same time, and may have no more"):
        begin()
    Login.objects.update(most_sessions=9)
    settings.DROPBOX_SESSIONS = 1
    with pytest.raises(Refused, match="as many sessions as it may have"):
        begin()
    refused = Session.objects.filter(ended="not let in").exclude(ended_at=None).order_by("pk")
    assert [one.refusal.split()[0] for one in refused] == ["maison-erp", "The"]


def test_another_clock_makes_nobody_lost(begin, monkeypatch):
    """Of two machines with a drop box each."""
    begin()
    late = timezone.now() + timedelta(minutes=10)
    with monkeypatch.context() as patched:
        patched.setattr(timezone, "now", lambda: late)
        look_after()
        record_lost()
    record_lost()
    assert Session.objects.get().ended_at is None


def test_what_was_done_is_recorded(begin):
    visit, _ = begin()
    note(visit, files=1, count=10)
    note(visit, files=1, count=5, fetched=2)
    note(visit, refusal="no")
    session = Session.objects.get()
    assert (session.files, session.bytes, session.fetched, session.refusal) == (2, 15, 2, "no")


def test_when_the_server_stops_everybody_is_told(begin, monkeypatch):
    monkeypatch.setattr("dropbox.sessions.LEAVING_SECONDS", 0)
    _, told = begin()
    end_all()
    assert told == [STOPPED]
