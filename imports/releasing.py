"""Release and reject: a person decides about a held file. Admin, API and commands call these two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from imports.claiming import claim_account
from imports.deciding import decide, describe_state
from imports.errors import SettingsWrong
from imports.models import Feed, Run
from imports.pipeline import Origin, Release, import_file
from imports.telling import tell_of_run
from imports.versioning import STANDARD_NAME, find_version

if TYPE_CHECKING:
    from accounts.models import User
    from imports.models import FormatVersion


def release_run(held: Run, *, by: str, user: User | None = None, force: bool = False) -> Run:
    """Import the kept copy of a held file, whatever the limits say; returns the new run.

    It is read as its format says now. Raises SettingsWrong where it cannot be released: it awaits no decision, its
    copy is gone, a newer file went in (unless `force`), or its header is still not the approved one.
    """
    with claim_account(held.account):
        check_release(held, force=force)
        origin = Origin(
            file_name=held.file_name,
            feed=held.feed,
            remote_path=held.remote_path,
            remote_size=held.remote_size,
            remote_modified_at=held.remote_modified_at,
            sha256=held.sha256,
        )
        run = import_file(
            held.account,
            Path(held.kept_file.path),
            version=find_version_for(held),
            origin=origin,
            release=Release(held, by),
            started_by=user,
        )
    _pull_soon(held)
    return run


def check_release(held: Run, *, force: bool = False) -> None:
    """Raise SettingsWrong, saying why, where the run cannot be released."""
    held.refresh_from_db()
    if not held.awaits_decision:
        raise SettingsWrong(f"{held} awaits no decision: it is {describe_state(held)}.")
    if not held.kept_file or not Path(held.kept_file.path).is_file():
        raise SettingsWrong(
            f"No copy of {held.file_name} is kept any more. Reject the run and have the file sent again."
        )
    newer = find_newer(held)
    if newer is not None and not force:
        raise SettingsWrong(
            f"A newer file went in since: {newer}. Releasing {held} would bring older values back. Reject it, or "
            "release it with force if that is what you want."
        )


def find_newer(held: Run) -> Run | None:
    """The newest run that went into the account after the held file: of its feed, or imported by hand."""
    newer = Run.objects.applied().filter(account=held.account, pk__gt=held.pk)
    if held.feed_id:
        newer = newer.filter(feed=held.feed_id) | newer.filter(feed=None)
    return newer.first()


def find_version_for(held: Run) -> FormatVersion | None:
    """The version that files of the held run's format are read with now."""
    if held.format_version is None:
        return find_version(held.account, STANDARD_NAME)
    return find_version(held.account, held.format_version.format.name)


def reject_run(held: Run, *, by: str) -> Run:
    """Decide that nothing of a held file is applied; its sender is told. Raises SettingsWrong where it awaits none."""
    with transaction.atomic():
        decide(held, Run.Decision.REJECTED, by)
        held.refresh_from_db()
        tell_of_run(held)
    _pull_soon(held)
    return held


def _pull_soon(held: Run) -> None:
    """What waited behind the held file need not wait for the next hour."""
    Feed.objects.filter(runs=held).update(next_pull_at=timezone.now())
