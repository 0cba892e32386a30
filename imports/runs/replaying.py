"""Replay: the rejected customers of a kept file are imported again, once a list or the format was mended.

Never over what came later: a customer that a later file of the account has, whatever became of it there, is left. What
later runs changed or rejected stands in the database; whom they left unchanged, their kept files say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from connections.models import Change, Connection
from imports.choosing import find_present_version, find_version_of, read_spec
from imports.copies import fetched, share
from imports.errors import FileHeld, FileRejected, SettingsWrong
from imports.formats.spec import STANDARD
from imports.models import Issue, Run
from imports.pipeline import ImportRequest, Origin, import_file
from imports.pipeline.claiming import claim_account
from imports.pipeline.deciding import describe_state
from imports.pipeline.issues import issue_code
from imports.pipeline.limiting import LEFT, read_codes
from imports.pipeline.requesting import Replay
from imports.queueing import queue_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.db.models import QuerySet

    from accounts.models import User
    from imports.formats.spec import FormatSpec

Status = Run.Status


def replay_run(
    run: Run,
    *,
    user: User | None = None,
    dry_run: bool = False,
    patient: bool = True,
    queued: Run | None = None,
    reason: str = "",
) -> Run:
    """Import the rejected customers of a run again from its kept copy; returns the new run.

    The file is read as its format says now. Of a file that was rejected as a whole, all customers are taken; where
    rows named no customer, also those that they name now. Customers that came again since are skipped with a warning
    that says why. `queued` is a run that waits for this already.

    Raises AccountBusy as `import_file` does, and SettingsWrong where it cannot be replayed: nothing was rejected, it is
    a dry run, held, undone or not at its end, its copy is gone, or its format does not read it.
    """
    check_replay(run)
    with claim_account(run.account, patient=patient):
        check_replay(run)
        version = find_present_version(run)
        with fetched(run.kept_file, run.file_name) as path:
            replay = _choose(run, path, read_spec(version) if version else STANDARD)
            request = ImportRequest(account=run.account, path=path, version=version, replay=replay, queued=queued)
            if queued is None:
                origin = Origin(file_name=run.file_name, sha256=run.kept_file.sha256 if run.kept_file else "")
                request = replace(request, origin=origin, started_by=user, reason=reason, dry_run=dry_run)
            return import_file(request)


def queue_replay(run: Run, user: User, *, dry_run: bool = False, reason: str = "") -> Run:
    """A run that waits for a worker to replay another one, with a copy of its file. Raises SettingsWrong as above.

    Whoever asks twice gets the one that waits.
    """
    with transaction.atomic():
        Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        check_replay(run)
        version = find_present_version(run)
        asked = run.replayed_as.filter(dry_run=dry_run, status=Run.Status.QUEUED, format_version=version)
        return asked.first() or queue_run(
            run.account,
            user,
            file_name=run.file_name,
            file_size=run.file_size,
            sha256=run.sha256,
            kept_file=share(run.kept_file, run.file_name),
            format_name=str(version or STANDARD.name),
            format_version=version,
            replays=run,
            dry_run=dry_run,
            reason=reason,
        )


def check_replay(run: Run) -> None:
    """Raise SettingsWrong, saying why, where the run cannot be replayed."""
    run.refresh_from_db()
    if problem := _find_problem(run):
        raise SettingsWrong(f"{run} cannot be replayed: {problem}")


def may_be_replayed(run: Run) -> bool:
    """Whether a replay makes sense, as far as the run itself tells."""
    return not _find_problem(run)


def _find_problem(run: Run) -> str:
    if run.undoes_id is not None:
        return f"it read no file, it took run {run.undoes_id} back."
    if run.dry_run:
        return "it is a dry run, which applied nothing. Import its file."
    if run.held_for or run.decision:
        return f"its file is {describe_state(run)}, and nothing of it was applied. Release it or have it sent again."
    if run.status not in (Status.SUCCEEDED, Status.PARTIAL, Status.REJECTED):
        return f"it is {run.status}. Only what a run rejected is imported again."
    if run.status == Status.SUCCEEDED:
        return "it rejected nothing."
    if not run.kept_file_id:
        return f"no copy of {run.file_name} is kept any more. Have the file sent again."
    return ""


def find_left(replay: Run) -> Iterator[tuple[str, str]]:
    """The customers that a replay has left as they are, and why."""
    issues = replay.issues.filter(code=LEFT, more=0).order_by("line", "id")
    yield from issues.values_list("customer_code", "message").iterator()


# -- which customers


def _choose(run: Run, path: Path, spec: FormatSpec) -> Replay:
    """The customers to take, and why the others that were rejected are left."""
    try:
        present = read_codes(path, spec)
    except (FileRejected, FileHeld) as problem:
        raise SettingsWrong(f"{run} cannot be replayed: {spec.name} does not read its file: {problem}") from None
    if not run.customers:
        wanted, gone = present, set[str]()
    else:
        rejected = _find_rejected(run)
        named = {issue_code(code): code for code in present}
        wanted, gone = {named[code] for code in rejected & named.keys()}, rejected - named.keys()
        if run.rows_rejected:
            wanted |= present - (_read_as_then(run) if _is_as_then(run) else set())
    left = dict.fromkeys(sorted(gone), f"{spec.name} finds no such customer in the file")
    left |= _find_later(run, wanted)
    return Replay(run, wanted - left.keys(), left)


def _find_rejected(run: Run) -> set[str]:
    """The codes of the rejected customers as issues name them; those that issues only count are read in the rejects."""
    errors = run.issues.filter(severity=Issue.Severity.ERROR)
    codes = set(errors.exclude(customer_code="").order_by().values_list("customer_code", flat=True).distinct())
    if len(codes) < run.rejected:
        codes |= {issue_code(code) for code in _read_as_then(run, rejects=True)}
    return codes


def _read_as_then(run: Run, *, rejects: bool = False) -> set[str]:
    """The codes of the customers in the run's file, or in its rejects, as it was read then."""
    file = run.rejects_file if rejects else run.kept_file
    try:
        with fetched(file, run.file_name) as path:
            return read_codes(path, _spec_of(run))
    except (FileRejected, FileHeld, SettingsWrong) as problem:
        raise SettingsWrong(
            f"{run} cannot be replayed: its {'rejects' if rejects else 'file'} cannot be read as it was then, so "
            f"nobody knows which customers it rejected: {problem} Have the file sent again."
        ) from None


def _is_as_then(run: Run) -> bool:
    """Whether the version that a run was read with says what it said then; drafts in sandboxes are edited."""
    return run.format_digest is None or bytes(run.format_digest) == _spec_of(run).digest


def _find_later(run: Run, codes: set[str]) -> dict[str, str]:
    """Why some customers are left: runs after this one have them in their files, or may have."""
    later = list(_later_runs(run))
    left = {}
    changed = Change.objects.filter(
        account=run.account_id, customer_code__in=codes, run_id__in=[other.pk for other in later]
    )
    for code, number in changed.order_by("run_id").values_list("customer_code", "run_id").distinct():
        left[code] = f"run {number} has taken it since"
    files = [other for other in later if other.replays_id is None]
    left |= _find_rejected_again(files, codes - left.keys())
    known = _find_known(run, codes - left.keys())
    for other in files:
        unsure = {code for code in codes - left.keys() if code in known or _tells_not_all(other)}
        if not unsure or not (other.unchanged or other.skipped or _tells_not_all(other)):
            continue
        try:
            with fetched(other.kept_file, other.file_name) as path:
                has = read_codes(path, _spec_of(other))
            why = f"the file of run {other.pk} has it too"
        except (FileRejected, FileHeld, SettingsWrong):
            has = unsure
            why = f"no copy of the file of run {other.pk} is kept, so it may have come again"
        left |= dict.fromkeys(unsure & has, why)
    return left


def _later_runs(run: Run) -> QuerySet[Run]:
    """Runs that took customers, or rejected them, after a run; the newest first. What was undone has taken none."""
    statuses = [Status.SUCCEEDED, Status.PARTIAL, Status.REJECTED]
    later = run.account.runs.filter(pk__gt=run.pk, dry_run=False, undoes=None, status__in=statuses, customers__gt=0)
    return later.exclude(status=Status.REJECTED, decision=Run.Decision.REJECTED).select_related(
        "format_version__format"
    )


def _find_rejected_again(files: list[Run], codes: set[str]) -> dict[str, str]:
    """Customers that later files have and that were rejected there: those files are to be replayed."""
    named = {issue_code(code): code for code in codes}
    errors = Issue.objects.filter(run__in=files, severity=Issue.Severity.ERROR, customer_code__in=named)
    again = errors.order_by("run").values_list("customer_code", "run").distinct()
    return {named[code]: f"run {number} rejected it too; replay that one" for code, number in again}


def _find_known(run: Run, codes: set[str]) -> set[str]:
    """Customers that a file may have had without a trace, because they were there: unchanged, or skipped."""
    connections = Connection.objects.filter(account=run.account_id, customer_code__in=codes)
    changes = Change.objects.filter(account=run.account_id, customer_code__in=codes, at__gte=run.started_at)
    known = connections.values_list("customer_code", flat=True).union(changes.values_list("customer_code", flat=True))
    return set(known)


def _tells_not_all(run: Run) -> bool:
    """Whether a run rejected more customers than its issues may name."""
    return Issue.objects.filter(run=run, severity=Issue.Severity.ERROR, more__gt=0).exists()


def _spec_of(run: Run) -> FormatSpec:
    version = find_version_of(run)
    return read_spec(version) if version else STANDARD
