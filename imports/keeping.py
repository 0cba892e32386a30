"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from imports.errors import SettingsWrong

if TYPE_CHECKING:
    from pathlib import Path

    from accounts.models import Account
    from imports.models import Run


def keep_file(run: Run, path: Path) -> None:
    """Keep a copy of the run's file. Raises SettingsWrong where there is no room for it."""
    if not settings.KEEP_FILES_DAYS:
        return
    with path.open("rb") as file:
        try:
            run.kept_file.save(path.name, File(file), save=False)
        except OSError as error:
            raise SettingsWrong(f"No copy of {path.name} can be kept in DATA_DIR: {error.strerror}.") from error
    run.save(update_fields=["kept_file"])


def forget_old_files(account: Account) -> None:
    """Delete the copies of the account's files that are older than KEEP_FILES_DAYS; their runs stay."""
    oldest = timezone.now() - timedelta(days=settings.KEEP_FILES_DAYS)
    for run in account.runs.with_kept_file().filter(started_at__lt=oldest):
        run.kept_file.delete(save=False)
        run.save(update_fields=["kept_file"])


def delete_kept_file(sender: type[Run], instance: Run, **_: Any) -> None:
    """When a run is deleted, by itself or with its account, its copy goes too."""
    name = instance.kept_file.name
    if name:
        transaction.on_commit(lambda: instance.kept_file.storage.delete(name))
