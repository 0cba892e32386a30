"""One file through the pipeline: the one door that admin, API, commands and tasks call.

The file is read twice: first to find each customer's rows and digest them, then only the rows of customers that
are new or changed. Everything accepted is merged in one transaction together with the run's final status.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from django.db import Error, connection, transaction

from accounts.models import Account
from connections.bulk import merging
from connections.history.evidence import describe_changes
from connections.history.sightings import note_sightings
from connections.history.stamping import take_stamp
from connections.models import Connection
from imports.choosing import find_other_specs
from imports.errors import FileHeld, FileRejected, HeldFor, SettingsWrong, TryAgainLater
from imports.files.continuing import Continuation
from imports.files.customers import Customer
from imports.files.mapping import CustomerMapping
from imports.files.opening import open_source
from imports.files.scanning import read_rows, scan_customers
from imports.files.spans import DIGEST, NAMELESS, Scan
from imports.models import Run
from imports.pipeline.beating import Progress, beating
from imports.pipeline.beginning import begin_run, hold_what_fails
from imports.pipeline.checking import BATCH, Checker
from imports.pipeline.claiming import claim_account
from imports.pipeline.comparing import find_near_keys
from imports.pipeline.dating import find_lateness
from imports.pipeline.ending import Ending
from imports.pipeline.framing import (
    compare_footer,
    find_open_end,
    find_remarks,
    refuse_header,
    refuse_lost_lines,
    refuse_skipped_rows,
    require_footer,
)
from imports.pipeline.guards import find_marks_to_hold, find_reason_to_hold, find_shifts_to_hold
from imports.pipeline.issues import IssueLog
from imports.pipeline.keeping import Keeper, NotBrought, RejectsKeeper, keeping_file
from imports.pipeline.limiting import limit_scan
from imports.pipeline.recognising import digest_header, explain_drift, explain_missing_header
from imports.pipeline.rejecting import drafting_rejects, write_rejects
from imports.pipeline.resending import find_same, repeat
from imports.pipeline.sharing import Helpers, check_all
from imports.pipeline.slipping import find_slips
from imports.pipeline.timing import ENDING, doing_run
from imports.template import MEANING
from lookups.directory import LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from imports.files.records import Row
    from imports.files.sources import Source
    from imports.formats.spec import FormatSpec
    from imports.pipeline.requesting import ImportRequest, Replay

RULES_REVISION = 18
"""Raise it when the same row would come out differently, so that no stored digest matches any more."""

ATTEMPTS = 3
"""How often a merge is tried when others write the same at this moment."""
SMALL_FILE = 5000


Witness = Callable[[Run, Scan], None]
"""Sees what a run merged while it stands, before a dry run or a limit takes it back."""


def import_file(
    request: ImportRequest,
    *,
    progress: Progress = lambda stage, done, total: None,
    witness: Witness | None = None,
) -> Run:
    """Bring the account's customers to what the file says; returns the run with its status and counts.

    `witness` is shown the run once its customers are merged, within the transaction; again where that is done again.

    Raises AccountBusy when another run of the account is at work (after a minute, or at once for the impatient),
    TryAgainLater when the database gives up, and SettingsWrong when the version may not read files into the account,
    no copy can be kept, or the rejects cannot be written, which changes nothing of the run.
    """
    spec, path, keep = request.find_spec(), request.path, request.keeps_copy
    with claim_account(request.account, patient=request.patient):
        run = begin_run(request, spec)
        with (
            doing_run(run),
            beating(run, progress) as progress,
            keeping_file(run, path, wanted=keep) as keeper,
        ):
            ending = Ending(run, path, keep, request.release, keeper.name_copy if keeper else lambda: None)
            progress = ending.steps.follow(progress)
            with ending.recording():
                hold_what_fails(run)
                work = _Import(run, spec, path, ending, progress, witness, keeper, request.replay)
                if not work.repeat():
                    work.go(request.rejects)
        return run


@dataclass
class _Import:
    """The steps of one run, and what they share."""

    run: Run
    spec: FormatSpec
    path: Path
    ending: Ending
    progress: Progress
    witness: Witness | None
    keeper: Keeper | None
    replay: Replay | None = None
    known: int = 0
    mentioned: array[int] = field(default_factory=lambda: array("q"))
    """The ids of the known connections that the file mentions."""

    def __post_init__(self) -> None:
        self.directory = LookupDirectory(self.run.account)

    def repeat(self) -> bool:
        """Take the file for read where it comes again as it was, and all else is as it was; returns whether it is."""
        if self.keeper is None:
            return False
        last = None
        if not self.replay and not self.ending.release:
            self.run.meaning = self._digest(RULES_REVISION)
            last = find_same(self.run, self.keeper)
        self.keeper.begin_copy()
        if last is None or self.witness:
            return False
        with self.ending.committing():
            repeat(self.run, last)
            self.ending.finish(Run.Status.SUCCEEDED)
        self.run.seconds = self.ending.elapsed()
        return True

    def go(self, rejects: Path | None) -> None:
        """Read, check and merge the file; from its beginning where entries of lists were added or deleted meanwhile."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._go(rejects)
                return
            except Error as error:
                if attempt == ATTEMPTS or self.ending.is_over or not merging.is_race_for_lists(error):
                    raise
            self._begin_again()

    def _begin_again(self) -> None:
        """Forget what was found of the file, and read the lists as they are now."""
        self.ending.forget()
        self.directory = LookupDirectory(self.run.account)
        self.mentioned = array("q")
        if self.run.meaning:
            self.run.meaning = self._digest(RULES_REVISION)

    def _go(self, rejects: Path | None) -> None:
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(open_source(self.path, self.spec.dialect))
            mapping = self._bind(source)
            source.header = mapping.header
            helpers = stack.enter_context(Helpers(self.run.account, source, self.spec))
            scan = self._scan(source, mapping, helpers)
            refuse_lost_lines(source, mapping, scan)
            if (wrong := compare_footer(source, scan)) and not self.ending.lifts_limits:
                raise FileHeld(HeldFor.FOOTER, wrong)
            with self.ending.committing(), connection.cursor() as cursor, _no_garbage_collection():
                self.known = self._count_known()
                stage, log = merging.Stage(cursor, self._new_status()), IssueLog(cursor, self.run)
                checker = Checker(self.run, stage, log, source, mapping, self.directory, scan, bool(self.known))
                self._check(checker, helpers)
                write = partial(write_rejects, log, source, mapping, scan, checker.rejected)
                kept = RejectsKeeper(self.run, write, stack) if self.ending.keep else None
                self._merge(checker, kept)
                self.ending.steps.enter(ENDING)
                log.close()
                self.ending.further = log.further
                if self.run.rejected or self.run.rows_rejected:
                    self.run.rejects_header = digest_header(mapping.original_header)
                if kept:
                    kept.name()
                drafted = stack.enter_context(drafting_rejects(write, rejects)) if rejects else lambda: None
                self.ending.finish(self._status())
            self.run.seconds = self.ending.elapsed()  # with the commit, for whoever asked for the run
            try:
                drafted()
            except OSError as error:
                raise SettingsWrong(
                    f"{self.run} ended as {self.run.status}, but its rejects could not be written to {rejects}: "
                    f"{error.strerror}. Mend that and import the file again."
                ) from error

    def _bind(self, source: Source) -> CustomerMapping:
        """The format's columns at their places in the file."""
        if not self.ending.lifts_limits:
            require_footer(source)
        try:
            mapping = CustomerMapping(self.spec, source.header)
        except FileRejected as rejection:
            rejection.line = source.header_line
            rejection.message += explain_missing_header(source)
            raise
        except FileHeld as hold:
            explain_drift(hold, source, self.spec, find_other_specs(self.run.account, self.spec))
            raise
        refuse_skipped_rows(source, mapping)
        refuse_header(source, mapping)
        return mapping

    def _scan(self, source: Source, mapping: CustomerMapping, helpers: Helpers) -> Scan:
        """Where each customer's rows are. The digests cover all that decides what a row means."""
        done = 0

        def advance(size: int) -> None:
            nonlocal done
            done += size
            self.progress("Reading", min(done, source.size), source.size)

        return scan_customers(
            source,
            mapping.code_index,
            self._digest((RULES_REVISION, source.header)),
            advance,
            mapping.no_codes,
            Continuation(mapping),
            mapping.furniture,
            helpers.foresee,
        )

    def _digest(self, beside: object) -> bytes:
        """16 bytes that differ when the template, the format, the lists, or what is given beside them do."""
        meaning = repr(beside).encode() + MEANING + self.spec.digest + self.directory.revision
        return hashlib.blake2b(meaning, digest_size=16).digest()

    def _check(self, checker: Checker, helpers: Helpers) -> None:
        """Check every customer that is new or changed, and stage what is accepted."""
        run, scan = self.run, checker.scan
        if self.replay:
            run.skipped = len(self.replay.left)
            checker.log.add(limit_scan(scan, checker.source, self.replay))
        else:
            checker.log.add(find_remarks(checker.source, checker.mapping, scan))
            checker.log.add(find_lateness(run))
        run.rows = scan.records
        self._reject_nameless(checker, read_rows(checker.source, scan, scan.spans(NAMELESS)))
        run.customers = len(scan.customers) + run.skipped
        changed, new = self._find_changed(scan)
        checker.examiner.near = find_near_keys(run.account_id, scan.customers, new, any_known=bool(self.known))
        run.unchanged = len(scan.customers) - len(changed)
        checker.stage.expect(len(new))
        check_all(checker, changed, helpers, lambda done: self.progress("Checking", done, len(changed)))
        checker.log.add(checker.repeated)
        row = checker.examiner.lines.open_row
        if row and not checker.examiner.grouper.find_fault(row) and (end := find_open_end(row, checker.mapping)):
            number = scan.customers.get(end.customer_code)
            checker.log.add([end] if number is not None and number in changed else [])

    def _reject_nameless(self, checker: Checker, rows: Iterator[Row]) -> None:
        """Count the rows that name no customer."""
        while batch := list(islice(rows, BATCH)):
            customer = Customer("")
            self.run.rows_rejected += len(batch)
            for row in batch:
                checker.examiner.grouper.reject_nameless(customer, row)
            checker.log.add(customer.problems)
        checker.hidden_rows = checker.examiner.grouper.hidden_rows

    # -- what is stored

    def _count_known(self) -> int:
        """How many connections the account has; only whether it has any where no limit asks for more."""
        connections = self.run.account.connections.all()
        return int(connections.exists()) if self.spec.policies.max_change_percent is None else connections.count()

    def _find_changed(self, scan: Scan) -> tuple[Sequence[int], Sequence[int]]:
        """The numbers of the customers whose digest is not the stored one, and of those among them that nobody knows.

        Both in file order.
        """
        count = len(scan.customers)
        stored = Connection.objects.filter(account=self.run.account).order_by()
        if count <= SMALL_FILE:
            stored = stored.filter(customer_code__in=list(scan.customers))
        known, unchanged = bytearray(count), bytearray(count)
        find, digests, mention = scan.customers.get, memoryview(scan.digests), self.mentioned.append
        for pk, code, digest in stored.values_list("pk", "customer_code", "source_digest").iterator(10 * BATCH):
            number = find(code)
            if number is not None:
                mention(pk)
                known[number] = 1
                start = DIGEST * number
                unchanged[number] = digests[start : start + DIGEST] == digest
        if not self.mentioned:
            return range(count), range(count)
        changed = array("I", (number for number in range(count) if not unchanged[number]))
        return changed, array("I", (number for number in changed if not known[number]))

    # -- the end

    def _merge(self, checker: Checker, rejects: RejectsKeeper | None) -> None:
        """Merge what is staged as things stand now, and take it back where nothing may stay.

        Where somebody else was faster, or the database ended this one of two, it is done again as things are then. What
        is kept is brought into the storage first: behind the locks nobody waits for what answers as slowly as it likes.
        """
        self.progress("Writing", 0, 1)
        if rejects:
            rejects.draft()
        for attempt in range(1, ATTEMPTS + 1):
            if self.keeper:
                self.keeper.hold()
            if rejects:
                rejects.bring()
            try:
                with checker.savepoint():
                    is_as_read = checker.settle()
                    if rejects and not is_as_read:
                        rejects.require()
                    with transaction.atomic():
                        self._write(checker)
                    if self.run.dry_run or self.run.held_for:
                        checker.stage.take_back()
                    if self.keeper:
                        self.keeper.require_held()
                break
            except NotBrought as error:
                if attempt == ATTEMPTS:
                    problem = "Customers of the file were changed again and again while it was being imported."
                    raise TryAgainLater(problem) from error
            except Error as error:
                if attempt == ATTEMPTS or not merging.is_race(error):
                    raise
        checker.log.add(self.slips)
        self.progress("Writing", 1, 1)

    def _write(self, checker: Checker) -> None:
        run = self.run
        checker.directory.insert_created()
        at = take_stamp([run.account_id])
        checker.stage.merge(account_id=run.account_id, run_id=run.pk, at=at)
        self.slips = find_slips(run, at)
        is_full = self.spec.policies.full_files and not self.replay
        mentioned = () if self.replay else self.mentioned  # by a file of another day
        created = checker.stage.find_created()
        note_sightings(checker.stage.cursor, run.account_id, mentioned, created, is_full=is_full)
        run.unchanged = run.customers - run.created - run.updated - run.rejected - run.skipped
        if self.witness:
            self.witness(run, checker.scan)
        suspicious = (checker.hidden_rows, checker.encoded_twice) if self.spec.columns is not None else (0, 0)
        policies, is_let_go = self.spec.policies, self.ending.lifts_limits
        hold = None
        if not is_let_go:
            marks = () if self.replay else checker.mapping.marks.find_suspects()
            hold = (
                find_marks_to_hold(marks, is_standard=self.spec.columns is None)
                or find_shifts_to_hold(run, self.known)
                or find_reason_to_hold(run, policies, self.known, checker.examiner.near, *suspicious)
            )
        run.held_for, run.message = hold or ("", "")
        if run.dry_run or hold is not None:
            run.evidence = describe_changes(run.pk)
            transaction.set_rollback(True)

    def _new_status(self) -> Connection.Status:
        approves = self.run.account.auto_approval == Account.AutoApproval.ALWAYS
        return Connection.Status.APPROVED if approves else Connection.Status.PENDING

    def _status(self) -> Run.Status:
        run = self.run
        if run.held_for:
            return Run.Status.HELD
        if not run.rejected and not run.rows_rejected:
            return Run.Status.SUCCEEDED
        accepted = run.created + run.updated + run.unchanged
        return Run.Status.PARTIAL if accepted else Run.Status.REJECTED


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Rows make millions of short-lived objects and no reference cycles; looking for some costs a third of the run."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
