"""Fields that PostgreSQL stores otherwise than Django would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class WrittenJSONField(models.JSONField):
    """JSON that is kept as it was written (PostgreSQL's `json`): much cheaper to write than `jsonb`.

    For what is written by the million and seldom read by its keys. SQL that asks for many keys casts it to jsonb first.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """The driver has read it: Django asks it for text only of jsonb."""
        return value


class IdRanges(models.Field):  # type: ignore[type-arg]  # not generic at run time
    """Ranges of ids; written and asked by SQL, see `connections.history.sightings`."""

    def db_type(self, connection: Any) -> str:
        return "int8multirange"
