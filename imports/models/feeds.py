"""Feeds: where files come from, how they are taken, and how the feed is doing."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.fields import SecretField, is_set, secret_names
from accounts.models import Account
from imports.errors import SettingsWrong
from imports.filesystems import ServerSettings, find_transport, list_protocols
from imports.filesystems.markers import SETTLED, Marker, MarkerError
from imports.filesystems.masks import Mask, MaskError
from imports.models.formats import Format
from imports.querysets import FeedQuerySet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LEAST_INTERVAL = 60
"""Minutes: files are pulled at most once an hour."""
EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
SERVER_FIELDS = frozenset({"protocol", "host", "port", "user", "url"})
"""What decides where a feed's secrets are sent."""


class Feed(models.Model):
    """A folder on a server that is looked into every hour, and what to do with what lies there."""

    class AfterImport(models.TextChoices):
        MOVE = "move", "move it to the processed or failed folder"
        LEAVE = "leave", "leave it where it is"

    class WhileHeld(models.TextChoices):
        WAIT = "wait", "later files wait"
        GO_ON = "go_on", "later files are imported"

    class LastLine(models.TextChoices):
        WAIT = "wait", "waits for the next pull where the last line has no end"
        TRUST = "trust", "is whole though the last line has no end"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="feeds")
    name = models.SlugField(max_length=60, help_text="Names the feed in commands.")
    enabled = models.BooleanField(default=True)

    protocol = models.CharField(max_length=13, choices=list_protocols, default="sftp")
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
        help_text="Blank: the usual.",
    )
    user = models.CharField(max_length=255, blank=True)
    password = SecretField(blank=True, max_length=500, help_text="Also opens the private key where that has one.")
    private_key = SecretField(blank=True, help_text="SFTP: in OpenSSH or PEM format, instead of a password.")
    host_key = models.TextField(
        blank=True,
        help_text="SFTP: the server's key, or its SHA256 fingerprint, one per line. Needed; check_feed shows it.",
    )
    ca_bundle = models.TextField(
        "CA bundle", blank=True, help_text="FTPS: the PEM certificates to trust instead of the usual."
    )
    certificate_fingerprint = models.CharField(
        max_length=200, blank=True, help_text="FTPS: SHA-256 of the server's own certificate; then it alone is trusted."
    )
    url = models.CharField("URL", max_length=500, blank=True, help_text="Another fsspec URL, such as s3://bucket.")
    options = SecretField(blank=True, help_text="For a URL: what fsspec needs to log in, one name = value per line.")

    folder = models.CharField(max_length=500, blank=True, help_text="On the server; blank for where the login leads.")
    mask = models.CharField(
        max_length=200,
        blank=True,
        help_text="Of the files' names: customers_{%Y%m%d%H%M%S}*.txt, or *.csv. Blank: *.txt and *.csv, in any case.",
    )
    format = models.ForeignKey(
        Format,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="feeds",
        help_text="How its files are read; going live with another format does not change it.",
    )
    interval_minutes = models.PositiveIntegerField(
        "interval",
        default=LEAST_INTERVAL,
        validators=[MinValueValidator(LEAST_INTERVAL)],
        help_text="Minutes, at least 60.",
    )
    settle_seconds = models.PositiveIntegerField(
        default=5,
        validators=[MaxValueValidator(300)],
        help_text="How long a file must keep its size and time before it is taken.",
    )
    last_line = models.CharField(
        "a file",
        max_length=5,
        choices=LastLine,
        default=LastLine.WAIT,
        db_default=LastLine.WAIT,
        help_text="Unless it was the same at the pull before. An empty file always waits.",
    )
    ready_when = models.CharField(
        max_length=200,
        default=SETTLED,
        db_default=SETTLED,
        help_text="settled, or how the files are called that say that another one is whole: {name}.done, {stem}.ctl; "
        "and behind that what they hold to be compared: {stem}.ctl rows, {name}.sha256 sha256.",
    )
    after_import = models.CharField(max_length=5, choices=AfterImport, default=AfterImport.MOVE)
    processed_folder = models.CharField(max_length=200, default="processed", help_text="Within the folder.")
    failed_folder = models.CharField(max_length=200, default="failed", help_text="Within the folder.")
    outbox_folder = models.CharField(
        max_length=200,
        blank=True,
        help_text="Within the folder; receipts and rejects are written there. Blank: nowhere.",
    )
    while_held = models.CharField(max_length=5, choices=WhileHeld, default=WhileHeld.WAIT)
    most_bytes = models.BigIntegerField(
        "largest file", default=500_000_000, validators=[MinValueValidator(1)], help_text="Bytes."
    )
    most_files = models.PositiveIntegerField(
        "most files",
        default=100,
        validators=[MinValueValidator(1)],
        help_text="Of one pull; the rest waits for the next.",
    )
    contacts = ArrayField(models.EmailField(), default=list, blank=True, help_text="Told when something is wrong.")
    silent_after_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text="Tell the contacts when no file came for longer. Blank: never."
    )
    alert_after = models.PositiveIntegerField(
        default=3, validators=[MinValueValidator(1)], help_text="Tell the contacts after so many failed pulls in a row."
    )

    next_pull_at = models.DateTimeField(null=True, blank=True, editable=False)
    queued_at = models.DateTimeField(null=True, blank=True, editable=False)
    pull_asked = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Somebody waits for the next pull."
    )
    waits_for_account = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Until another file has gone into the account."
    )
    pulled_at = models.DateTimeField("last good pull", null=True, blank=True, editable=False)
    file_at = models.DateTimeField("last file", null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="Failed pulls since the last good one.")
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    alerted_at = models.DateTimeField(null=True, blank=True, editable=False)
    problem = models.TextField(blank=True, editable=False)
    waiting = models.JSONField(
        null=True, editable=False, help_text="How files looked that may not be whole and wait, by path."
    )
    move_problem = models.TextField(
        blank=True, default="", db_default="", editable=False, help_text="Why what was imported cannot be moved away."
    )
    move_failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    move_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    omitted = models.JSONField(
        null=True, editable=False, help_text="Files that are not taken, and since when each was seen."
    )
    omission_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    silence_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Feed]] = FeedQuerySet.as_manager()

    class Meta:
        ordering = ["account", "name"]
        indexes = [models.Index(fields=["queued_at"], name="queued_feeds", condition=Q(queued_at__isnull=False))]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="one_feed_of_a_name_in_an_account"),
            models.CheckConstraint(
                condition=Q(interval_minutes__gte=LEAST_INTERVAL), name="feeds_are_pulled_once_an_hour_at_most"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        for name, value in self.settled.items():
            setattr(self, name, value)
        errors = self._find_server_problems()
        try:
            Mask.parse(self.mask)
        except MaskError as error:
            errors["mask"] = str(error)
        try:
            Marker.parse(self.ready_when)
        except MarkerError as error:
            errors["ready_when"] = str(error)
        for name in ("processed_folder", "failed_folder", "outbox_folder"):
            within = getattr(self, name)
            parts = PurePosixPath(within).parts
            if within and (not parts or ".." in parts or within.startswith("/") or not within.isprintable()):
                errors[name] = "Give a folder within the feed's folder."
        if self.format and self.account_id and self.format.account_id != self.account.production.pk:
            errors["format"] = "The format belongs to another account."
        if errors:
            raise ValidationError(errors)

    def find_exposed_secrets(self, changed: Collection[str], given: Collection[str]) -> list[str]:
        """Names of the stored secrets that these changes would send to another server than they were given for.

        Those that are given anew are not among them.
        """
        if not SERVER_FIELDS & set(changed):
            return []
        return [name for name in secret_names(Feed) if name not in given and is_set(self, name)]

    def _find_server_problems(self) -> dict[str, str]:
        """What its transport finds wrong, by the name of the field; secrets are not even decrypted for that."""
        try:
            transport = find_transport(self.protocol)
        except SettingsWrong as error:
            return {"protocol": str(error)}
        errors = transport.find_problems(replace(self._server, root=self._root))
        if problem := _find_url_problem(self.url):
            errors["url"] = problem
        pin = transport.pinned_by
        if pin and not getattr(self, pin).strip():
            errors[pin] = "Give the server's key or its fingerprint; without it nobody knows whose server it is."
        return errors | transport.find_pin_problems(self._server)

    @property
    def settled(self) -> Mapping[str, Any]:
        """What its fields always hold with its transport; `clean` sets them."""
        try:
            return find_transport(self.protocol).settled
        except SettingsWrong:
            return {}

    @property
    def state(self) -> tuple[str, str]:
        """How the feed is doing: in one of a few words, and as people read it. `is_held` comes from the queryset."""
        if not self.enabled:
            return "disabled", "disabled"
        if self.failures:
            return "failing", f"failed {self.failures}\xa0times" if self.failures > 1 else "failed once"
        if getattr(self, "is_held", False):
            return "waits for a decision", "waits for a decision"
        if self.move_problem:
            return "cannot move files", "cannot move files"
        name = "works" if self.pulled_at else "never pulled"
        return name, name

    @property
    def trouble(self) -> str:
        """Why it fails, or cannot move files; blank where it does neither."""
        if not self.enabled:
            return ""
        return self.problem if self.failures else self.move_problem

    @property
    def server_name(self) -> str:
        """Names the server in lists; never with what logs in."""
        try:
            return find_transport(self.protocol).name_server(self._server)
        except SettingsWrong:
            return f"{self.protocol}, which no installed app speaks"

    @property
    def server(self) -> ServerSettings:
        """Where and how to log in, with the secrets that its transport reads. Raises SettingsWrong where it is gone."""
        transport = find_transport(self.protocol)
        secrets: dict[str, Any] = {name: getattr(self, name) for name in secret_names(Feed) if name in transport.fields}
        if "options" in secrets:
            pairs = (line.partition("=") for line in secrets["options"].splitlines() if line.strip())
            secrets["options"] = {name.strip(): value.strip() for name, _, value in pairs}
        return replace(self._server, **secrets, root=self._root)

    @property
    def _server(self) -> ServerSettings:
        """The same without the secrets."""
        return ServerSettings(
            protocol=self.protocol,
            host=self.host,
            port=self.port,
            user=self.user,
            host_key=self.host_key,
            ca_bundle=self.ca_bundle,
            certificate_fingerprint=self.certificate_fingerprint,
            url=self.url,
            schemes=tuple(settings.URL_FEEDS),
            feed=self.pk,
            timeout=settings.FEED_TIMEOUT,
        )

    @property
    def _root(self) -> Path | None:
        """The account's folder among those of this machine."""
        return settings.LOCAL_FEEDS and settings.LOCAL_FEEDS / (self.account.code if self.account_id else "")

    @property
    def is_queued(self) -> bool:
        """Whether a pull waits for a worker."""
        return self.queued_at is not None and self.queued_at <= timezone.now()

    @property
    def is_looked_at_again(self) -> bool:
        """Whether a pull that somebody asked for goes on in some seconds."""
        return self.pull_asked and self.queued_at is not None and not self.is_queued

    def next_slot(self, after: datetime) -> datetime:
        """The feed's next turn: its interval counted from a fixed time, plus minutes of its own.

        In UTC, so that no change of clocks moves or repeats it; feeds are spread over their interval by their number.
        """
        interval = timedelta(minutes=self.interval_minutes)
        spread = timedelta(seconds=zlib.crc32(str(self.pk).encode()) % int(interval.total_seconds()))
        turns = (after - EPOCH - spread) // interval
        return EPOCH + spread + (turns + 1) * interval


def _find_url_problem(url: str) -> str:
    """What a URL may not be, because everybody who sees the feed sees it."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return "That is no URL. Check its brackets."
    return "Give no password in the URL; the options are stored encrypted." if password else ""
