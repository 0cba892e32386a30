"""End: how a run ended is recorded once, with what is told of it; it is looked up where a commit is not answered."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.outages import describe_failure, find_full_disk, is_disk_full
from imports.errors import FileHeld, FileRejected, HeldFor, Problem, SettingsWrong, TryAgainLater
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.pipeline.claiming import end_session
from imports.pipeline.deciding import decide
from imports.pipeline.issues import group_issues, store_issues
from imports.pipeline.timing import BEGINNING, Steps, tell_end
from imports.queueing import enqueue_search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

STOPS = (KeyboardInterrupt, SystemExit, TryAgainLater)
"""Reasons to end a run that say nothing of its file: an uploaded one is imported again by itself."""
OUTSIDE = (*STOPS, SettingsWrong, OSError)
"""Reasons to fail that do not lie in the file."""


class Release(NamedTuple):
    """A held run that a person lets go on, who does, and why."""

    held: Run
    decided_by: str
    reason: str = ""


@dataclass
class Ending:
    """How a run comes to its end, whatever happens. `name_copy` names the copy of its file in the run."""

    run: Run
    path: Path
    keep: bool
    release: Release | None
    name_copy: Callable[[], None]
    started: float = field(default_factory=time.perf_counter)
    further: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """The issues that the run does not keep, by severity, code and field."""
    session: int = field(default_factory=lambda: connection.connection.info.backend_pid)
    steps: Steps = field(default_factory=Steps)
    is_rehearsal: bool = field(default_factory=lambda: connection.in_atomic_block)
    """Whether the run is within a transaction of others, who take it back with all they try."""

    def __post_init__(self) -> None:
        self.kept_before = self.run.kept_file_id

    @property
    def lifts_limits(self) -> bool:
        """Whether a person has let the file go on, whatever the limits say; one that failed is judged as any other.

        Of a replay, the whole file was judged when it came.
        """
        if self.release is None:
            return self.run.replays_id is not None
        return self.release.held.held_for != HeldFor.FAILURES

    @property
    def is_over(self) -> bool:
        return self.run.status not in (Run.Status.QUEUED, Run.Status.RUNNING)

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """What ends the block is recorded in the run, and told in the log; what comes after changes nothing of it.

        Raises TryAgainLater when the database gives up, saying what is true of the run then.
        """
        self.steps.enter(BEGINNING)
        try:
            with self._recording():
                yield
        finally:
            self.steps.enter("")
            if not self.is_rehearsal:
                tell_end(self.run, self.steps)

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        try:
            try:
                yield
            except FileRejected as rejection:
                self._reject(rejection)
            except FileHeld as hold:
                self._hold(hold)
        except Error as error:
            problem = describe_failure(error)
            if self.is_over:
                raise TryAgainLater(f"{self.run} ended as {self.run.status}, but then: {problem}") from error
            if is_disk_full(error):
                logger.error("%s failed.", self.run, exc_info=error)
            self._fail(problem, again=True, counts=not is_disk_full(error))
            raise TryAgainLater(f"{self.run.message} Nothing was applied; try again.") from error
        except BaseException as error:
            if self.is_over:
                if isinstance(error, KeyboardInterrupt):
                    raise KeyboardInterrupt(f"{self.run} ended as {self.run.status} before it was stopped.") from None
                raise
            again = isinstance(error, STOPS) or find_full_disk(error) is not None
            self._fail(_describe_stop(error), again=again, counts=not isinstance(error, OUTSIDE))
            raise

    @contextlib.contextmanager
    def committing(self) -> Iterator[None]:
        """A transaction that ends with the run. Where the answer to its commit is lost, the run is looked up.

        Raises TryAgainLater when it cannot be looked up.
        """
        is_complete = False
        try:
            with transaction.atomic():
                yield
                is_complete = True
        except BaseException as error:
            self.run.status = Run.Status.RUNNING
            if not is_complete or connection.in_atomic_block or not self._look_up() or not isinstance(error, Error):
                raise

    def _look_up(self) -> bool:
        """Whether the run has ended, as a new session sees it once the old one is gone for certain."""
        try:
            connection.close()
            with transaction.atomic():
                return self._is_over_in_database()
        except Error as error:
            raise TryAgainLater(
                f"The database gave up while {self.run} was being committed, and cannot be asked how it ended: "
                f"{str(error).splitlines()[0]} Look at the run before you import its file again."
            ) from error

    def _is_over_in_database(self) -> bool:
        """Whether the run has ended or was given to somebody else; if so, it is read anew. Its row is locked.

        A session that was lost is ended first, so that nothing of it is still on its way.
        """
        with connection.cursor():
            if connection.connection.info.backend_pid != self.session:
                end_session(self.run.account_id, self.session)
        stored = Run.objects.select_for_update(of=("self",)).filter(pk=self.run.pk).first()
        if stored is None or (stored.status == Run.Status.RUNNING and stored.started_at == self.run.started_at):
            return False
        self.run.refresh_from_db()
        return True

    def finish(self, status: Run.Status) -> None:
        """Record how the run ended, what was decided by it, and what is to be told of it; within a transaction."""
        self.run.status = status
        self.run.finished_at = timezone.now()
        self.run.seconds = self.elapsed()
        self.run.issue_groups = group_issues(self.run, self.further)
        if not self._came_to_nothing:
            self.name_copy()
        if self.release and not self._came_to_nothing:
            decide(self.release.held, Run.Decision.RELEASED, self.release.decided_by, self.release.reason)
        self.run.save()
        tell_of_run(self.run)
        is_merged = status in (Run.Status.SUCCEEDED, Run.Status.PARTIAL) and not self.run.dry_run
        if is_merged and (self.run.created or self.run.updated):
            enqueue_search(self.run.account_id)

    @property
    def _came_to_nothing(self) -> bool:
        return self.run.status in (Run.Status.FAILED, Run.Status.QUEUED)

    def elapsed(self) -> float:
        return round(time.perf_counter() - self.started, 3)

    def _reject(self, rejection: FileRejected) -> None:
        """Record that nothing of the file was applied, and why."""
        problem = Problem(
            code=rejection.code,
            message=rejection.message,
            line=rejection.line,
            column=rejection.column,
            value=rejection.value,
        )
        self._end_unapplied(Run.Status.REJECTED, [problem], rejection.message)

    def _hold(self, hold: FileHeld) -> None:
        """Record that a person must look at the file before anything of it is applied."""
        if self.run.replays_id is not None:
            self._fail(str(hold))
            raise SettingsWrong(str(hold)) from None
        if self.lifts_limits:
            self._fail(f"{hold} A release cannot change how the file is read.")
            raise SettingsWrong(
                f"{hold} Promote a version of the format that reads such files and release the run again, or reject it."
            ) from None
        self.run.held_for = hold.held_for
        self._end_unapplied(Run.Status.HELD, hold.problems, str(hold))

    def _end_unapplied(self, status: Run.Status, problems: list[Problem], message: str) -> None:
        self.forget()
        with self.committing(), connection.cursor() as cursor:
            store_issues(cursor, self.run.pk, problems)
            self.run.message = message
            self.finish(status)

    def _fail(self, message: str, *, again: bool = False, counts: bool = True) -> None:
        """Record a technical failure, unless the database is gone: then the account's next run does.

        `again` gives an uploaded file back to the queue. What `counts` may lie in the file.
        """
        again = again and self.run.is_upload
        if not counts:
            self.run.attempts = max(self.run.attempts - 1, 0)
        self.forget()
        self.run.held_for, self.run.message = "", message
        with contextlib.suppress(Error):
            connection.close_if_unusable_or_obsolete()
            with transaction.atomic():
                if not self._is_over_in_database():
                    with contextlib.suppress(SettingsWrong, TryAgainLater):
                        self.name_copy()
                    self.finish(Run.Status.QUEUED if again else Run.Status.FAILED)

    def forget(self) -> None:
        """Take back the counts, and the copies that were named in a transaction that is taken back."""
        for name in Run.COUNTS:
            setattr(self.run, name, 0)
        self.run.kept_file_id = self.kept_before
        self.run.rejects_file = self.run.reasons_file = None


def _describe_stop(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "Stopped before the end."
    if isinstance(error, TryAgainLater | SettingsWrong):
        return str(error)
    return f"Stopped by {type(error).__name__}{f': {error}' if str(error) else ''}."
