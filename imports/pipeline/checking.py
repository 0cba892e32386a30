"""Check: customers of a file → what shall stand of them, staged, and what is wrong with them, as issues.

What is stored is read without locking it, so that a long file keeps nobody waiting. Only just before the merge all
that it will touch is locked, and whoever was changed since is checked once more, against what stands from then on.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.db import Error, transaction

from connections.models import Connection
from connections.stored import StoredCustomer, fetch_stored
from imports.errors import Problem
from imports.files.customers import MOST_PROBLEMS
from imports.files.grouping import Grouper
from imports.files.near_lines import NearLines
from imports.files.scanning import read_rows
from imports.files.totals import LEAVE_OUT, SUMS_UP, TOTALS_ROW, doubt_code, is_rule, names_column
from imports.models import Run
from imports.pipeline.comparing import NearKeys, warn_of_near_addresses
from imports.pipeline.judging import Judge, Verdict
from imports.pipeline.keeping import NotBrought
from imports.pipeline.repeating import Repeated
from imports.pipeline.staging import settle_lookups, stage_customers
from imports.template import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connections.bulk.merging import Stage
    from imports.files.customers import Customer
    from imports.files.mapping import CustomerMapping
    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.files.totals import Doubt
    from imports.pipeline.issues import IssueLog
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
    near: NearKeys = field(default_factory=NearKeys)
    rejected: list[int] = field(default_factory=list)
    encoded_twice: int = 0
    """How many accepted customers would change, with a text that looks encoded twice."""

    def __post_init__(self) -> None:
        self.lines = NearLines(self.source, self.scan)
        self.grouper = Grouper(self.mapping, self.lines, self._note)
        self.repeated = Repeated()
        self.judge = Judge(self.mapping, self.directory)
        self.code_label = self.mapping.column_label(Target("customer_code"))

    def check(self, batch: Sequence[str]) -> None:
        """Check customers, given by code: stage what is accepted, store the issues, count."""
        run, scan = self.run, self.scan
        stored = self._fetch_stored(batch)
        accepted: list[tuple[Verdict, bytes]] = []
        problems: list[Problem] = []
        for code in batch:
            number, known = scan.customers[code], stored.get(code)
            if known is not None and known.status == Connection.Status.REJECTED:
                run.skipped += 1
                problems.append(_skipped(known, scan.lines[scan.spans(number)[0]], self.mapping))
                continue
            customer = self.grouper.group(code, read_rows(self.source, scan, scan.spans(number)))
            verdict = self.judge.judge(customer, known)
            warn_of_near_addresses(verdict, self.mapping)
            if known is None:
                self.near.warn(customer, scan, self.mapping)
                if customer.names_total or is_rule(code) or names_column(code, self.code_label):
                    _name_totals(customer, self.code_label)
                elif doubt := doubt_code(code):
                    _doubt_code(customer, self.code_label, doubt)
                elif customer.errors:
                    _doubt_row(customer)
            customer.warn_of_words()
            problems += customer.problems
            if len(problems) >= MOST_PROBLEMS:
                self._note(problems)
            if customer.errors:
                self.rejected.append(number)
            else:
                if self.judge.resolver.wanted:
                    settle_lookups(self.stage.cursor, self.directory, verdict)
                accepted.append((verdict, scan.digest(number)))
                self.encoded_twice += customer.encoded_twice and verdict.changes
                run.created += known is None
                run.updated += known is not None and verdict.changes
        self._note(problems)
        stage_customers(self.stage, self.directory, accepted)
        run.rejected = len(self.rejected)

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
            self.any_known, hidden_rows, encoded_twice = True, self.grouper.hidden_rows, self.encoded_twice
            self._forget(changed)
            for start in range(0, len(changed), BATCH):
                self.check(changed[start : start + BATCH])
            self.grouper.hidden_rows, self.encoded_twice = hidden_rows, encoded_twice  # counted already
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

    def _fetch_stored(self, codes: Sequence[str]) -> dict[str, StoredCustomer]:
        """The customers among the codes that the account has."""
        if not self.any_known:
            return {}
        return fetch_stored(Connection.objects.filter(account=self.run.account, customer_code__in=codes))


def _skipped(stored: StoredCustomer, line: int, mapping: CustomerMapping) -> Problem:
    duplicate = f" as a duplicate of {stored.duplicate_of}" if stored.duplicate_of else ""
    return Problem(
        code="rejected_connection",
        message=f"Customer {stored.code!r} was rejected in review{duplicate}; its rows are skipped.",
        severity="warning",
        line=line,
        column=mapping.column_label(Target("customer_code")),
        field="customer_code",
        value=stored.code,
        customer_code=stored.code,
    )


def _doubt_code(customer: Customer, label: str, doubt: Doubt) -> None:
    """Say that what names a new customer reads like no code that somebody gave."""
    customer.problem(
        customer.line,
        doubt.issue,
        f"{customer.code!r} is new and {doubt.what}. {doubt.remedy}",
        column=label,
        field="customer_code",
        value=customer.code,
        severity="warning",
    )


def _doubt_row(customer: Customer) -> None:
    """Say of a row that has nothing but what would be a new code that it may be none."""
    says_more = customer.unread or customer.addresses or customer.buyers or customer.assignments
    if (
        customer.problems
        and customer.rows == 1
        and not says_more
        and customer.fields
        and len(customer.fields.values) == 1
    ):
        hint = f" {customer.code!r} is new, and all the row says; if it is no customer, {LEAVE_OUT}."
        customer.problems[0] = replace(customer.problems[0], message=f"{customer.problems[0].message}{hint}")


def _name_totals(customer: Customer, label: str) -> None:
    """Say that what names a new customer reads like the total of the file, or is a line or a header between its rows.

    Where nothing but numbers stands beside it, that is all that is wrong; else it may be a customer after all.
    """
    is_drawn = is_rule(customer.code)
    is_header = not is_drawn and names_column(customer.code, label)
    if customer.sums_up or is_drawn or is_header:
        customer.problems.clear()
        customer.words.clear()
    if is_drawn:
        message = f"{customer.code!r} names no customer; the row seems to draw a line: {LEAVE_OUT}."
    elif is_header:
        message = f"{customer.code!r} names a column and no customer; the row seems to be a header: {LEAVE_OUT}."
    elif customer.sums_up:
        message = f"{customer.code!r} names no customer; {SUMS_UP}: {LEAVE_OUT}."
    else:
        message = f"{customer.code!r} is new and reads like a total. If {SUMS_UP}, {LEAVE_OUT}."
    customer.problem(
        customer.line,
        TOTALS_ROW,
        message,
        column=label,
        field="customer_code",
        value=customer.code,
        severity="error" if customer.sums_up or is_drawn or is_header else "warning",
    )
