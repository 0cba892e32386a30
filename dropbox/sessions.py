"""Sessions: who is there, what they did, and how it ended, for the audit and for who has to leave."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.suspending import is_suspended
from accounts.watching import doing
from dropbox.errors import OutOfOrder
from dropbox.models import Login, Session
from imports.pipeline.claiming import worker_name

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

LEAVING_SECONDS = 5.0
LEFT = "the client left"
IDLE = "ended because nothing was asked for"
STOPPED = "ended because the server was stopped"
PUT_OUT = "ended because the login or its feed was paused, changed or removed"
CUT_OFF = "the connection was lost"
SENT_AWAY = "not let in"
LOST = "its server was ended from outside"


@dataclass(eq=False)
class Visit:
    """A session as its server knows it; `end` closes it from any thread."""

    row: int
    login: Login
    end: Callable[[str], None]
    active_at: float = field(default_factory=time.monotonic)
    ended: str = LEFT

    def touch(self) -> None:
        self.active_at = time.monotonic()

    def put_out(self, why: str) -> None:
        self.ended = why
        self.end(why)


_visits: set[Visit] = set()
_lock = threading.Lock()


def begin_session(login: Login, protocol: str, address: str, end: Callable[[str], None]) -> Visit:
    """Raises OutOfOrder where there are too many; that stands in the audit too."""
    row = Session(
        account=login.feed.account, login=login, user_name=login.user_name, protocol=protocol, address=address,
        server=worker_name(), refusal=_find_obstacle(login),
    )  # fmt: skip
    if row.refusal:
        row.ended_at, row.ended = timezone.now(), SENT_AWAY
    row.save()
    if row.refusal:
        raise OutOfOrder(row.refusal)
    visit = Visit(row.pk, login, end)
    with _lock:
        _visits.add(visit)
    return visit


def _find_obstacle(login: Login) -> str:
    if is_suspended():
        return "The server is closed for a while. Try again later."
    with _lock:
        here = len(_visits)
    if here >= settings.DROPBOX_SESSIONS:
        return "The server has as many sessions as it may have. Try again in a minute."
    if Session.objects.alive().filter(login=login).count() >= login.most_sessions:
        return f"{login} has {login.most_sessions} sessions at the same time, and may have no more."
    return ""


def end_session(visit: Visit) -> None:
    with _lock:
        _visits.discard(visit)
    now = timezone.now()
    Session.objects.filter(pk=visit.row, ended_at=None).update(ended_at=now, seen_at=Now(), ended=visit.ended)


def note(visit: Visit, *, files: int = 0, count: int = 0, fetched: int = 0, refusal: str = "") -> None:
    """What a client did, or was refused; `count` in bytes."""
    changes: dict[str, Any] = {
        "files": F("files") + files,
        "bytes": F("bytes") + count,
        "fetched": F("fetched") + fetched,
    }
    if refusal:
        changes["refusal"] = refusal
        login = visit.login
        with doing("refusal", account=login.feed.account.code, feed=login.feed_id, session=visit.row):
            log.info("The drop box refused %s: %s", login, refusal)
    Session.objects.filter(pk=visit.row).update(**changes)


def look_after() -> None:
    """Give signs of life of the sessions here, and end those that are idle or whose login may be here no longer."""
    with _lock:
        visits = list(_visits)
    idle_since = time.monotonic() - settings.DROPBOX_IDLE_SECONDS
    Session.objects.filter(pk__in=[visit.row for visit in visits]).update(seen_at=Now())
    logins = {login.pk: login for login in Login.objects.open().filter(pk__in={visit.login.pk for visit in visits})}
    for visit in visits:
        now = logins.get(visit.login.pk)
        if now is None or (now.password, now.public_keys) != (visit.login.password, visit.login.public_keys):
            visit.put_out(PUT_OUT)
        elif visit.active_at < idle_since:
            visit.put_out(IDLE)


def end_all() -> None:
    """Put everybody out, and wait until they are, for some seconds."""
    with _lock:
        visits = list(_visits)
    for visit in visits:
        visit.put_out(STOPPED)
    patience = time.monotonic() + LEAVING_SECONDS
    while _visits and time.monotonic() < patience:
        time.sleep(0.1)


def record_lost() -> None:
    """Sessions of servers that were killed."""
    Session.objects.lost().update(ended_at=F("seen_at"), ended=LOST)
