"""Take: what lies in a feed's folder → runs, one file after the other, which are moved away then."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.suspending import is_suspended, say_suspended
from imports.choosing import find_version_of_feed
from imports.errors import SettingsWrong, TryAgainLater
from imports.feeds.archiving import Mover
from imports.feeds.fetching import Candidate, FileUnsettled, Step, fetch_file, list_candidates, list_folder
from imports.feeds.omitting import Omitted, list_omitted, note_omitted, say_omitted
from imports.feeds.outbox import write_outbox
from imports.feeds.remembering import Memory, read_clock
from imports.feeds.settling import compare_with_marker, explain_end
from imports.filesystems import FileVanished, ServerUnreachable
from imports.filesystems.markers import SETTLED
from imports.formats.spec import STANDARD
from imports.models import Feed, Pull, Run
from imports.pipeline import ImportRequest, Origin, import_file
from imports.wording import one_line

if TYPE_CHECKING:
    from imports.feeds.fetching import FetchedFile
    from imports.feeds.sessions import Sessions
    from imports.filesystems import RemoteFile, Server
    from imports.formats.spec import FormatSpec
    from imports.pipeline.beating import Progress

LONGEST_PULL = 25 * 60
"""Seconds after which a pull begins no further file and leaves the rest to the next one, which follows at once."""
LONGEST_IDLE = 60
"""Seconds that a session on a server may lie idle while a file is imported; after that, a new one is opened."""
UNSETTLED_AGAIN = timedelta(minutes=5)
"""When to look again for a file that was seen to change, or whose end speaks against it."""


@dataclass
class Taker:
    """Takes files in one pull, and says what it waits for and when to look again."""

    pull: Pull
    patient: bool
    progress: Progress
    sessions: Sessions
    again_at: datetime | None = None
    goes_on: bool = False
    """Whether that is for what this pull began, rather than to try once more."""
    waits: str = ""
    never_whole: str = ""
    omits: str = ""
    started: float = field(default_factory=time.monotonic)
    taken: set[int] = field(default_factory=set)
    taken_paths: set[str] = field(default_factory=set)
    """In one case."""
    listed: set[str] = field(default_factory=set)
    session: Any = field(default_factory=lambda: connection.connection)
    """Of the database: the feed's claim is held by it and lost with it."""

    def __post_init__(self) -> None:
        self.mover = Mover(self.feed)
        self.memory = Memory(self.feed)
        self.candidates: list[Candidate] = []

    @property
    def feed(self) -> Feed:
        return self.pull.feed

    @property
    def message(self) -> str:
        """What whoever reads of a pull that went well should know."""
        return " ".join(filter(None, [self.waits, self.mover.message, self.omits]))

    def go(self) -> None:
        path = Path(settings.MEDIA_ROOT, "incoming", str(self.feed.pk))
        try:
            while self._use_session(path):
                pass
            self.mover.record()
            if self.never_whole:
                raise SettingsWrong(self.never_whole)
        finally:
            if path.is_file():
                path.unlink()

    def _use_session(self, path: Path) -> bool:
        """Do what there is to do in one session on the server; whether another one is needed."""
        try:
            return self._look_and_take(path)
        except ServerUnreachable:
            if self.sessions.reused:  # which may have been ended by then
                return True
            raise

    def _look_and_take(self, path: Path) -> bool:
        with self.sessions.open(self.feed.server) as server:
            self.to_move: list[tuple[Run, Candidate]] = []
            for candidate in self._look(server):
                if not self._may_go_on(candidate):
                    break
                try:
                    lay_idle = self._handle(server, candidate, path)
                except FileUnsettled as error:
                    self.waits = str(error)
                    self._look_again(UNSETTLED_AGAIN)
                    self.never_whole = self.memory.count_try(candidate.file, self.waits)
                    break
                except FileVanished:
                    if candidate.file.path.casefold() not in self.taken_paths:
                        raise
                    continue  # it is one that was taken, and is listed in two cases
                if lay_idle > LONGEST_IDLE or self.mover.lost:
                    self.mover.lost = False
                    return True
            self._move_left_overs(server)
            if self.pull.imported or self.pull.has_outbox:
                write_outbox(server, self.feed, until=self.started + LONGEST_PULL)
            if not self.mover.problem:
                self.sessions.keep()
        return False

    def _move_left_overs(self, server: Server) -> None:
        """Move what was imported and still lies there, once nothing waits to be imported any more."""
        if self.pull.imported or self.pull.has_left_overs:
            self.mover.settle_left_overs(server, self.listed)
        for run, candidate in self.to_move:
            if self._lasts_too_long():
                return
            self._archive(server, run, candidate)
        if self.mover.passing:
            self._look_again(UNSETTLED_AGAIN)

    def _look(self, server: Server) -> list[Candidate]:
        """The files to take or to move away, in order, up to the first that may still be being written.

        Whoever is patient waits for it here; for anybody else the feed waits in the queue.
        """
        settled, left = self._look_from(server, self.pull.claimed_at)
        if left and self.patient:
            time.sleep(left)
            settled, left = self._look_from(server, read_clock())
        if left:
            file = self.candidates[len(settled)].file
            changed = file.path in self.memory.changed
            said = "changed between two looks" if changed else "is new, and must be the same at a second look"
            self.waits = f"Waits: {one_line(file.name)} {said}; later files wait behind it."
            if changed:
                self._look_again(UNSETTLED_AGAIN)
                self.never_whole = self.memory.count_try(file, self.waits)
            else:
                self._go_on(timedelta(seconds=left))
        return settled

    def _look_from(self, server: Server, began: datetime) -> tuple[list[Candidate], float]:
        """The same, looked at from a time on, and how many seconds the first of the others must wait; 0 for none."""
        files = list_folder(server, self.feed)
        self.listed = {file.path for file in files}
        self.candidates = list_candidates(self.feed, files)
        unready = [Omitted(one.file, one.reason) for one in self.candidates if one.step == Step.UNREADY]
        omitted = note_omitted(self.feed, [*unready, *list_omitted(self.feed, files)])
        self.pull.listed, self.pull.omitted, self.omits = len(self.candidates), len(omitted), say_omitted(omitted)
        if any(one.step not in (Step.WAIT, Step.UNREADY, Step.LEAVE) for one in self.candidates):
            self._give_sign_of_life()
        if server.lists_whole_files or self.feed.ready_when != SETTLED:
            self.memory.note([one.file for one in self.candidates if self.memory.has_tried(one.file)])
            return self.candidates, 0
        waiting = {one.file.path for one in self.candidates if one.step in (Step.TAKE, Step.COMPARE)}
        self.memory.note(one.file for one in self.candidates if one.file.path in waiting)
        for index, candidate in enumerate(self.candidates):
            if candidate.file.path in waiting and (left := self.memory.seconds_left(candidate.file, began)):
                return self.candidates[:index], left
        return self.candidates, 0

    def _may_go_on(self, candidate: Candidate) -> bool:
        """Whether the candidate's turn has come, or it and all behind it wait."""
        if self._lasts_too_long():
            self._go_on(timedelta())
            return False
        if candidate.step in (Step.ARCHIVE, Step.LEAVE):
            return True
        if is_suspended():
            self.waits = say_suspended()
            self._go_on(timedelta())
            return False
        if self.feed.while_held == Feed.WhileHeld.WAIT and (held := self.feed.runs.blocking().last()):
            self.waits = f"Waits for a decision about {one_line(str(held))}; later files wait behind it."
            return False
        if self.pull.imported >= self.feed.most_files:
            self._go_on(timedelta())
            return False
        return True

    def _handle(self, server: Server, candidate: Candidate, path: Path) -> float:
        """Do what is to be done with one file; returns for how many seconds the session lay idle."""
        file, run, step, *_ = candidate
        if step in (Step.LEAVE, Step.WAIT, Step.UNREADY):
            return 0
        if run is None or step == Step.TAKE:
            fetched = self._fetch(server, file, path)
        elif (another := self._fetch_another(server, candidate, run, path)) is not None:
            fetched = another
        else:
            return 0
        return self._take(server, candidate, fetched)

    def _fetch(self, server: Server, file: RemoteFile, path: Path) -> FetchedFile:
        return fetch_file(server, file, path, self.feed.most_bytes)

    def _fetch_another(self, server: Server, candidate: Candidate, run: Run, path: Path) -> FetchedFile | None:
        """What lies where the file of a run lay, if it is another one; the run's own is left, or to be moved away."""
        file = candidate.file
        moves = self.feed.after_import == Feed.AfterImport.MOVE and not run.awaits_decision
        if moves and run.pk in self.taken:
            self.to_move.append((run, candidate))
            return None
        moved = moves and self.mover.has_moved(server, run, file.name)
        if moved:
            return self._fetch(server, file, path) if server.look_at(file.path) is not None else None
        if self.mover.lost:
            return None
        if candidate.step == Step.COMPARE or moved is None:
            fetched = self._fetch(server, file, path)
            if fetched.sha256 != run.sha256:
                if moves:
                    self.mover.has_moved(server, run, file.name, is_replaced=True)
                return fetched
            run.compared_at, run.remote_modified_at = timezone.now(), file.modified_at
            run.save(update_fields=["compared_at", "remote_modified_at"])
        if moves:
            self.to_move.append((run, candidate))
        return None

    def _make_sure(self, server: Server, candidate: Candidate, fetched: FetchedFile, spec: FormatSpec) -> None:
        """Raise FileUnsettled or MarkerDiffers where a file may not be whole. One that is empty or ends within a line
        waits for the next pull, with all behind it, unless it was the same at the one before.
        """
        file = candidate.file
        if candidate.marker is not None:
            compare_with_marker(server, self.feed, file, candidate.marker, fetched, spec)
        if self.feed.ready_when != SETTLED or server.lists_whole_files or self.memory.is_doubted(file):
            return
        if problem := explain_end(self.feed, fetched, file.size, spec):
            self.memory.doubt(one.file for one in self.candidates if one.step == Step.TAKE)
            raise FileUnsettled(
                f"Waits: {one_line(file.name)} {problem}, so it may not be whole. The next pull takes it if it is the "
                "same then; later files wait behind it."
            )

    def _take(self, server: Server, candidate: Candidate, fetched: FetchedFile) -> float:
        """Import a downloaded file, and move it away where that is decided and wanted."""
        feed, file = self.feed, candidate.file
        version = find_version_of_feed(feed)
        self._make_sure(server, candidate, fetched, version.to_spec() if version else STANDARD)
        self.memory.forget(file)
        self._give_sign_of_life()
        began = time.monotonic()
        request = ImportRequest(
            account=feed.account,
            path=fetched.path,
            version=version,
            origin=Origin(
                file_name=file.name,
                feed=feed,
                remote_path=file.path,
                remote_size=file.size,
                remote_modified_at=file.modified_at,
                sha256=fetched.sha256,
            ),
            patient=self.patient,
        )
        run = import_file(request, progress=self.progress)
        if connection.connection is not self.session:
            raise TryAgainLater(f"The database session was lost while {run} ended. The pull goes on later.")
        idle = time.monotonic() - began
        self.taken.add(run.pk)
        self.taken_paths.add(file.path.casefold())
        self.pull.imported += 1
        Feed.objects.filter(pk=feed.pk).update(file_at=timezone.now())
        self._give_sign_of_life()
        if run.status != Run.Status.HELD and idle <= LONGEST_IDLE:
            self._archive(server, run, candidate)
        return idle

    def _archive(self, server: Server, run: Run, candidate: Candidate) -> None:
        if candidate.marker is not None:
            self.mover.move_marker(server, run, candidate.marker)
        if not self.mover.move(server, run, candidate.file):
            self._go_on(timedelta())

    def _lasts_too_long(self) -> bool:
        return time.monotonic() - self.started > LONGEST_PULL

    def _go_on(self, delay: timedelta) -> None:
        self.goes_on = True
        self._look_again(delay)

    def _look_again(self, delay: timedelta) -> None:
        at = timezone.now() + delay
        self.again_at = min(at, self.again_at or at)

    def _give_sign_of_life(self) -> None:
        self.pull.heartbeat_at = timezone.now()
        self.pull.save(update_fields=["heartbeat_at", "listed", "omitted", "imported"])
