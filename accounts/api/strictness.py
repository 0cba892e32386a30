"""What is not understood is refused: names of fields and parameters that nobody knows, with the nearest one known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as FormError
from django_filters import BooleanFilter, ChoiceFilter, DateFilter, IsoDateTimeFilter, NumberFilter
from rapidfuzz import fuzz, process
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from django_filters import Filter

NEAR = 60
"""Of 100, how alike two names are of which one may be meant by the other."""
MOST_TOLD = 20
BOOLEAN = "Give true or false."
EXAMPLES: dict[type[Filter], str] = {
    BooleanFilter: BOOLEAN,
    NumberFilter: "Give a whole number.",
    IsoDateTimeFilter: "Give a time such as 2026-01-31T08:00:00Z.",
    DateFilter: "Give a date such as 2026-01-31.",
}
"""What would be right, by the kind of a filter."""


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
    """For each value that its filter does not take, or would take for none or for another one, what would be right."""
    return {
        name: [ErrorDetail(_example_of(filters[name]), "invalid")]
        for name in given.keys() & filters.keys()
        if (value := str(given[name]).strip()) and not _is_read(filters[name], value)
    }


def _is_read(kind: Filter, value: str) -> bool:
    if isinstance(kind, BooleanFilter):  # whose field takes whatever it does not know for neither
        return value.lower() in ("true", "false", "1", "0")
    if isinstance(kind, NumberFilter):  # whose field takes 1e3 and 0.5
        return value.isascii() and value.isdecimal()
    try:
        kind.field.clean(value)
    except FormError:
        return False
    return True


def _example_of(kind: Filter) -> str:
    if isinstance(kind, ChoiceFilter):
        return _name_choices([name for name, _ in kind.extra["choices"]])
    return next((said for known, said in EXAMPLES.items() if isinstance(kind, known)), "This is not understood.")


def _name_choices(names: Collection[Any]) -> str:
    return f"Give one of {', '.join(map(str, names))}."


def _explain(name: str, known: Collection[str]) -> str:
    shown = ascii(name[:60])[1:-1]
    nearest = process.extractOne(name, sorted(known), scorer=fuzz.ratio, processor=str.lower, score_cutoff=NEAR)
    if nearest:
        return f"{shown} is not known here. Did you mean {nearest[0]}?"
    return f"{shown} is not known here. " + (f"Known are: {', '.join(sorted(known))}." if known else "Nothing is.")


class _Strict:
    """What a serializer reads. What may only be read may come back, as long as it is what there is."""

    fields: Any
    instance: Any

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The library's fields, which say what would be right."""
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = super().get_fields()  # type: ignore[misc]  # of the serializer this is mixed into
        for field in fields.values():
            if isinstance(field, serializers.BooleanField):
                field.error_messages["invalid"] = BOOLEAN
            elif isinstance(field, serializers.ChoiceField):
                field.error_messages["invalid_choice"] = _name_choices(list(field.choices)).replace("{", "{{")
            elif isinstance(field, serializers.SlugRelatedField):
                field.error_messages["does_not_exist"] = "There is none of the {slug_name} {value}."
        return fields

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
