"""What matching stores: the keys by which connections are found, what was suggested, and how far it has come.

Keys and suggestions go with their connections by a trigger of the migrations, whoever deletes them.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import Account


class MatchKey(models.Model):
    """One of a connection's keys, see `connections.matching.blocking`."""

    pk = models.CompositePrimaryKey("key", "connection_id")
    key = models.BigIntegerField()
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.key} of {self.connection_id}"


class Suggestion(models.Model):
    """That two connections may be one customer. A pair is stored once, with whichever was looked at last in front."""

    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    other = models.ForeignKey(
        "connections.Connection", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    score = models.FloatField(
        validators=[MinValueValidator(0), MaxValueValidator(1)], help_text="How likely they are one customer."
    )
    reasons = models.JSONField(help_text="Sentences, the strongest first.")

    class Meta:
        ordering = ["-score", "id"]
        constraints = [models.UniqueConstraint(fields=["connection", "other"], name="one_suggestion_of_a_pair")]

    def __str__(self) -> str:
        return f"{self.connection_id} may be {self.other_id} ({self.score})"


class MatchingProgress(models.Model):
    """How far the connections of an account were looked at: all that were updated before a time, and at it those up to
    a number."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    updated_at = models.DateTimeField()
    connection_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.account_id} up to {self.updated_at}"
