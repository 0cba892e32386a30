"""Replica: a copy of the database that lists and exports are read from, where `REPLICA_URL` names one.

Nobody is shown less than was there when they asked: a replica that has not come as far within a moment, or does not
answer, is passed over, and the database itself is read. So who saves something and looks finds it, and a program that
polls misses nothing. Users, rights, sessions, and whatever is read to be written, are never read from a replica.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, Error, connections, router

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

REPLICA = "replica"
"""Its name among the databases."""
APPS = {"connections", "dropbox", "imports", "lookups"}
"""Whose rows may come from it."""
PATIENCE = 0.2
"""Seconds that a replica gets to come as far as the database is."""
PAUSE = 0.01
_is_read: ContextVar[bool] = ContextVar("_is_read", default=False)


class Router:
    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        may = _is_read.get() and model._meta.app_label in APPS
        return REPLICA if may and not connections[DEFAULT_DB_ALIAS].in_atomic_block else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Who writes reads what was written."""
        if model._meta.app_label in APPS:
            _is_read.set(False)
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


def read_from(model: type[Model]) -> BaseDatabaseWrapper:
    """The session for a query of one's own that reads rows of the model."""
    return connections[router.db_for_read(model)]


@contextmanager
def reading_replica() -> Iterator[None]:
    """Read from the replica until the end of the block, or until something is written in it."""
    before = _is_read.set(REPLICA in connections.databases)
    try:
        catch_up()
        yield
    finally:
        _is_read.reset(before)


def catch_up() -> None:
    """Read no less from here on than what is committed by now; nothing happens where no replica is read."""
    if _is_read.get():
        _is_read.set(_has_come_as_far())


def _has_come_as_far() -> bool:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        # On the disk, as is every commit before anybody sees it; what open transactions write may come later.
        cursor.execute("SELECT pg_current_wal_flush_lsn()::text")
        (place,) = cursor.fetchone()
    until = time.monotonic() + PATIENCE
    try:
        with connections[REPLICA].cursor() as cursor:
            while True:
                cursor.execute("SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= %s::pg_lsn", [place])
                if cursor.fetchone()[0]:
                    return True
                if time.monotonic() > until:
                    logger.info("The replica is behind; the database is read instead.")
                    return False
                time.sleep(PAUSE)
    except Error as error:
        logger.warning("The replica does not answer; the database is read instead: %s", error)
        return False


class ReadReplica:
    """Middleware: lists of the admin and of the API, and exports, are read from the replica, to their last cell."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        before = _is_read.set(False)
        try:
            return self.get_response(request)
        finally:
            _is_read.reset(before)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if _is_list(request, view) or _is_export(request):
            _is_read.set(REPLICA in connections.databases)
            catch_up()


def _is_list(request: HttpRequest, view: Any) -> bool:
    if request.method not in ("GET", "HEAD"):
        return False
    name = request.resolver_match.url_name if request.resolver_match else ""
    return (name or "").endswith("_changelist") or getattr(view, "actions", {}).get("get") == "list"


def _is_export(request: HttpRequest) -> bool:
    name = request.resolver_match.url_name if request.resolver_match else ""
    return (name or "").endswith("_export")
