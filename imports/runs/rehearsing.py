"""Rehearse: a sample is imported as its proposal says, into an account of its own that is never kept."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Min

from accounts.counting import counted
from accounts.models import Account
from connections.describing import describe_customer
from connections.models import Address, Buyer, Connection, Door
from connections.stored import fetch_stored
from imports.formats.policies import FormatError, RowMark, UnknownLookup
from imports.formats.spec import Column
from imports.models import Issue
from imports.onboarding.cutting import read_records
from imports.onboarding.proposing import propose_format
from imports.onboarding.rehearsal import Reason, Rehearsal
from imports.onboarding.sampling import take_sample
from imports.pipeline import ImportRequest, import_file
from imports.template import Kind, Target
from lookups.directory import LISTS, LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.formats.spec import Dialect, FormatSpec
    from imports.models import Run
    from imports.onboarding.corrections import Corrections
    from imports.onboarding.proposals import Proposal

MOST_ROWS = 2000
"""How many records of a long sample are rehearsed."""
MOST_REASONS = 20
MOST_ENTRIES = 100
"""Of a list, that are named."""
_ASSUMED = {Kind.CURRENCY: "EUR", Kind.COUNTRY: "FR", Kind.ADDRESS_TYPE: "S", Kind.BOOLEAN: "no"}
"""What a constant is taken to be that nothing suggests."""


def propose_and_rehearse(path: Path, account: Account, corrections: Corrections) -> Proposal:
    """A proposal for a sample of the account's ERP, judged by what it makes of the sample.

    Raises FileRejected for a file that is no table of text, FormatError for a decision about a column it has not.
    """
    proposal = propose_format(path, account, corrections)
    proposal.rehearsal = rehearse(path, proposal)
    if proposal.rehearsal is not None:
        _ask_for_what_was_required(proposal, proposal.rehearsal)
    return proposal


def rehearse(path: Path, proposal: Proposal) -> Rehearsal | None:
    """What comes of the sample's first rows, taken back again; none where the draft is no format yet.

    Constants that are still to be decided are taken as suggested, and entries of lists as created. Raises TryAgainLater
    when the database gives up.
    """
    assumed = {needed.target: needed.suggestion or assume(needed.target) for needed in proposal.constants}
    defaults = {needed.target: needed.suggestion or assume(needed.target) for needed in proposal.defaults}
    draft = proposal.to_draft()
    try:
        columns = [replace(column, default=defaults.get(column.target, column.default)) for column in draft.columns]
        columns += [Column(target, constant=value) for target, value in assumed.items()]
        left_out = {marks.name: dict.fromkeys(marks.rows, RowMark.LEAVE_OUT) for marks in proposal.marks}
        policies = replace(draft.policies, row_marks={**left_out, **draft.policies.row_marks})
        spec = replace(draft, columns=tuple(columns), policies=policies).complete("rehearsal")
    except FormatError:
        return None
    said = {str(target): value for target, value in (assumed | defaults).items()}
    said |= {f"rows with {', '.join(marks.rows)} in {marks.name}": "left out" for marks in proposal.marks}
    return rehearse_spec(path, spec, said, most_rows=MOST_ROWS)


def rehearse_spec(
    path: Path, spec: FormatSpec, assumed: dict[str, str], *, most_rows: int, most_cards: int = 0
) -> Rehearsal:
    """What comes of the sample's first rows as a format says, taken back again; `most_cards` customers are described.

    Raises TryAgainLater when the database gives up.
    """
    with _beginning(path, spec.dialect, most_rows) as (beginning, is_whole), transaction.atomic():
        account = Account.objects.create(code=f"rehearsal-{uuid.uuid4().hex}", name="Rehearsal")
        run = import_file(ImportRequest(account=account, path=beginning, spec=_unlimited(spec, is_whole), keep=False))
        rehearsal = replace(_describe(run, assumed), shown=_show(account, most_cards), entries=_list_entries(account))
        transaction.set_rollback(True)
    return rehearsal


def _show(account: Account, most: int) -> list[dict[str, Any]]:
    """The first customers that came of it, as they would be stored."""
    if not most:
        return []
    stored = fetch_stored(Connection.objects.filter(account=account).order_by("pk")[:most])
    directory = LookupDirectory(account)
    return [describe_customer(customer, directory) for customer in stored.values()]


def _list_entries(account: Account) -> dict[str, list[dict[str, str]]]:
    entries: dict[str, list[dict[str, str]]] = {}
    for name, model in LISTS.items():
        fields = ("currency", "label") if name == "price_types" else ("code", "name")
        if made := list(model._default_manager.filter(account=account).order_by("pk").values(*fields)[:MOST_ENTRIES]):
            entries[name] = made
    return entries


def assume(target: Target) -> str:
    """What a constant is taken to be that nothing suggests."""
    return _ASSUMED.get(target.field.kind, "Wholesale")


def _unlimited(spec: FormatSpec, is_whole: bool) -> FormatSpec:
    policies = replace(
        spec.policies,
        max_error_percent=None,
        max_change_percent=None,
        unknown_lookup=dict.fromkeys(LISTS, UnknownLookup.CREATE) | {"sales_reps": UnknownLookup.SKIP},
    )
    dialect = spec.dialect if is_whole else replace(spec.dialect, footer="")
    return replace(spec, policies=policies, dialect=dialect)


@contextmanager
def _beginning(path: Path, dialect: Dialect, most_rows: int) -> Iterator[tuple[Path, bool]]:
    """The sample itself, or a file of its first whole records."""
    sample = take_sample(path, dialect.encoding)
    records = read_records(sample.lines, dialect.delimiter, dialect.quotechar, spaced=dialect.allow_spaced_delimiter)
    starts = [line for line, _ in records]
    if sample.is_whole and len(starts) <= most_rows:
        yield path, True
        return
    end = starts[min(most_rows, len(starts) - 1)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "sample.txt"
        copy.write_bytes("".join(sample.lines[:end]).encode(dialect.encoding, "replace"))
        yield copy, False


def _describe(run: Run, assumed: dict[str, str]) -> Rehearsal:
    errors = Issue.objects.filter(run=run, severity=Issue.Severity.ERROR)
    groups = errors.values("field", "code").annotate(customers=Count("customer_code", distinct=True), first=Min("id"))
    firsts = Issue.objects.in_bulk([group["first"] for group in groups])
    reasons = [
        Reason(
            group["field"],
            group["code"],
            group["customers"],
            firsts[group["first"]].message,
            firsts[group["first"]].line,
        )
        for group in sorted(groups, key=lambda group: -group["customers"])[:MOST_REASONS]
    ]
    of_account = {"connection__account": run.account}
    return Rehearsal(
        rows=run.rows,
        customers=run.customers,
        rejected=run.rejected,
        rows_rejected=run.rows_rejected,
        addresses=Address.objects.filter(**of_account).count(),
        doors=Door.objects.filter(**of_account).count(),
        buyers=Buyer.objects.filter(**of_account).count(),
        held=run.message if run.held_for else "" if run.customers else run.message,
        reasons=reasons,
        assumed=assumed,
    )


def _ask_for_what_was_required(proposal: Proposal, rehearsal: Rehearsal) -> None:
    """What customers were rejected for that no column gives is missing."""
    given = {str(column.target) for column in proposal.columns if column.target}
    said = {what.partition(":")[0] for what in proposal.missing}
    for reason in rehearsal.reasons:
        if reason.code == "required" and reason.field and reason.field not in given | said:
            of = f"{reason.customers:,} of {counted(rehearsal.customers, 'customer')}"
            proposal.missing.append(f"{reason.field}: {of} need it, and no column has it")
