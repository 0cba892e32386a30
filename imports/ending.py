"""End: how a run ended is recorded once, with what is told of it; it is looked up where a commit is not answered."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error, connection, transaction
from django.utils import timezone

from imports.claiming import end_session
from imports.deciding import decide
from imports.errors import FileHeld, FileRejected, Problem, SettingsWrong, TryAgainLater
from imports.issues import store_issues
from imports.keeping import keep_held_file
from imports.models import Run
from imports.telling import tell_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Release(NamedTuple):
    """A held run that a person lets go on, and who does."""

    held: Run
    decided_by: str


@dataclass
class Ending:
    """How a run comes to its end, whatever happens. `name_copy` names the copy of its file in the run."""

    run: Run
    path: Path
    keep: bool
    release: Release | None
    name_copy: Callable[[], None]
    started: float = field(default_factory=time.perf_counter)
    session: int = field(default_factory=lambda: connection.connection.info.backend_pid)

    @property
    def is_over(self) -> bool:
        return self.run.status not in (Run.Status.QUEUED, Run.Status.RUNNING)

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """What ends the block is recorded in the run; what comes after its end changes nothing of it.

        Raises TryAgainLater when the database gives up, saying what is true of the run then.
        """
        try:
            try:
                yield
            except FileRejected as rejection:
                self._reject(rejection)
            except FileHeld as hold:
                self._hold(hold)
        except Error as error:
            problem = f"The database gave up: {str(error).splitlines()[0]}"
            if self.is_over:
                raise TryAgainLater(f"{self.run} ended as {self.run.status}, but then: {problem}") from error
            self._fail(problem)
            raise TryAgainLater(f"{self.run.message} Nothing was applied; try again.") from error
        except BaseException as error:
            if self.is_over:
                if isinstance(error, KeyboardInterrupt):
                    raise KeyboardInterrupt(f"{self.run} ended as {self.run.status} before it was stopped.") from None
                raise
            self._fail(f"Stopped by {type(error).__name__}: {error}" if str(error) else "Stopped before the end.")
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
        if status != Run.Status.FAILED:
            self.name_copy()
        if status == Run.Status.HELD and self.keep:
            keep_held_file(self.run, self.path)
        if self.release and status != Run.Status.FAILED:
            decide(self.release.held, Run.Decision.RELEASED, self.release.decided_by)
        self.run.save()
        tell_of_run(self.run)

    def elapsed(self) -> float:
        return round(time.perf_counter() - self.started, 3)

    def _reject(self, rejection: FileRejected) -> None:
        """Record that nothing of the file was applied, and why."""
        problem = Problem(
            rejection.line, rejection.column, "", rejection.code, "error", rejection.message, rejection.value, ""
        )
        self._end_unapplied(Run.Status.REJECTED, [problem], rejection.message)

    def _hold(self, hold: FileHeld) -> None:
        """Record that a person must look at the file before anything of it is applied."""
        if self.release is not None:
            self._fail(f"{hold} A release cannot change how the file is read.")
            raise SettingsWrong(
                f"{hold} Promote a version of the format that reads such files and release the run again, or reject it."
            ) from None
        self.run.held_for = hold.held_for
        self._end_unapplied(Run.Status.HELD, hold.problems, str(hold))

    def _end_unapplied(self, status: Run.Status, problems: list[Problem], message: str) -> None:
        self._forget_counts()
        with self.committing(), connection.cursor() as cursor:
            store_issues(cursor, self.run.pk, problems)
            self.run.message = message
            self.finish(status)

    def _fail(self, message: str) -> None:
        """Record a technical failure, unless the database is gone: then the account's next run does."""
        self._forget_counts()
        self.run.held_for, self.run.message = "", message
        with contextlib.suppress(SettingsWrong):
            self.name_copy()
        with contextlib.suppress(Error):
            connection.close_if_unusable_or_obsolete()
            with transaction.atomic():
                if not self._is_over_in_database():
                    self.finish(Run.Status.FAILED)

    def _forget_counts(self) -> None:
        for name in Run.COUNTS:
            setattr(self.run, name, 0)
