"""The API of the review: what waits for it, with what it may be a duplicate of, and decisions about many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.base import AccountViewSet
from accounts.api.pagination import KeyPagination
from accounts.api.strictness import StrictSerializer
from accounts.users import user_of
from connections.matching.finding import looked_at, suggestions_of
from connections.models import LONGEST_NOTE, Connection
from connections.review.deciding import Decision, Outcome, Verdict, decide_all
from connections.review.evidence import find_origins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request

    from connections.models import Suggestion

MOST_DECISIONS = 500


class SuggestionSerializer(serializers.Serializer[Any]):
    """Another connection of the account that may be the same customer."""

    id = serializers.IntegerField()
    customer_code = serializers.CharField()
    profile_name = serializers.CharField()
    status = serializers.ChoiceField(Connection.Status.choices)
    duplicate_of = serializers.CharField(allow_null=True, help_text="customer_code of the one that stands for it.")
    score = serializers.FloatField(min_value=0, max_value=1, help_text="How likely they are one customer.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="For people, the strongest first.")


class WaitingSerializer(serializers.Serializer[Any]):
    """A connection that waits for review."""

    id = serializers.IntegerField(help_text="Names the connection in this API.")
    customer_code = serializers.CharField()
    profile_name = serializers.CharField()
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="Until when it is to be reviewed.")
    is_overdue = serializers.BooleanField()
    run = serializers.IntegerField(allow_null=True, help_text="The run that brought it.")
    line = serializers.IntegerField(allow_null=True, help_text="The line of that run's file.")
    note = serializers.CharField(allow_blank=True, help_text="What was noted when it was sent back to review.")
    is_compared = serializers.BooleanField(
        help_text="Whether it was compared with the others as it is now; until then there may be more suggestions."
    )
    suggestions = SuggestionSerializer(many=True, help_text="The likeliest first.")


class DecisionSerializer(StrictSerializer):
    customer_code = serializers.CharField(max_length=100)
    decision = serializers.ChoiceField(Verdict.choices)
    duplicate_of = serializers.CharField(
        required=False,
        max_length=100,
        help_text="With `reject`: customer_code of the connection that stands for it (or of one of its duplicates).",
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "duplicate_of" in attrs and attrs["decision"] != Verdict.REJECT:
            raise ValidationError({"duplicate_of": "Only what is rejected is a duplicate."})
        return attrs


class DecisionsSerializer(StrictSerializer):
    decisions = serializers.ListField(child=DecisionSerializer(), min_length=1, max_length=MOST_DECISIONS)

    def validate_decisions(self, decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        codes = [decision["customer_code"] for decision in decisions]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValidationError(f"Decide about {', '.join(map(repr, twice[:5]))} once.")
        return decisions


class DecidedSerializer(serializers.Serializer[Any]):
    customer_code = serializers.CharField()
    outcome = serializers.ChoiceField(
        Outcome.choices, help_text="`unchanged`: it was so already. `refused`: `problem` says why."
    )
    problem = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(Connection.Status.choices, allow_null=True, help_text="As it is now.")
    duplicate_of = serializers.CharField(allow_null=True)


class OutcomesSerializer(serializers.Serializer[Any]):
    results = DecidedSerializer(many=True, help_text="In the order of the decisions.")


class WaitingFilter(django_filters.FilterSet):
    overdue = django_filters.BooleanFilter(method="by_due", label="Whether the review should be done by now.")
    similar = django_filters.BooleanFilter(method="by_suggestions", label="Whether another connection is suggested.")

    def by_due(self, queryset: QuerySet[Connection], name: str, value: bool) -> QuerySet[Connection]:
        now = timezone.now()
        due = Q(due_at__lte=now)
        return queryset.filter(due if value else ~due)

    def by_suggestions(self, queryset: QuerySet[Connection], name: str, value: bool) -> QuerySet[Connection]:
        found = Connection.objects.like_others()
        return queryset.filter(pk__in=found) if value else queryset.exclude(pk__in=found)


@extend_schema(tags=["connections"])
@extend_schema_view(list=extend_schema(summary="Connections that wait for review, with what they may duplicate"))
class Review(AccountViewSet, mixins.ListModelMixin):
    queryset = Connection.objects.awaiting_review().with_due().defer("source_digest").order_by("pk")
    serializer_class = WaitingSerializer
    pagination_class = KeyPagination
    filterset_class = WaitingFilter

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_serializer(describe_waiting(args[0]), **kwargs) if args else super().get_serializer()

    @extend_schema(
        summary="Decide about many at once",
        description="Each decision stands for itself: what is refused is told, and keeps none of the others back.",
        request=DecisionsSerializer,
        responses={200: OutcomesSerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = DecisionsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        decisions = [
            Decision(each["customer_code"], each["decision"], each.get("duplicate_of", ""), each.get("note", ""))
            for each in asked.validated_data["decisions"]
        ]
        decided = decide_all(self.account, decisions, user_of(request))
        codes = [each.customer_code for each in decided]
        mine = Connection.objects.filter(account=self.account, customer_code__in=codes)
        now = {row[0]: row[1:] for row in mine.values_list("customer_code", "status", "duplicate_of__customer_code")}
        results = [
            {**each._asdict(), "status": status, "duplicate_of": duplicate_of}
            for each in decided
            for status, duplicate_of in [now.get(each.customer_code, (None, None))]
        ]
        return Response(OutcomesSerializer({"results": results}).data)


def describe_waiting(connections: Sequence[Any]) -> list[dict[str, Any]]:
    """Connections with `due_at` as the API shows them, in a fixed number of queries."""
    pks = [connection.pk for connection in connections]
    suggestions, origins = suggestions_of(pks), find_origins(connections)
    compared = looked_at(Connection.objects.filter(pk__in=pks))
    now = timezone.now()
    return [
        {
            "id": connection.pk,
            "customer_code": connection.customer_code,
            "profile_name": connection.profile_name,
            "created_at": connection.created_at,
            "due_at": connection.due_at,
            "is_overdue": connection.due_at <= now,
            "run": origin.run_id if origin else None,
            "line": origin.line if origin else None,
            "note": connection.review_note,
            "is_compared": connection.pk in compared,
            "suggestions": [_describe(*found) for found in suggestions.get(connection.pk, [])],
        }
        for connection in connections
        for origin in [origins.get(connection.pk)]
    ]


def _describe(suggestion: Suggestion, other: Connection) -> dict[str, Any]:
    return {
        "id": other.pk,
        "customer_code": other.customer_code,
        "profile_name": other.profile_name,
        "status": other.status,
        "duplicate_of": other.duplicate_of.customer_code if other.duplicate_of else None,
        "score": suggestion.score,
        "reasons": suggestion.reasons,
    }
