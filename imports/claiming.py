"""Claim: one run at a time in an account, arbitrated by the database.

The claim is an advisory lock of the database session, so it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.db import Error, OperationalError, connection, transaction
from django.utils import timezone

from imports.errors import TryAgainLater
from imports.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import Account

PATIENCE = "60s"
"""How long to wait for the account's other run."""


@contextlib.contextmanager
def claim_account(account: Account) -> Iterator[None]:
    """Hold the account's claim; runs that a killed process left as running are first marked as failed.

    Raises TryAgainLater when another run still holds the claim after PATIENCE.
    """
    key = [f"customersync.account.{account.pk}"]
    with connection.cursor() as cursor:
        # The server looks for a killed client even while it works, so that its claim does not outlive it for long.
        cursor.execute("SET client_connection_check_interval = '1s'")
        cursor.execute(f"SET lock_timeout = '{PATIENCE}'")
        try:
            with transaction.atomic():
                cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", key)
        except OperationalError as error:
            raise TryAgainLater(
                f"Another file is being imported into {account.code} for longer than {PATIENCE}. "
                "Nothing was done; try again when it has ended."
            ) from error
        finally:
            cursor.execute("SET lock_timeout = DEFAULT")
        try:
            Run.objects.filter(account=account, status=Run.Status.RUNNING).update(
                status=Run.Status.FAILED,
                finished_at=timezone.now(),
                message="The process ended before the run did. Nothing was applied; import the file again.",
            )
            yield
        finally:
            with contextlib.suppress(Error):  # a lost session has given the claim back already
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)
