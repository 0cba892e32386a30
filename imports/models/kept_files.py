"""Files that are kept: of each content one copy in an account, however many runs name it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Account
from imports.querysets import KeptFileQuerySet


class KeptFile(models.Model):
    """The bytes of a file, kept in the storage as long as anything of the account refers to this row."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="kept_files")
    sha256 = models.CharField(
        "SHA-256", max_length=64, blank=True, help_text="Of the bytes as they came; blank of those of an old layout."
    )
    size = models.BigIntegerField(null=True, help_text="Bytes as they came.")
    key = models.CharField(max_length=200, unique=True, help_text="The name in the storage, which no other ever has.")
    stored_size = models.BigIntegerField(null=True, help_text="Bytes in the storage.")
    compressed = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[KeptFile]] = KeptFileQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sha256"], name="one_kept_file_of_a_content", condition=~models.Q(sha256="")
            ),
        ]

    def __str__(self) -> str:
        return self.key
