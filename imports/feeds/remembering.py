"""Remember: how the files looked that wait, so that two looks are compared whatever happens between them.

What is remembered stands with the feed, and its times are the database's, so a look counts for every worker, also
after a restart. A file is forgotten before it is imported: another one that looks like it must wait as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from accounts.times import iso_utc
from imports.models import Feed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.filesystems import RemoteFile

MOST_WAITING = 1000
"""Files of which a feed remembers how they looked."""


class Seen(NamedTuple):
    """How a file looks, and since when; `doubted` says that it waits for the pull after because of its end."""

    look: str
    since: datetime
    doubted: bool = False


class Memory:
    """What a feed remembers of the files that wait."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.stored = feed.waiting or {}
        self.changed: set[str] = set()
        """Those that looked otherwise at the look before."""
        self.seen = {
            path: Seen(one["look"], datetime.fromisoformat(one["since"]), one["doubted"])
            for path, one in self.stored.items()
            if isinstance(one, dict)  # the release before kept a text
        }

    def note(self, files: Iterable[RemoteFile]) -> None:
        """These wait, and look like this now; of all others nothing is remembered any more."""
        before, now = self.seen, None
        self.seen = {}
        for file in list(files)[:MOST_WAITING]:
            known = before.get(file.path)
            if known is None or known.look != _look(file):
                now = now or read_clock()
                self.changed |= {file.path} if known else set()
                known = Seen(_look(file), now)
            self.seen[file.path] = known
        self._save()

    def seconds_left(self, file: RemoteFile, looked_from: datetime) -> float:
        """For how many seconds the file must still keep its look, when it was looked at from a time on."""
        seconds = self.feed.settle_seconds
        if not seconds or (seen := self.seen.get(file.path)) is None:
            return seconds
        return min(seconds, max(0.0, seconds - (looked_from - seen.since).total_seconds()))

    def doubt(self, files: Iterable[RemoteFile]) -> None:
        """The pull after takes these, where they look the same then, whatever their ends say."""
        for file in files:
            if file.path in self.seen:
                self.seen[file.path] = self.seen[file.path]._replace(doubted=True)
        self._save()

    def is_doubted(self, file: RemoteFile) -> bool:
        """Whether it was doubted by a pull before, and looks the same since."""
        seen = self.seen.get(file.path)
        return seen is not None and seen.doubted

    def forget(self, file: RemoteFile) -> None:
        if self.seen.pop(file.path, None):
            self._save()

    def _save(self) -> None:
        now = {
            path: {"look": one.look, "since": iso_utc(one.since), "doubted": one.doubted}
            for path, one in self.seen.items()
        }
        if now != self.stored:
            self.stored = now
            Feed.objects.filter(pk=self.feed.pk).update(waiting=now or None)


def read_clock() -> datetime:
    """The database's, the one clock of all machines."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _look(file: RemoteFile) -> str:
    """How a file looks in a listing."""
    return f"{file.size} {file.modified_at and file.modified_at.isoformat()}"
