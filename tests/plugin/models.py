from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Account


class Heard(models.Model):
    """A run of which the plug-in was told."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    run = models.BigIntegerField()
    status = models.CharField(max_length=20)

    objects: ClassVar[models.Manager[Heard]] = models.Manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Run {self.run}: {self.status}"
