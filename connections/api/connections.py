"""The API of connections: look at them, decide about new ones, and see what was changed."""

from __future__ import annotations

from datetime import date  # noqa: TC003  (the schema reads the filters)
from typing import TYPE_CHECKING, Any

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.base import AccountViewSet, RetrieveVersioned
from accounts.api.pagination import ByText, KeyPagination
from accounts.api.problems import Conflict
from accounts.api.strictness import StrictSerializer
from accounts.models import Account
from accounts.users import user_of
from connections import review
from connections.api.kept import KeptSerializer, ValueNameSerializer, describe_kept
from connections.api.origins import OriginsSerializer, describe_origins
from connections.describing import describe_customer, entries_of
from connections.history.keeping import ValueName, settle_kept
from connections.history.sightings import last_seen
from connections.history.stamping import take_watermark
from connections.models import LONGEST_NOTE, Address, Buyer, Connection, Door
from connections.searching import with_mail, with_name
from connections.stored import ADDRESS_FIELDS, GIVEN_OF_CONNECTION, fetch_stored
from lookups.directory import LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rest_framework.request import Request

    from accounts.models import User
    from connections.given import GivenField
    from connections.models.querysets import ConnectionQuerySet


class AddressSerializer(serializers.ModelSerializer[Address]):
    class Meta:
        model = Address
        fields = ["kind", "code", *ADDRESS_FIELDS]


class DoorSerializer(serializers.ModelSerializer[Door]):
    class Meta:
        model = Door
        fields = ["code", "name"]


class BuyerSerializer(serializers.ModelSerializer[Buyer]):
    class Meta:
        model = Buyer
        fields = ["email", "name"]


class ConnectionSerializer(serializers.Serializer[Any]):
    """One customer with all that belongs to it, as `export_customers --json` writes it."""

    id = serializers.IntegerField(help_text="Names the connection in this API.")
    customer_code = serializers.CharField()
    status = serializers.ChoiceField(Connection.Status.choices)
    duplicate_of = serializers.CharField(allow_null=True, help_text="customer_code of the one that stands for it.")
    discount = serializers.IntegerField(allow_null=True, min_value=0, max_value=100, help_text="Percent.")
    price_types = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2),
        help_text="Currency and label of each.",
    )
    payment_terms = serializers.ListField(child=serializers.CharField(), help_text="Codes.")
    shipping_terms = serializers.ListField(child=serializers.CharField(), help_text="Codes.")
    warehouses = serializers.ListField(child=serializers.CharField(), help_text="Codes.")
    addresses = AddressSerializer(many=True)
    doors = DoorSerializer(many=True)
    buyers = BuyerSerializer(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    reviewed_at = serializers.DateTimeField(allow_null=True)
    review_note = serializers.CharField(allow_blank=True, help_text="What was noted with the decision.")
    last_seen_on = serializers.DateField(allow_null=True, help_text="The day (UTC) of the last file that mentions it.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields above, and in their midst those that files give, of which `discount` has more to say."""
        declared = super().get_fields()
        before = ("id", "customer_code", "status", "duplicate_of")
        given = {field.name: declared.get(field.name) or _serializer_of(field) for field in GIVEN_OF_CONNECTION}
        return {name: declared[name] for name in before} | given | declared


def _serializer_of(given: GivenField) -> serializers.Field[Any, Any, Any, Any]:
    if given.list_name:
        return serializers.CharField(allow_null=True, help_text="Code.")
    field: models.Field[Any, Any] = Connection._meta.get_field(given.name)  # type: ignore[assignment]  # one of its own
    if isinstance(field, models.BooleanField):
        return serializers.BooleanField(allow_null=field.null)
    if isinstance(field, models.IntegerField):
        return serializers.IntegerField(allow_null=field.null)
    return serializers.CharField(allow_blank=field.blank)


class NoteSerializer(StrictSerializer):
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_NOTE, help_text="Kept with the decision."
    )


class RejectionSerializer(NoteSerializer):
    duplicate_of = serializers.CharField(
        required=False, max_length=100, help_text="customer_code of the connection that stands for it."
    )


class ConnectionFilter(django_filters.FilterSet):
    """By status and by any natural key."""

    status = django_filters.ChoiceFilter(choices=Connection.Status.choices)
    customer_code = django_filters.CharFilter()
    customer_alias = django_filters.CharFilter(method="by_name")
    profile_name = django_filters.CharFilter(method="by_name")
    address_code = django_filters.CharFilter(method="by_address")
    door_code = django_filters.CharFilter(method="by_door")
    buyer_email = django_filters.CharFilter(method="by_buyer", label="In any case.")
    sales_rep = django_filters.CharFilter(method="by_entry", label="Code.")
    customer_group = django_filters.CharFilter(method="by_entry", label="Code.")
    company_number = django_filters.CharFilter(method="by_entry", label="Code.")
    updated_since = django_filters.IsoDateTimeFilter(
        "updated_at", lookup_expr="gte", label="The as_of of the first page that was read the last time."
    )

    not_seen_since = django_filters.DateFilter(
        method="by_sighting", label="No file has mentioned it on this day (UTC) or later, though it was there."
    )
    not_in_last_full_file = django_filters.BooleanFilter(
        method="by_full_file",
        label="Neither the last file of a format that lists all customers (full_files) mentions it nor any since.",
    )

    def by_name(self, queryset: QuerySet[Connection], name: str, value: str) -> QuerySet[Connection]:
        return with_name(queryset, self._account.pk, value).filter(**{name: value})

    def by_entry(self, queryset: QuerySet[Connection], name: str, value: str) -> QuerySet[Connection]:
        """Of a code that the list does not have, no connection is looked at."""
        model: Any = Connection._meta.get_field(name).related_model
        entry = model.objects.filter(account=self._account, code=value).first()
        return queryset.filter(**{name: entry}) if entry else queryset.none()

    def by_sighting(self, queryset: ConnectionQuerySet, name: str, value: date) -> QuerySet[Connection]:
        return queryset.not_seen_since(value, self._accounts)

    def by_full_file(self, queryset: ConnectionQuerySet, name: str, value: bool) -> QuerySet[Connection]:
        missing = queryset.not_seen_since_last_full_file(self._accounts)
        return missing if value else queryset.exclude(pk__in=missing.values("pk"))

    @property
    def _account(self) -> Account:
        request: Any = self.request
        account: Account = request.parser_context["view"].account
        return account

    @property
    def _accounts(self) -> QuerySet[Account]:
        return Account.objects.filter(pk=self._account.pk)

    def by_address(self, queryset: QuerySet[Connection], name: str, value: str) -> QuerySet[Connection]:
        return queryset.filter(Exists(Address.objects.filter(connection=OuterRef("pk"), code=value)))

    def by_door(self, queryset: QuerySet[Connection], name: str, value: str) -> QuerySet[Connection]:
        return queryset.filter(Exists(Door.objects.filter(connection=OuterRef("pk"), code=value)))

    def by_buyer(self, queryset: QuerySet[Connection], name: str, value: str) -> QuerySet[Connection]:
        buyers = Buyer.objects.filter(connection=OuterRef("pk"), email__iexact=value)
        return with_mail(queryset, self._account.pk, value).filter(Exists(buyers))


class Watermarked(KeyPagination):
    """Pages with `as_of`: what a program gives next time as the time to begin with, so that it misses no change."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.as_of = take_watermark(view.account.pk)  # before the page is read
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data = {"as_of": self.as_of, **response.data}
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        described = {
            "type": "string",
            "format": "date-time",
            "description": "Every change from before this time is known to this page and those behind it. Ask for what "
            "changed since the as_of of the first page next time, and nothing is missed; a change may come twice.",
        }
        properties = {"as_of": described, **page["properties"]}
        return {**page, "required": ["as_of", *page["required"]], "properties": properties}


class ByCode(Watermarked, ByText):
    ordering = "customer_code"


@extend_schema(tags=["connections"])
@extend_schema_view(
    list=extend_schema(summary="Connections, in the order of their codes"),
    retrieve=extend_schema(summary="One connection"),
)
class Connections(AccountViewSet, mixins.ListModelMixin, RetrieveVersioned):
    queryset = Connection.objects.all()
    serializer_class = ConnectionSerializer
    pagination_class = ByCode
    filterset_class = ConnectionFilter
    lookup_value_regex = r"\d{1,18}"

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Of a page of connections, or of one: with all that belongs to them, in a few queries."""
        if args and isinstance(args[0], Connection):
            return super().get_serializer(self.describe([args[0]])[0])
        return super().get_serializer(self.describe(args[0]), **kwargs) if args else super().get_serializer()

    def describe(self, connections: Sequence[Connection]) -> list[dict[str, Any]]:
        rows = {connection.pk: connection for connection in connections}
        stored = fetch_stored(Connection.objects.filter(pk__in=rows))
        directory = LookupDirectory(self.account, entries_of(stored.values()))
        seen, times = last_seen(rows), ("created_at", "updated_at", "reviewed_at", "review_note")
        described = {
            customer.id: {
                "id": customer.id,
                "duplicate_of": customer.duplicate_of,
                **describe_customer(customer, directory),
                **{name: getattr(rows[customer.id], name) for name in times},
                "last_seen_on": seen.get(customer.id),
            }
            for customer in stored.values()
        }
        return [described[pk] for pk in rows if pk in described]

    @extend_schema(summary="Where each of its values comes from", responses=OriginsSerializer)
    @action(detail=True)
    def origins(self, request: Request, **kwargs: Any) -> Response:
        """The last writer of each: a run and its line, a person, or a program by its token.

        What happened to it when, also after it was deleted, is `changes/?customer_code=`.
        """
        return Response(describe_origins(self.get_object()))

    @extend_schema(summary="Its values that files do not change", responses=KeptSerializer)
    @action(detail=True)
    def kept(self, request: Request, **kwargs: Any) -> Response:
        """Somebody keeps them as they are. What a file wanted of them is told by its run's issues `kept`."""
        return Response(describe_kept(self.get_object()))

    @extend_schema(
        summary="Keep a value: no file changes it any more", request=ValueNameSerializer, responses=KeptSerializer
    )
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, **kwargs: Any) -> Response:
        """Until it is let go. Of what is kept already nothing changes."""
        found, name = self.read_value(request)
        settle_kept(found, [name], [], user_of(request))
        return Response(describe_kept(found))

    @extend_schema(
        summary="Let a value go: the next file may change it", request=ValueNameSerializer, responses=KeptSerializer
    )
    @action(detail=True, methods=["post"], url_path="let-go")
    def let_go(self, request: Request, **kwargs: Any) -> Response:
        """Of what nobody keeps nothing changes."""
        found, name = self.read_value(request)
        settle_kept(found, [], [name], user_of(request))
        return Response(describe_kept(found))

    def read_value(self, request: Request) -> tuple[Connection, ValueName]:
        """The connection, locked, and the value of it that is asked for."""
        found = self.get_object()
        asked = ValueNameSerializer(data=request.data, context={"connection": found})
        asked.is_valid(raise_exception=True)
        return found, ValueName(**asked.validated_data)

    @extend_schema(summary="Approve it", request=NoteSerializer, responses=ConnectionSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **kwargs: Any) -> Response:
        return self.decide(request, review.approve)

    @extend_schema(
        summary="Take the decision back: it waits for review again",
        request=NoteSerializer,
        responses=ConnectionSerializer,
    )
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, **kwargs: Any) -> Response:
        return self.decide(request, review.reopen)

    def decide(self, request: Request, decision: Callable[[QuerySet[Connection], User, str], int]) -> Response:
        asked = NoteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = self.get_object()
        decision(Connection.objects.filter(pk=found.pk), user_of(request), asked.validated_data.get("note", ""))
        return self.answer_decided(found)

    @extend_schema(
        summary="Reject it, or reject it as a duplicate", request=RejectionSerializer, responses=ConnectionSerializer
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, **kwargs: Any) -> Response:
        asked = RejectionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        mine = Connection.objects.filter(account=self.account)
        original = None
        if code := asked.validated_data.get("duplicate_of"):
            original = mine.filter(customer_code=code).first()
            if original is None:
                raise ValidationError({"duplicate_of": f"The account has no connection {code!r}."})
        decided = Q(pk__in=[self.kwargs["pk"], *([original.pk, original.duplicate_of_id] if original else [])])
        touched = mine.filter(decided | Q(duplicate_of=self.kwargs["pk"]))
        list(touched.locked().values_list("pk"))  # in the order in which everybody locks
        found = self.get_object()
        try:
            note = asked.validated_data.get("note", "")
            review.reject(Connection.objects.filter(pk=found.pk), user_of(request), original, note)
        except ModelError as error:
            if original is None:
                raise Conflict(" ".join(error.messages)) from None
            raise ValidationError({"duplicate_of": error.messages}) from None
        return self.answer_decided(found)

    def answer_decided(self, found: Connection) -> Response:
        found.refresh_from_db()
        return self.answer(self.get_serializer(found).data)
