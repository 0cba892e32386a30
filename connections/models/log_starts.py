"""From where on the log of changes is whole, see `connections.history.shortening`."""

from __future__ import annotations

from django.db import models

from accounts.models import Account


class LogStart(models.Model):
    """The last change of an account that was old enough to be looked at; without a row, nothing was."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="log_start")
    at = models.DateTimeField(help_text="Of changes from before, those that a later one of them replaced are gone.")
    number = models.PositiveBigIntegerField(help_text="Of that change, as several may be of the same moment.")

    def __str__(self) -> str:
        return f"{self.account_id}: {self.at:%Y-%m-%d}"
