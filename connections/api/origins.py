"""The API of where the values of a connection come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from connections.history.keeping import name_of_value, read_kept
from connections.history.origins import explain_values
from connections.models import Change

if TYPE_CHECKING:
    from connections.models import Connection


class OriginSerializer(serializers.Serializer[Any]):
    record = serializers.ChoiceField(Change.Record.choices)
    key = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_blank=True, help_text="Blank for the record itself.")
    value = serializers.CharField(allow_blank=True)
    change = serializers.IntegerField(allow_null=True, help_text="The change that wrote it; null where none is known.")
    at = serializers.DateTimeField(allow_null=True)
    run = serializers.IntegerField(allow_null=True)
    line = serializers.IntegerField(allow_null=True)
    user = serializers.CharField(allow_null=True)
    token = serializers.CharField(allow_blank=True)
    kept_by = serializers.CharField(allow_null=True, help_text="Who keeps it: no file changes it.")
    kept_at = serializers.DateTimeField(allow_null=True, help_text="Null where files may change it.")


class OriginsSerializer(serializers.Serializer[Any]):
    customer_code = serializers.CharField()
    values = OriginSerializer(many=True)


def describe_origins(connection: Connection) -> dict[str, Any]:
    """Every present value with who wrote it: a run's line, a person, or a program."""
    values = []
    kept = read_kept(connection)
    for value in explain_values(connection):
        held = kept.get(name_of_value(value.record, value.key, value.field))
        change = value.origin.change if value.origin else None
        values.append(
            {
                **{name: getattr(value, name) for name in ("record", "key", "field", "value")},
                "change": change and change.pk,
                "at": change and change.at,
                "run": change and change.run_id,
                "line": value.origin and value.origin.line,
                "user": change.user.username if change and change.user else None,
                "token": change.token if change else "",
                "kept_by": held.kept_by.username if held and held.kept_by else None,
                "kept_at": held and held.kept_at,
            }
        )
    return OriginsSerializer({"customer_code": connection.customer_code, "values": values}).data
