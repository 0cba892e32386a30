"""Compare: what two versions of a format make of files that were imported before."""

from __future__ import annotations

import heapq
import json
import tempfile
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q

from connections.describing import describe_customer
from connections.models import Change, Connection
from connections.stored import fetch_stored
from imports.copies import fetched
from imports.formats.differing import Difference, _say
from imports.models import Issue, Run
from imports.pipeline import ImportRequest, Origin, import_file
from lookups.directory import LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from accounts.models import Account
    from imports.files.spans import Scan
    from imports.formats.spec import FormatSpec
    from imports.models import FormatVersion

MOST_SHOWN = 100
"""How many customers of a file are shown with their differences; all of them are counted."""
BATCH = 1000


class Outcome(NamedTuple):
    """What comes of one customer: the values that would be stored, by what they are, and the errors."""

    code: str
    values: dict[str, str]


@dataclass
class Comparison:
    """What comes out differently of one file.

    `customers` counts all customers that differ; `shown` has the differences of the first of them, by code.
    """

    run: Run
    before: Run
    after: Run
    customers: int = 0
    shown: list[tuple[str, list[Difference]]] = field(default_factory=list)


def compare_run(run: Run, before: FormatSpec, after: FormatSpec) -> Comparison:
    """Import the kept file of an earlier run with either format, undo both, and tell what differs.

    Both begin with the customers as they are stored now, so that what differs comes from the formats alone. Raises
    TryAgainLater while another file is being imported or the storage does not answer, SettingsWrong without a copy.
    """
    with (
        fetched(run.kept_file, run.file_name) as path,
        tempfile.TemporaryFile("w+") as first,
        tempfile.TemporaryFile("w+") as second,
    ):
        comparison = Comparison(run, _spool(run, path, before, first), _spool(run, path, after, second))
        for outcomes in _pair(first, second):
            _compare_outcomes(comparison, *outcomes)
    return comparison


def _spool(run: Run, path: Path, spec: FormatSpec, out: TextIO) -> Run:
    """Import the file without limits, write what would come of it by customer code, and take it back.

    It is a dry run that is seen while it is at work: so it gives signs of life, and one that is frozen is ended.
    """

    def write(result: Run, _: Scan | None = None) -> None:
        out.seek(0)
        out.truncate()
        for outcome in _outcomes(result):
            out.write(json.dumps(outcome, ensure_ascii=False) + "\n")

    policies = replace(spec.policies, max_error_percent=None, max_change_percent=None)
    origin = Origin(file_name=run.file_name)
    result = import_file(
        ImportRequest(
            account=run.account, path=path, spec=replace(spec, policies=policies), origin=origin, dry_run=True
        ),
        witness=write,
    )
    if result.status in (Run.Status.REJECTED, Run.Status.HELD) and not out.tell():  # before anything was merged
        write(result)
    Run.objects.filter(pk=result.pk).delete()
    out.seek(0)
    return result


def _outcomes(run: Run) -> Iterator[Outcome]:
    """Every customer that the run changed or found wrong, by code."""
    errors: dict[str, dict[str, str]] = {}
    for issue in run.issues.filter(severity=Issue.Severity.ERROR).iterator():
        errors.setdefault(issue.customer_code, {})[f"error {issue.field or issue.code}"] = issue.message
    changed = Connection.objects.filter(pk__in=Change.objects.filter(run_id=run.pk).values("connection"))
    codes = sorted({*changed.values_list("customer_code", flat=True), *errors})
    directory = LookupDirectory(run.account)
    for start in range(0, len(codes), BATCH):
        batch = codes[start : start + BATCH]
        stored = fetch_stored(Connection.objects.filter(account=run.account, customer_code__in=batch))
        for code in batch:
            values = _flatten(describe_customer(stored[code], directory)) if code in stored else {}
            yield Outcome(code, values | errors.get(code, {}))


def _flatten(described: dict[str, Any]) -> dict[str, str]:
    """What is stored of a customer as single values, each under a name that people understand."""
    values: dict[str, str] = {}
    for name, value in described.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for record in value:
                key = " ".join(str(record[part]) for part in ("kind", "code", "email") if part in record)
                values |= {f"{name} {key} {part}": _say(text) for part, text in record.items() if text}
        elif value not in (None, "", []):
            values[name] = _say(value)
    return values


def _pair(first: TextIO, second: TextIO) -> Iterator[tuple[Outcome | None, Outcome | None]]:
    """The outcomes of both by customer; none where one of them left the customer as it is stored."""
    merged = heapq.merge(_read_spool(first, 0), _read_spool(second, 1), key=itemgetter(0))
    for _, found in groupby(merged, key=itemgetter(0)):
        outcomes = {side: outcome for _, side, outcome in found}
        yield outcomes.get(0), outcomes.get(1)


def _read_spool(file: TextIO, side: int) -> Iterator[tuple[str, int, Outcome]]:
    for line in file:
        outcome = Outcome(*json.loads(line))
        yield outcome.code, side, outcome


def _compare_outcomes(comparison: Comparison, before: Outcome | None, after: Outcome | None) -> None:
    if before and after and before.values == after.values:
        return
    code = (before or after or Outcome("", {})).code
    if before is None or after is None:
        stored = _flatten_stored(comparison.run, code)
        before, after = before or Outcome(code, stored), after or Outcome(code, stored)
    names = dict.fromkeys([*before.values, *after.values])
    differences = [
        Difference(name, before.values.get(name, ""), after.values.get(name, ""))
        for name in names
        if before.values.get(name) != after.values.get(name)
    ]
    if differences:
        comparison.customers += 1
        if len(comparison.shown) < MOST_SHOWN:
            comparison.shown.append((code or "(no customer code)", differences))


def _flatten_stored(run: Run, code: str) -> dict[str, str]:
    stored = fetch_stored(Connection.objects.filter(account=run.account, customer_code=code))
    return _flatten(describe_customer(stored[code], LookupDirectory(run.account))) if code in stored else {}


def find_comparable(account: Account, before: FormatVersion, count: int) -> list[Run]:
    """The newest runs of the account, and of its sandboxes, whose files are kept and were read with the format."""
    runs = Run.objects.with_kept_file().filter(
        Q(account=account.production) | Q(account__sandbox_of=account.production),
        format_version__format=before.format,
        dry_run=False,
    )
    return list(runs.select_related("account").order_by("-id")[:count])
