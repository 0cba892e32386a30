"""Single values that people keep as they are, whatever files say of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connections.models.changes import Change
from connections.models.connections import Connection


class KeptValue(models.Model):
    """A field of a record that files do not change, or a list of the connection (`price_types`) as a whole.

    Record and key are those of changes. Keys follow those of their records, and go with them, by triggers of the
    migrations, whoever writes.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="kept_values", db_index=False)
    record = models.CharField(max_length=13, choices=Change.Record)
    key = models.CharField(max_length=255, blank=True, db_collation="C")
    field = models.CharField(max_length=24)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    kept_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "record", "key", "field"], name="a_value_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_record_display()} {self.key}".strip() + f", {self.field}"
