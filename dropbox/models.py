"""The drop box: who may log in, what lies there, who was there, and what the server is known by."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from accounts.fields import SecretField
from accounts.models import Account
from dropbox.querysets import LoginQuerySet, SessionQuerySet, StoredFileQuerySet
from imports.models import Feed, KeptFile

LONGEST_NAME = 255
"""Bytes of the name of an uploaded file, in UTF-8."""


class Login(models.Model):
    """Who may leave files in the folder of a feed, by password or by key."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="logins")
    user_name = models.CharField(
        max_length=120,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Take letters, digits, dots, dashes.")],
        help_text="Of the whole installation: no other login has it.",
    )
    password = models.CharField(max_length=200, blank=True, editable=False, help_text="Its hash; blank for none.")
    public_keys = models.TextField(
        blank=True, help_text="SFTP: whose private keys log in without a password, in OpenSSH format, one per line."
    )
    enabled = models.BooleanField(default=True)
    at_once = models.BooleanField(
        "imported at once",
        default=False,
        help_text="Every file is imported when it is uploaded; else a file that comes within the feed's interval after "
        "the last import waits for its end.",
    )
    quota_bytes = models.BigIntegerField(
        "quota",
        default=2_000_000_000,
        validators=[MinValueValidator(1)],
        help_text="Bytes that may lie in the folder before they are imported.",
    )
    most_files = models.PositiveIntegerField(
        "files an hour", default=1000, validators=[MinValueValidator(1)], help_text="More are refused until it is over."
    )
    most_sessions = models.PositiveIntegerField(
        "sessions", default=250, validators=[MinValueValidator(1)], help_text="At the same time."
    )
    hour = models.DateTimeField(null=True, editable=False)
    files = models.PositiveIntegerField(default=0, editable=False, help_text="Uploaded in that hour.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Login]] = LoginQuerySet.as_manager()

    class Meta:
        ordering = ["user_name"]

    def __str__(self) -> str:
        return self.user_name

    def clean(self) -> None:
        from dropbox.keys import find_key_problem

        errors = {}
        if problem := find_key_problem(self.public_keys):
            errors["public_keys"] = problem
        if self.feed_id and self.feed.protocol != "dropbox":
            errors["feed"] = "Files of this feed come from a server of somebody else. Choose one of the drop box."
        if errors:
            raise ValidationError(errors)


class StoredFile(models.Model):
    """A file in a folder of a drop box: uploaded, archived, or given back to its sender."""

    class Folder(models.TextChoices):
        IN = "in", "in"
        PROCESSED = "processed", "processed"
        FAILED = "failed", "failed"
        OUT = "out", "out"

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="stored_files")
    folder = models.CharField(max_length=9, choices=Folder)
    name = models.CharField(max_length=LONGEST_NAME + 100, help_text="An archive's is the longer one.")
    whole = models.BooleanField(default=True, help_text="No: its upload was cut off, and can be resumed.")
    size = models.BigIntegerField(help_text="Bytes.")
    modified_at = models.DateTimeField()
    content = models.ForeignKey(KeptFile, on_delete=models.RESTRICT, related_name="+")

    objects: ClassVar[models.Manager[StoredFile]] = StoredFileQuerySet.as_manager()

    class Meta:
        ordering = ["feed", "folder", "name"]
        constraints = [
            models.UniqueConstraint(fields=["feed", "folder", "name", "whole"], name="one_file_of_a_name_in_a_folder"),
        ]

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


class Session(models.Model):
    """One stay of a login on the drop box."""

    class Protocol(models.TextChoices):
        SFTP = "SFTP", "SFTP"
        FTPS = "FTPS", "FTPS"
        FTP = "FTP", "FTP, unencrypted"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="dropbox_sessions")
    login = models.ForeignKey(Login, on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions")
    user_name = models.CharField(max_length=120)
    protocol = models.CharField(max_length=4, choices=Protocol)
    address = models.CharField(max_length=45)
    server = models.CharField(max_length=150, help_text="Machine and process.")
    began_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended = models.CharField("how it ended", max_length=200, blank=True)
    files = models.PositiveIntegerField("files uploaded", default=0)
    bytes = models.BigIntegerField("bytes uploaded", default=0)
    fetched = models.PositiveIntegerField("files fetched", default=0)
    refusal = models.TextField("last refusal", blank=True)

    objects: ClassVar[models.Manager[Session]] = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["ended_at"], name="dropbox_sessions_by_end")]

    def __str__(self) -> str:
        return f"{self.user_name} from {self.address}"


class ServerKey(models.Model):
    """What every drop box of the installation presents of itself: an SSH host key, or the certificate of FTPS."""

    kind = models.CharField(max_length=30, unique=True)
    private = SecretField("private key of the drop box")
    public = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[ServerKey]] = models.Manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.kind
