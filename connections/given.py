"""The fields that files give, as the models declare them: every field but those that a model names in `not_given`.

Whoever writes, reads, stages, logs or describes them goes by these names and this order, so that none can take
another's place, and a new field of a model is known to all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db import models

FormRow = str | tuple[str, ...]


class GivenField(NamedTuple):
    """A field that files give: its name, its column, of a lookup the name of the list, and what stands where nothing
    was ever given."""

    name: str
    column: str
    list_name: str
    nothing: Any


def given_fields(model: type[models.Model]) -> tuple[GivenField, ...]:
    """The fields of the model that files give, in the order in which it declares them."""
    lists = {of: name for name, of in LISTS.items()}
    return tuple(
        GivenField(
            field.name,
            field.attname,
            lists[field.related_model] if field.is_relation else "",  # type: ignore[index]  # a model of one of the lists
            None if field.null else "",
        )
        for field in model._meta.concrete_fields
        if field.name not in model.not_given  # type: ignore[attr-defined]  # each model with fields of files says it
    )


def with_the_rest(rows: Sequence[FormRow], fields: Iterable[GivenField]) -> list[FormRow]:
    """Rows of a form, and one more for every field that they do not name."""
    named = set(_names(rows))
    return [*rows, *(field.name for field in fields if field.name not in named)]


def _names(rows: Iterable[FormRow]) -> Iterator[str]:
    for row in rows:
        yield from (row,) if isinstance(row, str) else row
