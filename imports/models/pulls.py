"""Pulls: each look into a feed's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from imports.models.feeds import Feed

if TYPE_CHECKING:
    from datetime import datetime


class Pull(models.Model):
    """One look into a feed's folder, and what was done with what lay there.

    Looks in a row that found the same, and nothing to import, are one row: that of the last.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        INTERRUPTED = "interrupted", "interrupted"

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="pulls", db_index=False)
    status = models.CharField(max_length=11, choices=Status, default=Status.RUNNING)
    worker = models.CharField(max_length=150, help_text="Machine and process.")
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    listed = models.PositiveIntegerField(default=0, help_text="Files that the mask takes.")
    omitted = models.PositiveIntegerField(default=0, db_default=0, help_text="Files that are not taken.")
    imported = models.PositiveIntegerField(default=0, help_text="Files that went through the pipeline.")
    message = models.TextField(blank=True)
    times = models.PositiveIntegerField(
        default=1, db_default=1, help_text="How many pulls in a row, this one the last, found the same and no new file."
    )
    first_at = models.DateTimeField(null=True, blank=True, help_text="When the first of them began; blank for one.")

    asked = has_left_overs = has_outbox = False
    claimed_at: datetime
    """What its claim found: whether somebody asked for it, what else it is to do, and the database's time."""

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["feed"], condition=Q(status="running"), name="one_running_pull_of_a_feed"),
        ]
        indexes = [
            models.Index(fields=["feed", "-id"], name="pulls_of_a_feed"),
            models.Index(fields=["feed", "-id"], name="pulls_with_files", condition=Q(imported__gt=0)),
        ]

    def __str__(self) -> str:
        return f"Pull {self.pk} of {self.feed}"

    @property
    def since(self) -> datetime:
        """When the first of the pulls began that the row stands for."""
        return self.first_at or self.started_at
