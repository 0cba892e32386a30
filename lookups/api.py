"""The API of an account's lists: each entry by itself, or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.db.models import RestrictedError
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from accounts.api.base import (
    AccountView,
    AccountViewSet,
    CreateVersioned,
    DestroyVersioned,
    RetrieveVersioned,
    UpdateVersioned,
)
from accounts.api.pagination import KeyPagination
from accounts.api.problems import Conflict
from accounts.api.strictness import StrictModelSerializer, StrictSerializer
from lookups.directory import LISTS
from lookups.loading import load_rows
from lookups.models import PriceType, SalesRep
from lookups.reading import COLUMNS, Row
from lookups.texts import read_key

if TYPE_CHECKING:
    from rest_framework.request import Request

MOST_ROWS = 10_000


class LookupView(AccountViewSet, CreateVersioned, RetrieveVersioned, UpdateVersioned, DestroyVersioned):
    """One of the lists."""

    model: Any
    lookup_value_regex = r"\d{1,18}"
    pagination_class = KeyPagination

    def perform_create(self, serializer: Any) -> None:
        self.model(account=self.account, **serializer.validated_data).full_clean()
        serializer.save(account=self.account)

    def perform_update(self, serializer: Any) -> None:
        changed = self.model.objects.get(pk=serializer.instance.pk)
        for name, value in serializer.validated_data.items():
            setattr(changed, name, value)
        changed.full_clean()
        serializer.save()

    def perform_destroy(self, instance: Any) -> None:
        try:
            instance.delete()
        except RestrictedError:
            raise Conflict(f"{instance} is in use. Give those who use it another entry first.", code="in_use") from None


def make_view(name: str, model: Any) -> type[LookupView]:
    """The view of one list, with its own serializer, so that the schema says what each entry holds."""
    title = model._meta.verbose_name_plural
    key = ["currency", "label"] if model is PriceType else ["code", "name"]
    fields = [*key, "email"] if model is SalesRep else key
    meta = type("Meta", (), {"model": model, "fields": ["id", *fields]})
    serializer = type(f"{model.__name__}Serializer", (StrictModelSerializer,), {"Meta": meta})
    filters = {field: ["exact"] for field in fields}
    filter_meta = type("Meta", (), {"model": model, "fields": filters})
    filterset = type(f"{model.__name__}Filter", (django_filters.FilterSet,), {"Meta": filter_meta})
    view = type(
        f"{model.__name__}View",
        (LookupView, mixins.ListModelMixin, GenericViewSet),
        {
            "model": model,
            "queryset": model.objects.order_by("id"),
            "serializer_class": serializer,
            "filterset_class": filterset,
            "__doc__": "",
        },
    )
    described = extend_schema_view(
        list=extend_schema(summary=f"List {title}"),
        create=extend_schema(summary=f"Add to the {title}"),
        retrieve=extend_schema(summary=f"One of the {title}"),
        update=extend_schema(summary=f"Replace one of the {title}"),
        partial_update=extend_schema(summary=f"Change one of the {title}"),
        destroy=extend_schema(summary=f"Remove one of the {title}, where nobody uses it"),
    )
    return extend_schema(tags=["lookups"])(described(view))


class EntrySerializer(StrictSerializer):
    """A line of `load_lookups`: a price type has currency and name, everything else a code."""

    list = serializers.ChoiceField(list(LISTS))
    code = serializers.CharField(required=False, allow_blank=True, default="", max_length=255)
    name = serializers.CharField(required=False, allow_blank=True, default="", max_length=255)
    currency = serializers.CharField(required=False, allow_blank=True, default="", max_length=10)
    email = serializers.CharField(required=False, allow_blank=True, default="", max_length=255)


class EntriesSerializer(StrictSerializer):
    entries = EntrySerializer(many=True, max_length=MOST_ROWS)  # type: ignore[call-arg]  # of the list that it makes
    dry_run = serializers.BooleanField(required=False, default=False)


class LoadedCountsSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class LoadedSerializer(serializers.Serializer[Any]):
    lists = serializers.DictField(child=LoadedCountsSerializer(), help_text="By the list's name.")


class LoadLookups(AccountView):
    """Many entries at once: all of them or none."""

    serializer_class = EntriesSerializer

    @extend_schema(
        tags=["lookups"],
        summary="Add entries and rename known ones; nothing is removed",
        request=EntriesSerializer,
        responses=LoadedSerializer,
        operation_id="lookups_load",
    )
    def post(self, request: Request, account: str) -> Response:
        asked = EntriesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        rows = [
            Row(number, {column: read_key(str(entry[column])) for column in COLUMNS})
            for number, entry in enumerate(asked.validated_data["entries"])
        ]
        result = load_rows(self.account, rows, [], dry_run=asked.validated_data["dry_run"])
        if result.problems:
            raise serializers.ValidationError(
                {
                    "entries": {
                        f"{problem.line}.{problem.column}".rstrip("."): [ErrorDetail(problem.message, problem.code)]
                        for problem in result.problems
                    }
                }
            )
        return Response(
            {"lists": {name: vars(counts) for name, counts in result.lists.items()}},
        )


router = SimpleRouter()
for list_name, list_model in LISTS.items():
    router.register(
        rf"accounts/(?P<account>[-a-zA-Z0-9_]+)/lookups/{list_name}",
        make_view(list_name, list_model),
        basename=list_name.removesuffix("s"),
    )

urlpatterns = [
    path("accounts/<slug:account>/lookups/", LoadLookups.as_view(), name="lookups-load"),
    *router.urls,
]


def describe_schema(schemas: dict[str, Any]) -> None:
    schemas["EntriesRequest"]["examples"] = [
        {
            "entries": [
                {"list": "price_types", "currency": "USD", "name": "US Wholesale"},
                {"list": "payment_terms", "code": "N30", "name": "Net 30"},
            ],
        }
    ]
