"""The API of feeds: make and change them, look at their servers, pull them now. Secrets go in and never come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.api.base import (
    AccountViewSet,
    EditableViewSet,
    RetrieveVersioned,
)
from accounts.api.pagination import NewestFirst
from accounts.api.problems import Conflict, detail_of
from accounts.api.strictness import StrictModelSerializer, StrictSerializer
from accounts.fields import is_set, secret_names
from imports.choosing import STANDARD_NAME
from imports.feeds.inspecting import describe_inspection, inspect_feed
from imports.filesystems import find_transport
from imports.models import Feed, Format, Pull
from imports.models.feeds import SERVER_FIELDS
from imports.queueing import request_pull

if TYPE_CHECKING:
    from rest_framework.request import Request


class FormatField(serializers.SlugRelatedField[Format]):
    """A format by its name; `standard` names none, as in commands."""

    def to_internal_value(self, data: Any) -> Any:
        return None if data == STANDARD_NAME else super().to_internal_value(data)


class FeedSerializer(StrictModelSerializer):
    """`has_…` tells whether a secret is set. One that is left out stays; an empty text removes it."""

    format = FormatField(
        "name", queryset=Format.objects.none(), required=False, allow_null=True,
        help_text="Name of the format; null for the standard template.",
    )  # fmt: skip
    password = serializers.CharField(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    private_key = serializers.CharField(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    options = serializers.CharField(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    contacts = serializers.ListField(child=serializers.EmailField(), required=False, max_length=50)
    has_password = serializers.SerializerMethodField()
    has_private_key = serializers.SerializerMethodField()
    has_options = serializers.SerializerMethodField()

    class Meta:
        model = Feed
        fields = [
            "name", "enabled", "protocol", "host", "port", "user", "password", "has_password", "private_key",
            "has_private_key", "host_key", "ca_bundle", "certificate_fingerprint", "url", "options", "has_options",
            "folder", "mask", "format", "interval_minutes", "settle_seconds", "last_line", "ready_when",
            "after_import", "processed_folder",
            "failed_folder", "outbox_folder", "while_held", "most_bytes", "most_files", "contacts",
            "silent_after_hours", "alert_after", "next_pull_at", "pulled_at", "file_at", "failures", "failing_since",
            "problem", "move_problem", "created_at",
        ]  # fmt: skip
        read_only_fields = [
            "next_pull_at",
            "pulled_at",
            "file_at",
            "failures",
            "failing_since",
            "problem",
            "move_problem",
        ]

    def get_fields(self) -> Any:
        fields = super().get_fields()
        view = self.context.get("view")
        if view is not None and not view.is_described:
            format_: Any = fields["format"]
            format_.queryset = Format.objects.filter(account=view.account.production)
        return fields

    def get_has_password(self, feed: Feed) -> bool:
        return is_set(feed, "password")

    def get_has_private_key(self, feed: Feed) -> bool:
        return is_set(feed, "private_key")

    def get_has_options(self, feed: Feed) -> bool:
        return is_set(feed, "options")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The model's own rules; and a secret goes to no other server than it was given for."""
        known = self.instance
        if known is not None:
            changed_names = [name for name in SERVER_FIELDS & set(attrs) if attrs[name] != getattr(known, name)]
            for name in known.find_exposed_secrets(changed_names, given=attrs):
                raise serializers.ValidationError(
                    {name: "Give it again, or an empty text: it was given for another server or user."}
                )
        unchanged = {name for name in secret_names(Feed) if name not in attrs}
        kept = {field.attname: field.value_from_object(known) for field in Feed._meta.concrete_fields} if known else {}
        changed = Feed(**kept)
        for name, value in attrs.items():
            setattr(changed, name, value)
        changed.account = self.context["view"].account
        changed._state.adding = known is None
        try:
            changed.full_clean(exclude=unchanged)
        except ModelError as error:
            raise serializers.ValidationError(detail_of(error)) from None
        return {**attrs, **changed.settled}


class IdentitySerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="host key or certificate.")
    fingerprint = serializers.CharField()
    pin = serializers.CharField(help_text="What to set to trust exactly it.")
    details = serializers.CharField(allow_blank=True)
    matches = serializers.BooleanField(allow_null=True, help_text="null: nothing is pinned.")


class ListedFileSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    size = serializers.IntegerField()
    modified_at = serializers.DateTimeField(allow_null=True)
    pull = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)


class TrialSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    problem = serializers.CharField(allow_blank=True)
    needed = serializers.BooleanField(help_text="By pulls.")


class InspectionSerializer(serializers.Serializer[Any]):
    server = serializers.CharField(allow_blank=True)
    identity = IdentitySerializer(allow_null=True, help_text="The one that is trusted, else the first.")
    identities = IdentitySerializer(many=True, help_text="All: an SFTP server may have several keys.")
    format = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(allow_blank=True, help_text="Why no more was found, and what to do.")
    files = ListedFileSerializer(many=True)
    tried = TrialSerializer(many=True, help_text="What pulls do to the server; nothing where it was not to be probed.")


class CheckSerializer(StrictSerializer):
    probe = serializers.BooleanField(
        default=True,
        help_text="Try what pulls do to the server: make the folders for imported files; write, rename and remove a "
        "file. No: only look.",
    )


@extend_schema(tags=["feeds"])
@extend_schema_view(
    list=extend_schema(summary="Feeds"),
    create=extend_schema(summary="Make a feed"),
    retrieve=extend_schema(summary="One feed, and how it is doing"),
    update=extend_schema(summary="Replace a feed"),
    partial_update=extend_schema(summary="Change a feed"),
    destroy=extend_schema(summary="Remove a feed; its runs and customers stay"),
)
class Feeds(EditableViewSet):
    queryset = Feed.objects.select_related("format").order_by("id")
    serializer_class = FeedSerializer
    filterset_fields = ["enabled", "protocol"]
    lookup_field = "name"
    lookup_value_regex = "[-a-zA-Z0-9_]+"

    def perform_create(self, serializer: Any) -> None:
        feed = serializer.save(account=self.account)
        find_transport(feed.protocol).prepare(feed.pk)
        if feed.enabled:
            request_pull(feed)

    def perform_update(self, serializer: Any) -> None:
        """Only what was given, because workers write how the feed is doing."""
        feed = serializer.instance
        for name, value in serializer.validated_data.items():
            setattr(feed, name, value)
        feed.next_pull_at = timezone.now()
        feed.save(update_fields=[*serializer.validated_data, "next_pull_at"])
        find_transport(feed.protocol).prepare(feed.pk)

    @extend_schema(summary="Pull it now", request=None, responses={202: FeedSerializer})
    @action(detail=True, methods=["post"], takes_body=False)
    def pull(self, request: Request, **kwargs: Any) -> Response:
        """A worker does it. `Location` lists the pull once it has begun; 409 where one waits or runs already."""
        feed = self.get_object()
        if not feed.enabled:
            raise Conflict("The feed is disabled. Enable it first.", code="disabled")
        last = feed.pulls.order_by("-pk").first()
        begun = last.pk - 1 if last and last.status == Pull.Status.RUNNING else last.pk if last else 0
        where = reverse("pull-list", kwargs={"account": self.account.code}) + f"?feed={feed.name}&after={begun}"
        if (last and last.pk > begun) or (feed.is_queued and feed.pull_asked):
            raise Conflict(f"{feed} is being pulled, or will be at once: see {where}.", "in_progress", where)
        request_pull(feed)
        feed.refresh_from_db()
        return self.answer(self.get_serializer(feed).data, 202, where)

    @extend_schema(
        summary="What the server presents of itself, and what would be pulled", request=CheckSerializer,
        responses=InspectionSerializer,
    )  # fmt: skip
    @action(detail=True, methods=["post"], one_transaction=False)
    def check(self, request: Request, **kwargs: Any) -> Response:
        """Logs in, lists, and tries what pulls do to the server; nothing is downloaded.

        What goes wrong is part of the answer.
        """
        feed = self.get_object()
        asked = CheckSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(describe_inspection(inspect_feed(feed, probe=asked.validated_data["probe"])))


class PullSerializer(serializers.ModelSerializer[Pull]):
    """One look into a feed's folder, or the last of several in a row that found the same and no new file."""

    feed = serializers.CharField(source="feed.name", read_only=True)

    class Meta:
        model = Pull
        fields = [
            "id", "feed", "status", "started_at", "heartbeat_at", "finished_at", "listed", "omitted", "imported",
            "message", "times", "first_at",
        ]  # fmt: skip
        read_only_fields = fields


class PullFilter(django_filters.FilterSet):
    feed = django_filters.CharFilter("feed__name", label="Name.")
    status = django_filters.ChoiceFilter(choices=Pull.Status.choices)
    after = django_filters.NumberFilter(
        "id", lookup_expr="gt", min_value=0, max_value=2**62, label="Only pulls that began after the one of this id."
    )


@extend_schema(tags=["feeds"])
@extend_schema_view(
    list=extend_schema(summary="Pulls of feeds, the newest first"),
    retrieve=extend_schema(summary="One pull: whether it runs, or how it ended"),
)
class Pulls(AccountViewSet, mixins.ListModelMixin, RetrieveVersioned):
    queryset = Pull.objects.select_related("feed")
    serializer_class = PullSerializer
    pagination_class = NewestFirst
    filterset_class = PullFilter
    account_field = "feed__account"
    lookup_value_regex = r"\d{1,18}"
