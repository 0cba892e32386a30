"""Remember: how the files looked that wait, so that two looks are compared whatever happens between them.

What is remembered stands with the feed, and its times are the database's, so a look counts for every worker, also
after a restart. A file is forgotten before it is imported: another one that looks like it must wait as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from accounts.times import iso_utc
from imports.models import Feed
from imports.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.filesystems import RemoteFile

MOST_WAITING = 1000
"""Files of which a feed remembers how they looked."""


FEWEST_TRIES = 3
"""So many pulls may find a file still being written before anybody is told, however soon the feed tells of failures."""


class Seen(NamedTuple):
    """How a file looks, and since when; `doubted` says that it waits for the pull after because of its end.

    `tries` pulls in a row did not get it whole, the first of them at `tried_from`.
    """

    look: str
    since: datetime
    doubted: bool = False
    tries: int = 0
    tried_from: datetime | None = None

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Seen:
        times: dict[str, Any] = {
            name: datetime.fromisoformat(stored[name]) for name in ("since", "tried_from") if name in stored
        }
        return cls(**{**stored, **times})

    def dump(self) -> dict[str, Any]:
        said: dict[str, Any] = {"look": self.look, "since": iso_utc(self.since), "doubted": self.doubted}
        if self.tried_from:
            said |= {"tries": self.tries, "tried_from": iso_utc(self.tried_from)}
        return said


class Memory:
    """What a feed remembers of the files that wait."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.stored = feed.waiting or {}
        self.changed: set[str] = set()
        """Those that looked otherwise at the look before."""
        self.seen = {
            path: Seen.load(one)
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
                tries = (known.tries, known.tried_from) if known else (0, None)
                known = Seen(_look(file), now, False, *tries)
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

    def has_tried(self, file: RemoteFile) -> bool:
        seen = self.seen.get(file.path)
        return seen is not None and bool(seen.tries)

    def count_try(self, file: RemoteFile, why: str) -> str:
        """Remember that one more pull did not get a file whole; returns what to say of that once it is no accident."""
        now = read_clock()
        seen = self.seen.get(file.path) or Seen(_look(file), now)
        since = seen.tried_from or now
        self.seen[file.path] = seen = seen._replace(tries=seen.tries + 1, tried_from=since)
        self._save()
        if seen.tries < max(self.feed.alert_after, FEWEST_TRIES):
            return ""
        return (
            f"{one_line(file.path)} was not whole at any of {seen.tries} pulls in a row since "
            f"{since:%Y-%m-%d %H:%M} UTC. {why.removeprefix('Waits: ')} Have its sender write it under another name "
            "and rename it once it is whole, or take it away."
        )

    def forget(self, file: RemoteFile) -> None:
        if self.seen.pop(file.path, None):
            self._save()

    def _save(self) -> None:
        now = {path: one.dump() for path, one in self.seen.items()}
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
