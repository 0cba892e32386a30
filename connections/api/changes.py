"""The API of the change log: the newest changes, those of a run or a customer, and all of them for who follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.utils.urls import replace_query_param

from accounts.api.base import AccountViewSet
from accounts.api.pagination import NewestFirst
from connections.history.following import Place, read_on
from connections.history.stamping import take_watermark
from connections.models import Change

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


_VALUES = Change._meta.get_field("values")


class ChangeSerializer(serializers.ModelSerializer[Change]):
    run = serializers.IntegerField(source="run_id", allow_null=True, read_only=True)
    user = serializers.CharField(source="user.username", allow_null=True, read_only=True, default=None)
    values = serializers.DictField(
        child=serializers.JSONField(), allow_null=True, read_only=True, help_text=_VALUES.help_text
    )

    class Meta:
        model = Change
        fields = [
            "id", "customer_code", "at", "action", "record", "key", "field", "before", "after", "values", "run", "line",
            "user", "token",
        ]  # fmt: skip


class ChangePagination(NewestFirst):
    """The newest first; with `after`, all from there on, the oldest first, each exactly once."""

    place: Place | None = None

    @property
    def parameters(self) -> set[str]:
        return {*super().parameters, "after"}

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        watermark = take_watermark(view.account.pk)  # before the page is read
        asked = request.query_params.get("after")
        if asked is None:
            self.after = Place(watermark)
            return super().paginate_queryset(queryset, request, view)
        if self.cursor_query_param in request.query_params:
            raise ValidationError({"after": "Give this or a cursor, not both."})
        try:
            self.place = Place.parse(asked)
        except ValueError:
            raise ValidationError({"after": "Give the `after` of a page as it is, or 0 for the beginning."}) from None
        size = self.get_page_size(request)
        page, self.after, self.has_more = read_on(queryset, self.place, watermark, size)
        self.followed = request.build_absolute_uri()
        return page

    def get_next_link(self) -> str | None:
        if self.place is None:
            return super().get_next_link()
        return replace_query_param(self.followed, "after", str(self.after)) if self.has_more else None

    def get_previous_link(self) -> str | None:
        return super().get_previous_link() if self.place is None else None

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data = {"after": str(self.after), **response.data}
        return response

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        after = {
            "name": "after",
            "required": False,
            "in": "query",
            "description": "Follow the changes: those behind this place, the oldest first. The `after` of any page, or "
            "0 for the beginning.",
            "schema": {"type": "string"},
        }
        return [*super().get_schema_operation_parameters(view), after]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        described = {
            "type": "string",
            "description": "Where to read on: give it as `after`, and every change that is not on the pages up to this "
            "one comes exactly once, however late it was committed.",
        }
        properties = {"after": described, **page["properties"]}
        return {**page, "required": ["after", *page["required"]], "properties": properties}


class ChangeFilter(django_filters.FilterSet):
    customer_code = django_filters.CharFilter(label="Also of a connection that was deleted.")
    run = django_filters.NumberFilter("run_id", min_value=0, max_value=2**62)
    record = django_filters.ChoiceFilter(choices=Change.Record.choices)
    action = django_filters.ChoiceFilter(choices=Change.Action.choices)
    field = django_filters.CharFilter()


@extend_schema(tags=["connections"])
@extend_schema_view(list=extend_schema(summary="What was changed: the newest first, or all of it for who follows"))
class Changes(AccountViewSet, mixins.ListModelMixin):
    queryset = Change.objects.select_related("user")
    serializer_class = ChangeSerializer
    pagination_class = ChangePagination
    filterset_class = ChangeFilter
