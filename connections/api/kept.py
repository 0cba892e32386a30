"""The API of values that people keep as they are, whatever files say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.strictness import StrictSerializer
from connections.history.keeping import KEEPABLE, has_record, read_kept
from connections.models import Change

if TYPE_CHECKING:
    from connections.models import Connection


RECORDS = [choice for choice in Change.Record.choices if choice[0] in KEEPABLE]


class ValueNameSerializer(StrictSerializer):
    """A field of a connection (also one of its lists, such as `price_types`) or of one of its records."""

    record = serializers.ChoiceField(RECORDS)
    key = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=255,
        help_text="As changes and origins name the record, such as S:STORE-1; blank for the connection itself.",
    )
    field = serializers.CharField(max_length=24, help_text="As origins name it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        record, key = attrs["record"], attrs["key"]
        if attrs["field"] not in KEEPABLE[record]:
            known = ", ".join(KEEPABLE[record])
            raise ValidationError({"field": f"This is no field of a {record} that can be kept. Known are: {known}."})
        if not has_record(self.context["connection"], record, key):
            has_none = f"The connection has no {record} {key!r}." if key else "Give the key of the record."
            raise ValidationError({"key": has_none if record != Change.Record.CONNECTION else "Leave it blank."})
        return attrs


class KeptValueSerializer(serializers.Serializer[Any]):
    record = serializers.ChoiceField(RECORDS)
    key = serializers.CharField(allow_blank=True)
    field = serializers.CharField()
    kept_by = serializers.CharField(allow_null=True, help_text="Null where the user is gone.")
    kept_at = serializers.DateTimeField()


class KeptSerializer(serializers.Serializer[Any]):
    customer_code = serializers.CharField()
    values = KeptValueSerializer(many=True, help_text="The longest kept first.")


def describe_kept(connection: Connection) -> dict[str, Any]:
    values = [
        {**name._asdict(), "kept_by": kept.kept_by.username if kept.kept_by else None, "kept_at": kept.kept_at}
        for name, kept in read_kept(connection).items()
    ]
    return KeptSerializer({"customer_code": connection.customer_code, "values": values}).data
