"""Check: customers of a file → what shall stand of them, staged, and what is wrong with them, as issues.

What is stored is read without locking it, so that a long file keeps nobody waiting. Only just before the merge all
that it will touch is locked, and whoever was changed since is checked once more, against what stands from then on.
"""

from __future__ import annotations

from array import array
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import Error, transaction

from connections.bulk import merging
from connections.models import Connection
from connections.stored import StoredCustomer, fetch_stored
from imports.models import Run
from imports.pipeline.examining import Examined, Examiner
from imports.pipeline.keeping import NotBrought
from imports.pipeline.repeating import Repeated
from imports.pipeline.staging import settle_lookups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connections.bulk.merging import Stage
    from imports.errors import Problem
    from imports.files.mapping import CustomerMapping
    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.pipeline.issues import IssueLog
    from imports.pipeline.judging import Verdict
    from lookups.directory import LookupDirectory

BATCH = 1000
"""Customers that are checked and staged together. More of them only take more memory."""


@dataclass
class Checker:
    """Checks the customers of one run; `rejected` are the numbers of those that are not accepted."""

    run: Run
    stage: Stage
    log: IssueLog
    source: Source
    mapping: CustomerMapping
    directory: LookupDirectory
    scan: Scan
    any_known: bool
    """Whether the account has any connection that a customer could be."""
    rejected: array[int] = field(default_factory=lambda: array("I"))
    hidden_rows: int = 0
    encoded_twice: int = 0
    """How many accepted customers would change, with a text that looks encoded twice."""

    def __post_init__(self) -> None:
        self.repeated = Repeated()
        self.examiner = Examiner(
            self.source, self.mapping, self.directory, self.scan, self.stage.status, self._note, self._settle_lookups
        )

    def check(self, batch: Sequence[tuple[str, int]]) -> None:
        """Check customers, by code and number, as they are stored now."""
        self.examine(batch, *self.prepare(batch))

    def prepare(self, batch: Sequence[tuple[str, int]]) -> tuple[dict[str, StoredCustomer], list[int]]:
        """The customers of a batch that the account has, and ids for the others."""
        stored = self._fetch_stored(batch)
        return stored, self._reserve(len(batch) - len(stored))

    def examine(
        self, batch: Sequence[tuple[str, int]], stored: Mapping[str, StoredCustomer], ids: Sequence[int]
    ) -> None:
        """Check what was prepared: stage what is accepted, store the issues, count."""
        self.take(self.examiner.examine(batch, stored, ids))

    def take(self, examined: Examined) -> None:
        """Stage, store and count what examining a batch came to."""
        run = self.run
        self._note(examined.problems)
        self.stage.take(examined.rows)
        self.rejected.extend(examined.rejected)
        run.rejected = len(self.rejected)
        run.created += examined.created
        run.updated += examined.updated
        run.skipped += examined.skipped
        self.hidden_rows += examined.hidden_rows
        self.encoded_twice += examined.encoded_twice

    def take_from_other(self, examined: Examined) -> bool:
        """Take what another process examined; false where this one would have looked for fewer suggestions."""
        if not self.examiner.judge.resolver.learn(examined.suggested):
            return False
        self.take(examined)
        return True

    def _reserve(self, count: int) -> list[int]:
        """Ids for new connections."""
        return merging.reserve_ids(self.stage.cursor, Connection, count) if count else []

    def _settle_lookups(self, verdict: Verdict) -> None:
        settle_lookups(self.stage.cursor, self.directory, verdict)

    def _note(self, problems: list[Problem]) -> None:
        """Take problems out of a list and store them as issues, but for warnings that are said once for a column."""
        self.log.add(self.repeated.sift(problems))
        problems.clear()

    def settle(self) -> bool:
        """Lock what the merge will touch; whoever is not as when it was read is checked again as it is now.

        Returns whether all were as they were read.
        """
        is_as_read = True
        while changed := self.stage.lock(self.run.account_id):
            is_as_read = False
            self.any_known, hidden_rows, encoded_twice = True, self.hidden_rows, self.encoded_twice
            self._forget(changed)
            for start in range(0, len(changed), BATCH):
                self.check([(code, self.scan.customers[code]) for code in changed[start : start + BATCH]])
            self.hidden_rows, self.encoded_twice = hidden_rows, encoded_twice  # counted already
        return is_as_read

    def _forget(self, codes: list[str]) -> None:
        """Take back what was staged, counted and said of accepted customers."""
        for is_new, changes in self.stage.remove(codes):
            self.run.created -= is_new
            self.run.updated -= changes and not is_new
        self.log.remove(codes)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block stages, counts and rejects is taken back with what it writes when it must be done again."""
        counts = {name: getattr(self.run, name) for name in Run.COUNTS}
        staged, rejected = self.stage.counts, len(self.rejected)
        found, further = self.log.found.copy(), self.log.further.copy()
        try:
            with transaction.atomic():
                yield
        except (Error, NotBrought):
            for name, count in counts.items():
                setattr(self.run, name, count)
            self.stage.counts, self.log.found, self.log.further = staged, found, further
            del self.rejected[rejected:]
            raise

    # -- what is stored

    def _fetch_stored(self, batch: Sequence[tuple[str, int]]) -> dict[str, StoredCustomer]:
        """The customers of a batch that the account has."""
        if not self.any_known:
            return {}
        codes = [code for code, _ in batch]
        return fetch_stored(Connection.objects.filter(account=self.run.account, customer_code__in=codes))
