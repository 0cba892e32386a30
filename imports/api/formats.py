"""The API of formats: from a sample to a proposal, a draft, a test and an approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.response import Response

from accounts.api.base import AccountViewSet, RetrieveVersioned
from accounts.api.pagination import KeyPagination
from accounts.api.strictness import StrictSerializer
from accounts.users import user_of
from imports.api.errors import answering
from imports.choosing import find_predecessor, list_feeds, read_spec
from imports.errors import SettingsWrong
from imports.formats.differing import compare_specs
from imports.formats.documents import describe_format, read_document
from imports.models import Format, FormatVersion
from imports.versioning import approve, save_draft, start_draft, start_testing

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from accounts.models import Account


class VersionSerializer(serializers.ModelSerializer[FormatVersion]):
    """From one approval to the next; only a draft changes."""

    name = serializers.CharField(source="__str__", read_only=True, help_text="NAME@NUMBER.")

    class Meta:
        model = FormatVersion
        fields = ["name", "number", "status", "created_at", "testing_at", "live_at", "retired_at", "approver", "reason"]
        read_only_fields = fields


class FormatSerializer(serializers.ModelSerializer[Format]):
    versions = VersionSerializer(many=True, read_only=True)

    class Meta:
        model = Format
        fields = ["name", "created_at", "versions"]
        read_only_fields = fields


class DocumentSerializer(serializers.Serializer[Any]):
    """A version with the format as a document, as `export_format` writes it."""

    version = VersionSerializer()
    document = serializers.DictField(allow_null=True, help_text="null while a draft is not complete.")
    problem = serializers.CharField(allow_blank=True, help_text="What a draft lacks.")


class FeedReadingSerializer(serializers.Serializer[Any]):
    feed = serializers.CharField()
    format = serializers.CharField(allow_null=True, help_text="null: the standard template.")
    uses_it = serializers.BooleanField(help_text="Whether its files are read with this version from now on.")


class LiveSerializer(DocumentSerializer):
    feeds = FeedReadingSerializer(many=True, help_text="The account's feeds; going live changes no feed's format.")


class DraftSerializer(StrictSerializer):
    document = serializers.DictField(help_text="The format, as docs/formats.md describes it.")


class TestSerializer(StrictSerializer):
    without = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, default=list, max_length=200,
        help_text="Fields that the sample does not give and the format does without.",
    )  # fmt: skip


class ApprovalSerializer(StrictSerializer):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=1000,
        help_text="Needed where it was tested for less than two weeks.",
    )  # fmt: skip


class DifferenceSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    before = serializers.CharField(help_text="NAME@NUMBER of the version before.")
    differences = DifferenceSerializer(many=True)


NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH)


@extend_schema(tags=["formats"])
@extend_schema_view(
    list=extend_schema(summary="Formats, with their versions"),
    retrieve=extend_schema(summary="One format, with its versions"),
)
class Formats(AccountViewSet, mixins.ListModelMixin, RetrieveVersioned):
    """A sandbox uses the formats of its production account."""

    queryset = Format.objects.prefetch_related("versions__format").order_by("id")
    serializer_class = FormatSerializer
    pagination_class = KeyPagination
    lookup_field = "name"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filter_backends: list[Any] = []

    @property
    def owner(self) -> Account:
        """Formats decide how production is read, so its members alone see and change them, wherever they ask."""
        return self.account.production

    def find(self, number: str) -> FormatVersion:
        """A version; for an action on it, with its format locked, and as it was seen."""
        format_ = get_object_or_404(self.get_queryset(), name=self.kwargs["name"])
        version: FormatVersion | None = format_.versions.filter(number=int(number)).first()
        if version is None:
            raise Http404
        if self.writes:
            self.check_seen(lambda: describe_version(version))
        return version

    @extend_schema(summary="Make a document the draft", request=DraftSerializer, responses=DocumentSerializer)
    @action(detail=True, methods=["put"])
    def draft(self, request: Request, name: str, **kwargs: Any) -> Response:
        """Of a new format, or of the next version of a known one; nothing that is live changes.

        If-Match names the newest version, as it was read.
        """
        asked = DraftSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        self.check_seen(lambda: describe_newest(self.get_queryset(), name))
        with answering():
            draft = save_draft(self.owner, name, read_document(asked.validated_data["document"]))
        return self.answer(describe_version(draft))

    @extend_schema(
        summary="Begin the next draft as a copy",
        request=None,
        responses={200: DocumentSerializer, 201: DocumentSerializer},
    )
    @action(detail=True, methods=["post"], url_path="start-draft", takes_body=False)
    def start_draft(self, request: Request, **kwargs: Any) -> Response:
        """Where there is a draft already, that is the answer, with 200."""
        format_ = self.get_object()
        newest = format_.newest
        with answering():
            draft = start_draft(format_)
        return self.answer(describe_version(draft), 200 if draft == newest else 201, self.locate(draft))

    @extend_schema(summary="One version, as a document", parameters=[NUMBER], responses=DocumentSerializer)
    @action(detail=True, url_path=r"versions/(?P<number>\d{1,9})")
    def version(self, request: Request, number: str, **kwargs: Any) -> Response:
        return self.answer(describe_version(self.find(number)))

    @extend_schema(
        summary="Freeze a draft and test it", parameters=[NUMBER], request=TestSerializer, responses=DocumentSerializer
    )
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>\d{1,9})/test")
    def test(self, request: Request, number: str, **kwargs: Any) -> Response:
        """Refused while its proposal leaves open what the sample does not say; the answer names the fields."""
        asked = TestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with answering():
            version = start_testing(self.find(number), without=asked.validated_data["without"])
        return self.answer(describe_version(version))

    @extend_schema(
        summary="Approve a tested version", parameters=[NUMBER], request=ApprovalSerializer,
        responses=LiveSerializer,
    )  # fmt: skip
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>\d{1,9})/approve")
    def approve(self, request: Request, number: str, **kwargs: Any) -> Response:
        asked = ApprovalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = user_of(request)
        with answering():
            reason = asked.validated_data["reason"]
            version = approve(self.find(number), user.get_full_name() or user.username, user=user, reason=reason)
        found = describe_version(version)
        feeds = [feed._asdict() for feed in list_feeds(version)]
        return Response(found | {"feeds": feeds}, headers={"ETag": self.etag_of(found)})

    @extend_schema(summary="What differs from the version before", parameters=[NUMBER], responses=ComparisonSerializer)
    @action(detail=True, url_path=r"versions/(?P<number>\d{1,9})/differences")
    def differences(self, request: Request, number: str, **kwargs: Any) -> Response:
        version = self.find(number)
        with answering():
            before = find_predecessor(version)
            found = compare_specs(read_spec(before), read_spec(version))
        return Response({"before": str(before), "differences": [one._asdict() for one in found]})

    def locate(self, version: FormatVersion) -> str:
        parts = {"account": self.account.code, "name": version.format.name, "number": version.number}
        return reverse("format-version", kwargs=parts)


def describe_newest(formats: QuerySet[Format], name: str) -> dict[str, Any] | None:
    """The newest version of a format, which is locked with it where the formats are; none where there is none."""
    known = formats.filter(name=name).first()
    return describe_version(known.newest) if known and known.newest else None


def describe_version(version: FormatVersion) -> dict[str, Any]:
    document, problem = None, ""
    try:
        document = describe_format(read_spec(version))
    except SettingsWrong as error:
        problem = str(error)
    return {"version": VersionSerializer(version).data, "document": document, "problem": problem}
