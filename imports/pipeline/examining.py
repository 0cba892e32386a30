"""Examine: rows of customers, and what is stored of them → what is to be staged, and what is wrong with them.

That asks no database but for entries that a format adds to lists, so other processes can do it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connections.bulk.rows import Rows
from connections.models import Connection
from imports.errors import Problem
from imports.files.customers import MOST_PROBLEMS
from imports.files.grouping import Grouper
from imports.files.near_lines import NearLines
from imports.files.scanning import read_rows
from imports.files.totals import LEAVE_OUT, SUMS_UP, TOTALS_ROW, doubt_code, is_rule, names_column
from imports.pipeline.comparing import NearKeys, warn_of_near_addresses
from imports.pipeline.doubting import Doubts
from imports.pipeline.judging import Judge, Verdict
from imports.pipeline.staging import rows_of
from imports.template import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connections.stored import StoredCustomer
    from imports.files.customers import Customer, Note
    from imports.files.mapping import CustomerMapping
    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.files.totals import Doubt
    from imports.pipeline.suggesting import Suggested
    from lookups.directory import LookupDirectory


@dataclass
class Examined:
    """What a batch of customers comes to. `rejected` are the numbers of customers that are not accepted, the others are
    counts.
    """

    rows: Rows = field(default_factory=Rows)
    problems: list[Problem] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    skipped: int = 0
    hidden_rows: int = 0
    encoded_twice: int = 0
    """How many accepted customers would change, with a text that looks encoded twice."""
    suggested: Sequence[Suggested] = ()
    """What another process looked for in the lists."""


@dataclass
class Examiner:
    """Examines customers of one file. New ones get the `status`; `note` takes the problems of customers that have many,
    and `settle` gives the entries that a verdict adds to lists their ids.
    """

    source: Source
    mapping: CustomerMapping
    directory: LookupDirectory
    scan: Scan
    status: str
    note: Note
    settle: Callable[[Verdict], None]
    near: NearKeys = field(default_factory=NearKeys)

    def __post_init__(self) -> None:
        self.lines = NearLines(self.source, self.scan)
        self.grouper = Grouper(self.mapping, self.lines, self.note)
        self.judge = Judge(self.mapping, self.directory)
        self.code_label = self.mapping.column_label(Target("customer_code"))

    def examine(
        self,
        batch: Iterable[tuple[str, int]],
        stored: Mapping[str, StoredCustomer],
        ids: Iterable[int],
    ) -> Examined:
        """Customers by code and number, with those that are stored, and ids for the others.

        Raises FileRejected for a byte that is not text.
        """
        scan, found, hidden_rows = self.scan, Examined(), self.grouper.hidden_rows
        accepted: list[tuple[Verdict, bytes]] = []
        for code, number in batch:
            known = stored.get(code)
            if known is not None and known.status == Connection.Status.REJECTED:
                found.skipped += 1
                found.problems.append(_skipped(known, scan.first_line(number), self.mapping))
                continue
            verdict = self._judge(code, number, known)
            customer = verdict.customer
            found.problems += customer.problems
            if len(found.problems) >= MOST_PROBLEMS:
                self.note(found.problems)
            if customer.errors:
                found.rejected.append(number)
                continue
            if self.judge.resolver.wanted:
                self.settle(verdict)
            accepted.append((verdict, scan.digest(number)))
            found.encoded_twice += customer.encoded_twice and verdict.changes
            found.created += known is None
            found.updated += known is not None and verdict.changes
        found.rows = rows_of(accepted, self.directory, self.status, iter(ids))
        found.hidden_rows = self.grouper.hidden_rows - hidden_rows
        return found

    def _judge(self, code: str, number: int, known: StoredCustomer | None) -> Verdict:
        """What shall stand of one customer, with all that is to be said of it."""
        customer = self.grouper.group(code, read_rows(self.source, self.scan, self.scan.spans(number)))
        verdict = self.judge.judge(customer, known)
        Doubts(verdict, self.mapping).warn()
        warn_of_near_addresses(verdict, self.mapping)
        if known is None:
            self.near.warn(customer, self.scan, self.mapping)
            if customer.names_total or is_rule(code) or names_column(code, self.code_label):
                _name_totals(customer, self.code_label)
            elif doubt := doubt_code(code):
                _doubt_code(customer, self.code_label, doubt)
            elif customer.errors:
                _doubt_row(customer)
        customer.warn_of_words()
        return verdict


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
        severity="error" if doubt.is_error else "warning",
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
