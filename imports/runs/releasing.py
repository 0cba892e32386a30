"""Release and reject: a person decides about a held file. Admin, API and commands call these two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.outages import find_full_disk
from imports.choosing import find_present_version, read_spec
from imports.copies import fetched
from imports.errors import FileHeld, FileRejected, SettingsWrong, TryAgainLater
from imports.files.mapping import CustomerMapping
from imports.files.opening import open_source
from imports.formats.spec import STANDARD
from imports.messages.telling import tell_of_refusal, tell_of_run
from imports.models import Run
from imports.pipeline import ImportRequest, Origin, import_file
from imports.pipeline.beginning import MOST_ATTEMPTS
from imports.pipeline.claiming import claim_account
from imports.pipeline.deciding import decide, say_settled
from imports.pipeline.ending import Release
from imports.queueing import postpone_waiting
from imports.storage import StorageUnreachable

if TYPE_CHECKING:
    from accounts.models import User
    from imports.formats.spec import FormatSpec


def release_run(
    held: Run, *, by: str, user: User | None = None, force: bool = False, patient: bool = True, reason: str = ""
) -> Run:
    """Import the kept copy of a held file, whatever the limits say; returns the new run.

    It is read as its format says now; one that failed again and again is tried once more, and judged like any other.
    Raises AccountBusy as `import_file` does, StorageUnreachable, and SettingsWrong where it cannot be released: it
    awaits no decision, its copy is gone, a newer file went in (unless `force`), or its header is still not the approved
    one.
    """
    check_release(held, force=force)
    with claim_account(held.account, patient=patient):
        check_release(held, force=force)
        origin = Origin(
            file_name=held.file_name,
            feed=held.feed,
            remote_path=held.remote_path,
            remote_size=held.remote_size,
            remote_modified_at=held.remote_modified_at,
            sha256=held.sha256,
        )
        with fetched(held.kept_file, held.file_name) as path:
            request = ImportRequest(
                account=held.account,
                path=path,
                version=find_present_version(held),
                origin=origin,
                release=Release(held, by, reason),
                started_by=user,
            )
            return import_file(request)


def release_asked_for(run_id: int) -> str:
    """Release a held run that somebody asked to release. Where it is refused, they are told, and the run shows why."""
    asked = Run.objects.awaiting_decision().filter(pk=run_id, release_asked_at__isnull=False)
    if not asked.update(queued_at=None):
        return "Nobody asks for it any more."
    related = ("account__sandbox_of", "feed", "format_version__format", "release_asked_by")
    held = Run.objects.select_related(*related).get(pk=run_id)
    user = held.release_asked_by
    try:
        _check_failures(held)
        by = user.get_username() if user else ""
        run = release_run(held, by=by, user=user, force=held.release_forced, patient=False)
    except TryAgainLater as error:
        if isinstance(error, StorageUnreachable) or find_full_disk(error):
            postpone_waiting(held.account)
        return str(error)
    except SettingsWrong as error:
        with transaction.atomic():
            if asked.update(release_asked_at=None, release_problem=str(error)):
                tell_of_refusal(held, user, str(error))
        return str(error)
    return f"{run}: {run.status}"


def _check_failures(held: Run) -> None:
    """Raise SettingsWrong where the release failed too often since somebody asked for it."""
    failed = held.releases.filter(status=Run.Status.FAILED, started_at__gte=held.release_asked_at, attempts__gt=0)
    if failed.count() >= MOST_ATTEMPTS:
        last = failed.first()
        raise SettingsWrong(
            f"{held} could not be released in {MOST_ATTEMPTS} attempts. The last one: {last and last.message}"
        )


def check_release(held: Run, *, force: bool = False) -> None:
    """Raise SettingsWrong, saying why, where the run cannot be released."""
    held.refresh_from_db()
    if not held.awaits_decision:
        raise SettingsWrong(say_settled(held))
    if not held.kept_file_id:
        raise SettingsWrong(
            f"No copy of {held.file_name} is kept any more. Reject the run and have the file sent again."
        )
    if advice := find_advice(held):
        raise SettingsWrong(f"{held} cannot be released as it is. {advice}")
    newer = find_newer(held)
    if newer is not None and not force:
        raise SettingsWrong(
            f"A newer file went in since: {newer}. Releasing {held} would bring older values back. Reject it, or "
            "release it with force if that is what you want."
        )


def find_advice(held: Run) -> str:
    """What must happen before a held file can be released at all; "" where somebody only has to decide.

    A file whose header is not the approved one stays unreadable until a version of its format reads such files.
    """
    if not held.awaits_decision:
        return ""
    try:
        version = find_present_version(held)
        spec = read_spec(version) if version else STANDARD
    except SettingsWrong as error:
        return f"{error} Or reject the run."
    if not held.needs_version:
        return ""
    problem = _find_drift(held, spec)
    if not problem:
        return ""
    name = version.format.name if version else "the format"
    return f"{problem} Approve a version of {name} that reads such files and release the run then, or reject it."


def _find_drift(held: Run, spec: FormatSpec) -> str:
    """Why the format does not read the held file, as it is now; the file is looked at only where it has changed."""
    if held.format_digest is not None and bytes(held.format_digest) == spec.digest:
        return f"{spec.name} does not read it: {held.message}"
    try:
        with fetched(held.kept_file, held.file_name) as path, open_source(path, spec.dialect) as source:
            CustomerMapping(spec, source.header)
    except FileHeld as hold:
        return f"{spec.name} does not read it either: {hold}"
    except (FileRejected, SettingsWrong, TryAgainLater):
        pass  # what the import says of it is the answer
    return ""


def find_newer(held: Run) -> Run | None:
    """The newest run that went into the account after the held file: of its feed, or imported by hand."""
    newer = Run.objects.applied().filter(account=held.account, pk__gt=held.pk, undoes=None)
    newer = newer.exclude(replays__lt=held.pk)
    if held.feed_id:
        newer = newer.filter(feed=held.feed_id) | newer.filter(feed=None)
    return newer.first()


def reject_run(held: Run, *, by: str, reason: str = "") -> Run:
    """Decide that nothing of a held file is applied; its sender is told. Raises SettingsWrong where it awaits none."""
    with transaction.atomic():
        decide(held, Run.Decision.REJECTED, by, reason)
        held.refresh_from_db()
        tell_of_run(held)
    return held
