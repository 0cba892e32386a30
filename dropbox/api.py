"""The API of the drop box: who may log in and how, what to tell senders, who was there. Passwords never come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as ModelError
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from accounts.api.base import (
    AccountViewSet,
    EditableViewSet,
    RetrieveVersioned,
)
from accounts.api.pagination import NewestFirst
from accounts.api.problems import detail_of
from accounts.api.strictness import StrictModelSerializer
from dropbox.guide import describe_access
from dropbox.models import Login, Session
from imports.models import Feed

if TYPE_CHECKING:
    from rest_framework.request import Request


class LoginSerializer(StrictModelSerializer):
    """A password that is left out stays; an empty text removes it, and keys alone log in."""

    feed = serializers.SlugRelatedField(
        "name", queryset=Feed.objects.none(), help_text="Name of a feed of the kind dropbox; it stays the login's."
    )
    password = serializers.CharField(
        write_only=True, required=False, allow_blank=True, trim_whitespace=False, max_length=200
    )
    has_password = serializers.SerializerMethodField()

    class Meta:
        model = Login
        fields = [
            "user_name", "feed", "enabled", "password", "has_password", "public_keys", "at_once", "quota_bytes",
            "most_files", "most_sessions", "created_at",
        ]  # fmt: skip

    def get_fields(self) -> Any:
        fields = super().get_fields()
        view = self.context.get("view")
        if view is not None and not view.is_described:
            feed: Any = fields["feed"]
            feed.queryset = Feed.objects.filter(account=view.account, protocol="dropbox")
        return fields

    def get_has_password(self, login: Login) -> bool:
        return bool(login.password)

    def validate_feed(self, feed: Feed) -> Feed:
        if self.instance is not None and self.instance.feed_id != feed.pk:
            raise serializers.ValidationError("A login stays with its feed. Make another login for the other one.")
        return feed

    def validate_password(self, password: str) -> str:
        """Its hash, which is what is kept."""
        if not password:
            return ""
        try:
            validate_password(password)
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from None
        return make_password(password)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The model's own rules."""
        known = self.instance
        kept = {field.attname: getattr(known, field.attname) for field in Login._meta.concrete_fields} if known else {}
        changed = Login(**kept)
        for name, value in attrs.items():
            setattr(changed, name, value)
        changed._state.adding = known is None
        try:
            changed.full_clean()
        except ModelError as error:
            raise serializers.ValidationError(detail_of(error)) from None
        return attrs


class AccessSerializer(serializers.Serializer[Any]):
    user = serializers.CharField()
    password = serializers.CharField(allow_blank=True, help_text="Always blank here.")
    keys = serializers.ListField(child=serializers.CharField(), help_text="Algorithm and fingerprint of each.")
    host = serializers.CharField()
    sftp_port = serializers.IntegerField(allow_null=True)
    ftps_port = serializers.IntegerField(allow_null=True)
    host_keys = serializers.DictField(child=serializers.CharField(), help_text="Fingerprints, by algorithm.")
    certificate = serializers.CharField(help_text="SHA-256 of the certificate of FTPS.")
    folder = serializers.CharField()
    mask = serializers.CharField(allow_blank=True)


@extend_schema(tags=["drop box"])
@extend_schema_view(
    list=extend_schema(summary="Logins of the drop box"),
    create=extend_schema(summary="Make a login"),
    retrieve=extend_schema(summary="One login"),
    update=extend_schema(summary="Replace a login"),
    partial_update=extend_schema(summary="Change a login, or its password"),
    destroy=extend_schema(summary="Remove a login, and end its sessions"),
)
class Logins(EditableViewSet):
    queryset = Login.objects.select_related("feed__account").order_by("id")
    serializer_class = LoginSerializer
    filterset_fields = ["enabled"]
    lookup_field = "user_name"
    account_field = "feed__account"
    lookup_value_regex = "[A-Za-z0-9][-A-Za-z0-9._]*"

    @extend_schema(summary="What its senders need to know", responses=AccessSerializer)
    @action(detail=True, methods=["get"])
    def access(self, request: Request, **kwargs: Any) -> Response:
        """Where and how to log in, and what the server presents of itself, for them to compare."""
        return Response(describe_access(self.get_object()))


class SessionSerializer(serializers.ModelSerializer[Session]):
    """One stay of a sender."""

    protocol = serializers.CharField(read_only=True, help_text="SFTP, FTPS or FTP.")

    class Meta:
        model = Session
        fields = [
            "id", "user_name", "protocol", "address", "began_at", "seen_at", "ended_at", "ended", "files", "bytes",
            "fetched", "refusal",
        ]  # fmt: skip
        read_only_fields = fields


class SessionFilter(django_filters.FilterSet):
    user_name = django_filters.CharFilter("user_name", label="Of the login.")


@extend_schema(tags=["drop box"])
@extend_schema_view(
    list=extend_schema(summary="Sessions on the drop box, the newest first"),
    retrieve=extend_schema(summary="One session: what was brought, and how it ended"),
)
class Sessions(AccountViewSet, mixins.ListModelMixin, RetrieveVersioned):
    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    pagination_class = NewestFirst
    filterset_class = SessionFilter
    lookup_value_regex = r"\d{1,18}"


ACCOUNT = "accounts/(?P<account>[-a-zA-Z0-9_]+)"

router = SimpleRouter()
router.register(f"{ACCOUNT}/logins", Logins, basename="login")
router.register(f"{ACCOUNT}/sessions", Sessions, basename="session")

urlpatterns = router.urls
