"""Runs of files through the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from imports.errors import HeldFor, held_for_choices
from imports.models.formats import FormatVersion
from imports.models.kept_files import KeptFile
from imports.querysets import RunQuerySet

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_REASON = 1000
"""Of a reason, in characters."""


class Run(models.Model):
    """One file going through the pipeline once; the runs of a feed are its ledger of what it has taken."""

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        PARTIAL = "partial", "partial"
        REJECTED = "rejected", "rejected"
        HELD = "held", "held"
        FAILED = "failed", "failed"
        UNDONE = "undone", "undone"

    class Decision(models.TextChoices):
        RELEASED = "released", "released"
        REJECTED = "rejected", "rejected"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="runs", db_index=False)
    file_name = models.CharField(max_length=255)
    file_size = models.BigIntegerField(default=0, help_text="Bytes.")
    format_name = models.CharField(max_length=100, help_text="The format the file was read with.")
    format_version = models.ForeignKey(
        FormatVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    format_digest = models.BinaryField(max_length=32, null=True, editable=False)
    kept_file = models.ForeignKey(
        KeptFile, on_delete=models.RESTRICT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name="kept copy", help_text="The file as it came.",
    )  # fmt: skip
    rejects_file = models.ForeignKey(
        KeptFile, on_delete=models.RESTRICT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name="rejects", help_text="The rejected rows, with reasons where they have a header.",
    )  # fmt: skip
    reasons_file = models.ForeignKey(
        KeptFile, on_delete=models.RESTRICT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The reasons of rejected rows without a header.",
    )  # fmt: skip
    rejects_header = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False,
        help_text="A digest of the header, by which the rejects are known when they come back.",
    )  # fmt: skip
    dry_run = models.BooleanField(default=False, help_text="Checked and counted like any other, then rolled back.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=9, choices=Status, default=Status.RUNNING)
    message = models.TextField(
        blank=True, help_text="Why the run ended as it did, where the status alone does not say."
    )
    queued_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When an uploaded file, or a held one to be released, was last put into the queue; blank while it "
        "waits for the account.",
    )
    attempts = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="How many times a feed's or an uploaded file was tried, this time included, since it last came to an "
        "end.",
    )
    heartbeat_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="When the run was last seen at work."
    )
    stage = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="What is being done while the run runs."
    )
    stage_done = models.BigIntegerField(default=0, db_default=0, help_text="How much of that is done.")
    stage_total = models.BigIntegerField(default=0, db_default=0, help_text="How much of it there is.")
    stage_at = models.DateTimeField(null=True, editable=False, help_text="When that was begun.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="What the pipeline took.")

    feed = models.ForeignKey("imports.Feed", on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    remote_path = models.TextField(
        blank=True, default="", db_default="", help_text="Where the file lay on the feed's server."
    )
    remote_size = models.BigIntegerField(null=True, blank=True)
    remote_modified_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, default="", db_default="")
    meaning = models.BinaryField(
        max_length=16, null=True, editable=False,
        help_text="A digest of what decides, beside the file, what its rows mean; none where that was not asked.",
    )  # fmt: skip
    read_at = models.DateTimeField(
        null=True, editable=False, help_text="A watermark: what was changed from then on may have been missed."
    )
    compared_at = models.DateTimeField(
        null=True, blank=True, help_text="When a file that is left where it lay was last found to be what was taken."
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_as = models.TextField(
        blank=True, default="", db_default="", help_text="Where the file was moved to; blank if it was gone."
    )

    held_for = models.CharField(
        max_length=30, choices=held_for_choices, blank=True, db_default="", default="",
        help_text="Why a held file needs somebody.",
    )  # fmt: skip
    evidence = models.JSONField(
        null=True, editable=False, help_text="What a held file or a dry run would change, by field, with samples."
    )
    issue_groups = models.JSONField(
        null=True, editable=False, help_text="The issues counted by severity, code and field, with an example of each."
    )
    release_asked_at = models.DateTimeField(null=True, blank=True, help_text="When a person asked for the release.")
    release_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    release_forced = models.BooleanField(default=False, db_default=False)
    release_problem = models.TextField(
        blank=True, default="", db_default="", help_text="Why the release that was last asked for was refused."
    )
    decision = models.CharField(
        max_length=8,
        choices=Decision,
        blank=True,
        default="",
        db_default="",
        help_text="What a person decided about a held file.",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    reason = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why somebody released or rejected a held file, or asked for this replay or undo, in their words.",
    )
    released_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="releases", help_text="The held run."
    )
    replays = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="replayed_as",
        help_text="The run whose rejected customers this one imported again.",
    )
    undoes = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="undone_by",
        help_text="The run that this one took back.",
    )

    rows = models.PositiveIntegerField(default=0, help_text="Data records of the file; blank lines do not count.")
    rows_rejected = models.PositiveIntegerField(default=0, help_text="Rows that name no customer.")
    customers = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(
        default=0, help_text="Customers whose connection was rejected in review, or that a replay or an undo left."
    )
    deleted = models.PositiveIntegerField(default=0, db_default=0, help_text="Customers that an undo deleted.")

    objects: ClassVar[models.Manager[Run]] = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["feed", "-id"], name="runs_of_a_feed", condition=models.Q(feed__isnull=False)),
            models.Index(fields=["account", "-id"], name="runs_of_an_account"),
            models.Index(fields=["started_at"], name="runs_by_start"),
            models.Index(
                fields=["started_at"],
                name="runs_with_files",
                condition=models.Q(kept_file__isnull=False)
                | models.Q(rejects_file__isnull=False)
                | models.Q(evidence__isnull=False),
            ),
            models.Index(
                fields=["account", "-id"],
                name="runs_to_replay",
                condition=models.Q(
                    status__in=["partial", "rejected"],
                    dry_run=False,
                    held_for="",
                    undoes__isnull=True,
                    kept_file__isnull=False,
                ),
            ),
            models.Index(
                fields=["status"],
                name="runs_not_at_an_end",
                condition=models.Q(status__in=["queued", "running", "held"]),
            ),
            models.Index(fields=["queued_at"], name="queued_runs", condition=models.Q(queued_at__isnull=False)),
            models.Index(
                fields=["account", "rejects_header"], name="runs_by_rejects", condition=~models.Q(rejects_header="")
            ),
            *(
                models.Index(fields=[name], name=f"runs_by_{name}", condition=models.Q((f"{name}__isnull", False)))
                for name in ("kept_file", "rejects_file", "reasons_file")
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.file_name})"

    @property
    def is_applied(self) -> bool:
        return self.status in (self.Status.SUCCEEDED, self.Status.PARTIAL) and not self.dry_run

    @property
    def began_at(self) -> datetime:
        """All that it changed is from later, also by the clock of the database where that was asked."""
        return self.read_at or self.started_at

    @property
    def is_upload(self) -> bool:
        """Whether a worker imports it from its copy, or takes a run back, and can do so again."""
        is_queued = self.attempts and not self.remote_path and not self.released_from_id
        return bool(is_queued and (self.kept_file_id or self.undoes_id))

    @property
    def awaits_decision(self) -> bool:
        return self.status == self.Status.HELD and not self.decision and not self.dry_run

    @property
    def has_failed(self) -> bool:
        """Whether the file is held because it failed again and again; a release tries it once more."""
        return self.held_for == HeldFor.FAILURES

    @property
    def needs_version(self) -> bool:
        """Whether the file is held for what only another version of its format can read."""
        return bool(self.held_for) and HeldFor(self.held_for).needs_version

    COUNTS = ("rows", "rows_rejected", "customers", "created", "updated", "unchanged", "rejected", "skipped")

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.COUNTS}
