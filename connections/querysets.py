"""Conditions on connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from connections.models import Connection  # noqa: F401  (a name used in annotations)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def awaiting_review(self) -> Self:
        """New customers that nobody has decided on."""
        return self.filter(status="pending")

    def locked(self) -> Self:
        """For writing, in the order every writer takes them, so that two never wait for each other.

        References to the connections stay possible meanwhile: their keys do not change.
        """
        return self.order_by("pk").select_for_update(no_key=True, of=("self",))
