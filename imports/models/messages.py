"""Messages: what is told to somebody, until it is delivered; and who was seen at work."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.fields import SecretField
from accounts.models import Account
from accounts.plugins import load
from imports.models.feeds import Feed
from imports.querysets import HeartbeatQuerySet, MessageQuerySet

OUTBOX = "file"
"""The kind of messages that no task delivers: the next pull of their feed writes them to its server."""


def list_kinds() -> list[tuple[str, str]]:
    """The channels of the installed apps: kind and label."""
    return [(channel.kind, channel.label) for channel in load("channels")]


class Webhook(models.Model):
    """Where an account's events are posted to, signed."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="webhook")
    url = models.CharField("URL", max_length=500, help_text="https; told of every event as JSON.")
    secret = SecretField(max_length=200, help_text="Signs what is posted: HMAC with SHA-256.")
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["account"]

    def __str__(self) -> str:
        return f"Webhook of {self.account}"


class Message(models.Model):
    """What is told to somebody, until it is delivered."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="messages")
    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, null=True, blank=True, related_name="messages")
    run = models.ForeignKey("imports.Run", on_delete=models.CASCADE, null=True, blank=True, related_name="messages")
    kind = models.CharField(max_length=20, choices=list_kinds)
    event = models.CharField(max_length=40, help_text="What happened, such as run.held.")
    key = models.CharField(max_length=150, unique=True, help_text="Names the event, so that it is told once.")
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(auto_now_add=True)
    problem = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Message]] = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="messages_to_deliver",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} by {self.get_kind_display()}"


class Heartbeat(models.Model):
    """When something that runs by itself was last seen at work, by the clock of the database."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    worker = models.CharField(max_length=150, help_text="Machine and process.")
    skew = models.FloatField(
        default=0, db_default=0, help_text="Seconds that the clock of the machine was ahead of the database's."
    )

    objects: ClassVar[models.Manager[Heartbeat]] = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
