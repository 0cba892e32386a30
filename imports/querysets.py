"""Conditions on runs and format versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from accounts.models import Account
    from imports.models import FormatVersion, Run  # noqa: F401  (names used in annotations)


class FormatVersionQuerySet(models.QuerySet["FormatVersion"]):
    def live(self) -> Self:
        return self.filter(status="live")

    def of_account(self, account: Account) -> Self:
        """Versions of the account's formats; a sandbox uses those of its production account."""
        return self.filter(format__account=account.production)


class RunQuerySet(models.QuerySet["Run"]):
    def applied(self) -> Self:
        """Runs that changed the account, or found nothing to change."""
        return self.filter(status__in=["succeeded", "partial"], dry_run=False)

    def accepted_tests(self, version: FormatVersion) -> Self:
        """Runs in a sandbox that took at least one customer, read by the version exactly as it is now."""
        return (
            self.applied()
            .filter(account__sandbox_of__isnull=False, format_version=version, format_digest=version.to_spec().digest)
            .exclude(created=0, updated=0, unchanged=0)
        )

    def with_kept_file(self) -> Self:
        return self.exclude(kept_file="")
