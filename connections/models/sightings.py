"""On which day a file last mentioned a connection, see `connections.history.sightings`."""

from __future__ import annotations

from django.db import models

from accounts.models import Account
from connections.models.fields import IdRanges


class Sighting(models.Model):
    """The connections that files mentioned on a day, and on none since."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(help_text="In UTC.")
    ids = IdRanges()
    is_full = models.BooleanField(
        default=False, db_default=False, help_text="Whether a file of that day listed all customers."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="one_sighting_a_day")]

    def __str__(self) -> str:
        return str(self.day)
