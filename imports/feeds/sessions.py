"""Sessions: so many on a host and no more, whoever opens them, and one for several feeds of a login.

A place on a host is an advisory lock of the database session, so it ends with the process that holds it. A worker keeps
a session where nothing went wrong in it, and as long as it pulls feeds in a row.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings as project
from django.db import Error, connection
from django.utils import timezone

from imports.errors import TryAgainLater
from imports.filesystems import open_server
from imports.models import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.filesystems import Server, ServerSettings

PATIENCE = 60
"""Seconds that somebody at a terminal waits for a place on a host."""
LOOK = 0.5
BUSY_AGAIN = timedelta(seconds=2)
"""When a worker takes a feed again for which its host had no place."""


class HostBusy(TryAgainLater):
    """As many sessions on the host are open as there may be."""


class Sessions:
    """Those of one feed, or of several in a row where it `keeps` them: one at a time, on one host."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.keeps = keeps
        self.reused = False
        """Whether the session that was opened last had been used by another feed before."""
        self._clean = False
        self._place = self._host = ""
        self._kept: tuple[ServerSettings, Server] | None = None
        self._opened = contextlib.ExitStack()

    @property
    def has_place(self) -> bool:
        return bool(self._place)

    def name_places(self, feed: Feed) -> str:
        """How the places on the feed's host begin, one of which is to be held before a session is opened; "" where it
        has no host, or one is held.
        """
        host = feed.host.casefold()
        if self._place and host == self._host:
            return ""
        self.close()
        self._host = host
        return f"customersync.host.{host}." if host else ""

    def hold(self, place: str | None) -> None:
        """The place is this session's of the database now; None for no other than before."""
        self._place = place or self._place

    def wait_for_place(self, feed: Feed, since: float, *, patient: bool) -> None:
        """Wait a moment, as the host has no place since a time of the monotonic clock. Raises HostBusy: for the
        `patient` after PATIENCE, else at once, and the feed waits in the queue for a moment.
        """
        if patient and time.monotonic() - since < PATIENCE:
            time.sleep(LOOK)
            return
        if not patient:
            Feed.objects.filter(pk=feed.pk).update(queued_at=timezone.now() + BUSY_AGAIN)
        raise HostBusy(
            f"As many sessions on {self._host} are open as FEED_SESSIONS_PER_HOST allows "
            f"({project.FEED_SESSIONS_PER_HOST}). The feed is pulled when one of them has ended."
        )

    def leave(self) -> list[str]:
        """The place that was held, to be given back."""
        place, self._place = self._place, ""
        return [place] if place else []

    @contextlib.contextmanager
    def open(self, settings: ServerSettings) -> Iterator[Server]:
        """A session on a server, as `open_server` opens one, or the one that was kept of the same login.

        It is kept in its turn when the block says by `keep` that all went well.
        """
        login = replace(settings, feed=None)
        kept, self._kept, self._clean = self._kept, None, False
        self.reused = kept is not None and kept[0] == login and kept[1].forget()
        if kept is not None and self.reused:
            server = kept[1]
        else:
            self._opened.close()
            server = self._opened.enter_context(open_server(settings))
        try:
            yield server
        finally:
            if self._clean and self.keeps:
                self._kept = login, server
            else:
                self._opened.close()

    def keep(self) -> None:
        """The session that is open is in order, and may be used again."""
        self._clean = True

    def close(self) -> None:
        """End what was kept, and leave the host to others."""
        self._kept = None
        self._opened.close()
        give_back(*self.leave())


def give_back(*keys: str) -> None:
    """End claims of this session of the database; a lost session has given them back already."""
    if keys:
        with contextlib.suppress(Error), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_unlock(hashtextextended(key, 0)) FROM unnest(%s::text[]) key", [list(keys)]
            )
