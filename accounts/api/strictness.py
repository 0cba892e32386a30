"""What is not understood is refused: names of fields and parameters that nobody knows, with the nearest one known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django_filters import BooleanFilter, NumberFilter
from rapidfuzz import fuzz, process
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from django_filters import Filter

NEAR = 60
"""Of 100, how alike two names are of which one may be meant by the other."""
MOST_TOLD = 20


def find_unknown(given: Collection[Any], known: Collection[str]) -> dict[str, list[ErrorDetail]]:
    """For each name that is not known, which one is."""
    unknown = [str(name) for name in given if name not in known][:MOST_TOLD]
    return {name: [ErrorDetail(_explain(name, known), "unknown")] for name in unknown}


def find_repeated(given: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
    """Names of a form or query that are given more than once."""
    lists = dict(given.lists()) if hasattr(given, "lists") else {}
    return {
        name: [ErrorDetail("This is given more than once.", "repeated")]
        for name, values in lists.items()
        if len(values) > 1
    }


def find_misread(given: Mapping[str, Any], filters: Mapping[str, Filter]) -> dict[str, list[ErrorDetail]]:
    """Values that a filter takes for none, so that it lets everything through, or for another number than was meant."""
    problems = {}
    for name in given.keys() & filters.keys():
        value = str(given[name]).strip()
        if not value:
            continue
        if isinstance(filters[name], BooleanFilter) and value.lower() not in ("true", "false", "1", "0"):
            problems[name] = [ErrorDetail("Give true or false.", "invalid")]
        elif isinstance(filters[name], NumberFilter) and not (value.isascii() and value.isdecimal()):
            problems[name] = [ErrorDetail("Give a whole number.", "invalid")]
    return problems


def _explain(name: str, known: Collection[str]) -> str:
    shown = ascii(name[:60])[1:-1]
    nearest = process.extractOne(name, sorted(known), scorer=fuzz.ratio, processor=str.lower, score_cutoff=NEAR)
    if nearest:
        return f"{shown} is not known here. Did you mean {nearest[0]}?"
    return f"{shown} is not known here. Known are: {', '.join(sorted(known)) or 'none'}."


class _Strict:
    """What a serializer reads. What may only be read may come back, as long as it is what there is."""

    fields: Any
    instance: Any

    def to_internal_value(self, data: Any) -> Any:
        problems = self._find_misunderstood(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)  # type: ignore[misc]  # of the serializer this is mixed into
        except ValidationError as error:
            raise ValidationError({**error.detail, **problems} if problems else error.detail) from None  # type: ignore[dict-item]  # of a mapping
        if problems:
            raise ValidationError(problems)
        return values

    def _find_misunderstood(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        taken = [name for name, field in self.fields.items() if not field.read_only]
        shown = [name for name in data if name in self.fields and self.fields[name].read_only]
        problems = find_unknown([name for name in data if name not in shown], taken) | find_repeated(data)
        current = self.to_representation(self.instance) if shown and self.instance is not None else {}  # type: ignore[attr-defined]  # of the serializer
        for name in shown:
            if name not in current or data[name] != current[name]:
                problems[name] = [ErrorDetail("This can only be read. Leave it out.", "read_only")]
        return problems


class StrictSerializer(_Strict, serializers.Serializer[Any]):
    pass


class StrictModelSerializer(_Strict, serializers.ModelSerializer[Any]):
    pass
