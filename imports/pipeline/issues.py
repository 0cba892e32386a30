"""Issues: problems → stored issues of a run, so many of each code, and the reasons of rejected rows, all of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from connections import merging
from connections.entities import quote
from imports.models import Issue

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from django.db.backends.utils import CursorWrapper

    from imports.errors import Problem
    from imports.models import Run

MOST_OF_A_CODE = 10_000
"""How many issues of one code a run keeps; the others are counted in one more."""

_ISSUE_COLUMNS = ("run_id", "line", "column", "field", "code", "severity", "message", "value", "customer_code", "more")
_REASONS = "further_reasons"
_REASON_COLUMNS = ("line", "code", "field", "message")


class Reason(NamedTuple):
    """Why a row was rejected."""

    code: str
    field: str
    message: str


class IssueLog:
    """Takes the problems of a run within its transaction.

    The errors of rows beyond the limit stay in a temporary table until the transaction ends, so that the rejects name
    them too.
    """

    def __init__(self, cursor: CursorWrapper, run: Run) -> None:
        self.cursor = cursor
        self.run = run
        self.found: Counter[tuple[str, str]] = Counter()
        self.has_further = False

    def add(self, problems: Iterable[Problem]) -> None:
        kept: list[Problem] = []
        further: list[tuple[int, str, str, str]] = []
        for problem in problems:
            kind = (problem.code, problem.severity)
            self.found[kind] += 1
            if self.found[kind] <= MOST_OF_A_CODE:
                kept.append(problem)
            elif problem.severity == Issue.Severity.ERROR and problem.line is not None and problem.customer_code:
                further.append((problem.line, problem.code, problem.field, _text(problem.message, 1000)))
        store_issues(self.cursor, self.run.pk, kept)
        if further:
            self._add_further(further)

    def _add_further(self, reasons: list[tuple[int, str, str, str]]) -> None:
        if not self.has_further:
            self.has_further = True
            self.cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{_REASONS}")
            self.cursor.execute(
                f"CREATE TEMPORARY TABLE {_REASONS}"
                " (id bigint GENERATED ALWAYS AS IDENTITY, line bigint, code text, field text, message text)"
                " ON COMMIT DROP"
            )
        merging.copy_rows(self.cursor, _REASONS, _REASON_COLUMNS, reasons)

    def remove(self, codes: list[str]) -> None:
        """Take back what was said of customers that are not rejected, before they are checked again."""
        issues = Issue.objects.filter(run=self.run, customer_code__in=codes)
        self.found.subtract(Counter(issues.values_list("code", "severity")))
        issues.delete()

    def close(self) -> None:
        """Say how many issues of each code are not kept."""
        for (code, severity), count in sorted(self.found.items()):
            if (more := count - MOST_OF_A_CODE) > 0:
                rejects = " The rejects name the reason of every row." if severity == Issue.Severity.ERROR else ""
                message = f"{more:,} more like this; the first {MOST_OF_A_CODE:,} are listed.{rejects}"
                Issue.objects.create(run=self.run, code=code, severity=severity, message=message, more=more)

    def read_reasons(self) -> Generator[tuple[int, Reason], None, None]:
        """Line and reason of every error that names a customer, by line."""
        columns = ", ".join(map(quote, _REASON_COLUMNS))
        table = quote(Issue._meta.db_table)
        statement = (
            f"SELECT {columns}, id, 0 AS further FROM {table}"
            " WHERE run_id = %s AND severity = 'error' AND line IS NOT NULL"
        )
        if self.has_further:
            statement += f" UNION ALL SELECT {columns}, id, 1 FROM {_REASONS}"
        with connection.chunked_cursor() as cursor:
            cursor.execute(f"{statement} ORDER BY line, further, id", [self.run.pk])
            for line, code, field, message, *_ in cursor:
                yield line, Reason(code, field, message)


def store_issues(cursor: CursorWrapper, run_id: int, problems: Iterable[Problem]) -> None:
    """Append issues to the run."""
    rows = [
        (
            run_id,
            problem.line,
            _text(problem.column, 255),
            problem.field,
            problem.code,
            problem.severity,
            _text(problem.message, 1000),
            _text(problem.value, 200),
            issue_code(problem.customer_code),
            problem.more,
        )
        for problem in problems
    ]
    if rows:
        merging.copy_rows(cursor, quote(Issue._meta.db_table), _ISSUE_COLUMNS, rows)


def issue_code(customer_code: str) -> str:
    """A customer's code as its issues name it."""
    return _text(customer_code, 100)


def _text(value: str, length: int) -> str:
    """The text as PostgreSQL takes it: without NUL, cut where it is too long."""
    value = value.replace("\0", "\N{SYMBOL FOR NULL}")
    return value if len(value) <= length else f"{value[: length - 1]}…"
