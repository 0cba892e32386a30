"""Probe: what a pull does to a feed's server is tried with a file of our own, which is removed again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from imports.errors import SettingsWrong, TryAgainLater
from imports.feeds.archiving import make_folders
from imports.feeds.fetching import join
from imports.filesystems import UNFINISHED
from imports.models import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from imports.filesystems import Server

CONTENT = b"Customer Sync tried whether it may write here. This file may be deleted.\n"


class Trial(NamedTuple):
    """Something that was tried, and why it cannot be done; `needed` by a pull."""

    what: str
    problem: str
    needed: bool = True


def probe_feed(server: Server, feed: Feed) -> list[Trial]:
    """Make the folders that pulls need; write, rename and remove a file whose name no feed takes."""
    probe = _Probe(server, feed)
    name = f"customersync-probe-{secrets.token_hex(4)}.tmp"
    if feed.after_import == Feed.AfterImport.MOVE:
        probe.move_through(name, [feed.processed_folder, feed.failed_folder])
    if feed.outbox_folder:
        probe.write(join(feed.folder, feed.outbox_folder, name))
    probe.remove()
    return probe.trials


@dataclass
class _Probe:
    server: Server
    feed: Feed
    trials: list[Trial] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def move_through(self, name: str, folders: list[str]) -> None:
        place = join(self.feed.folder, name)
        targets = [join(self.feed.folder, folder, name) for folder in folders]
        made = [self._make_folder(target) for target in targets]
        if not all(made) or not self.write(place):
            return
        for target in targets:
            if not self._try(f"rename a file to {target}", partial(self.server.rename, place, target)):
                return
            self.written[-1] = place = target

    def write(self, path: str) -> bool:
        if not self._make_folder(path):
            return False
        self.written.append(path + UNFINISHED)
        done = self._try(f"write {path}", lambda: self.server.write_file(path, CONTENT))
        if done:
            self.written[-1] = path
        return done

    def remove(self) -> None:
        """What may never have been written is not missed."""
        for path in self.written:
            if self.server.look_at(path) is not None:
                self._try(f"remove {path}", partial(self.server.remove, path), needed=False)

    def _make_folder(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        if folder == self.feed.folder:
            return True
        return self._try(f"make the folder {folder}", lambda: make_folders(self.server, self.feed.folder, path))

    def _try(self, what: str, work: Callable[[], None], *, needed: bool = True) -> bool:
        """Whether it went well; a trial that is already among the others is not told twice."""
        problem = ""
        try:
            work()
        except (SettingsWrong, TryAgainLater) as error:
            problem = str(error)
        trial = Trial(what, problem, needed)
        if trial not in self.trials:
            self.trials.append(trial)
        return not problem
