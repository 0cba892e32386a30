"""Issues: problems → stored issues of a run, so many of each code, and the reasons of rejected rows, all of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import Count, Min, Q, Sum, Value
from django.db.models.functions import Coalesce, NullIf

from connections.bulk import merging
from connections.bulk.entities import quote
from imports.models import Issue

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from django.db.backends.utils import CursorWrapper

    from imports.errors import Problem
    from imports.models import Run

MOST_OF_A_CODE = 10_000
"""How many issues of one code a run keeps; the others are counted in one more."""
MOST_GROUPS = 200
"""How many groups of issues a run keeps, those with most customers first."""
MOST_GROUPED = 5000
"""Of how many issues groups are made where a run has none of its own."""

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
        self.further: Counter[tuple[str, str, str]] = Counter()
        """What is not kept, by severity, code and field."""
        self.has_further = False

    def add(self, problems: Iterable[Problem]) -> None:
        kept: list[Problem] = []
        further: list[tuple[int, str, str, str]] = []
        for problem in problems:
            kind = (problem.code, problem.severity)
            self.found[kind] += 1
            if self.found[kind] <= MOST_OF_A_CODE:
                kept.append(problem)
                continue
            self.further[problem.severity, problem.code, problem.field] += 1
            if problem.severity == Issue.Severity.ERROR and problem.line is not None and problem.customer_code:
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


def copy_issues_of_file(earlier: Run, run: Run) -> None:
    """Append what an earlier run said of its file as a whole: issues of no customer that do not stand for several."""
    columns, table = ", ".join(map(quote, _ISSUE_COLUMNS[1:])), quote(Issue._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (run_id, {columns}) SELECT %s, {columns} FROM {table}"
            " WHERE run_id = %s AND customer_code = '' AND more = 0 ORDER BY id",
            [run.pk, earlier.pk],
        )


def group_issues(
    run: Run, further: Mapping[tuple[str, str, str], int] | None = None, *, most: int | None = None
) -> list[dict[str, Any]]:
    """The issues of a run by severity, code and field: errors first, then those of most customers.

    Each is `{severity, code, field, issues, customers, has_more}` with its first issue as `{issue, line, column, value,
    message, customer_code}`. With `has_more` at least so many customers have it: `further` issues are not kept, or one
    stands for several. Of `most` issues alone, where a run was not grouped when it ended.
    """
    if not Issue.objects.filter(run=run).exists():
        return []
    listed = Issue.objects.filter(run=run).exclude(line=None, more__gt=0)
    if most is not None:
        first = listed.order_by("line", "id").values_list("pk", flat=True)[:most]
        listed = Issue.objects.filter(pk__in=list(first))  # with a query within, the whole table would be read
    found = list(
        listed.order_by()
        .values("severity", "code", "field")
        .annotate(
            issues=Count("pk") + Coalesce(Sum("more"), 0),
            customers=Count(NullIf("customer_code", Value("")), distinct=True),
            has_more=Count("pk", filter=Q(more__gt=0)),
            issue=Min("pk"),
        )
    )
    for group in found:
        more = (further or {}).get((group["severity"], group["code"], group["field"]), 0)
        group["issues"] += more
        group["has_more"] = bool(more or group["has_more"])
    found.sort(key=_by_weight)
    shown = ("pk", "line", "column", "value", "message", "customer_code")
    examples = {
        first["pk"]: first
        for first in Issue.objects.filter(pk__in=[group["issue"] for group in found[:MOST_GROUPS]]).values(*shown)
    }
    return [group | {name: examples[group["issue"]][name] for name in shown[1:]} for group in found[:MOST_GROUPS]]


def _by_weight(group: Mapping[str, Any]) -> tuple[Any, ...]:
    is_error = group["severity"] == Issue.Severity.ERROR
    return (not is_error, -group["customers"], -group["issues"], group["code"], group["field"])


def issue_code(customer_code: str) -> str:
    """A customer's code as its issues name it."""
    return _text(customer_code, 100)


def _text(value: str, length: int) -> str:
    """The text as PostgreSQL takes it: without NUL, cut where it is too long."""
    value = value.replace("\0", "\N{SYMBOL FOR NULL}")
    return value if len(value) <= length else f"{value[: length - 1]}…"
