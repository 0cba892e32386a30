"""What connections are found by, see `connections.documents`."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class SearchDocument(models.Model):
    """The words of one connection."""

    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="words_of_connections")]

    def __str__(self) -> str:
        return f"words of {self.connection_id}"
