"""The API of runs: upload a file, follow its run, get back what was wrong, decide about what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.conf import settings
from django.db.models import Prefetch
from django.http import FileResponse, Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.response import Response

from accounts.api.base import AccountView, AccountViewSet, RetrieveVersioned
from accounts.api.pagination import KeyPagination, NewestFirst
from accounts.api.parsers import StrictJSONParser, WholeMultiPartParser
from accounts.api.problems import Conflict
from accounts.api.strictness import StrictSerializer
from accounts.users import user_of
from imports.api.errors import answering
from imports.describing import rejects_name
from imports.errors import held_for_choices
from imports.models import LONGEST_REASON, Issue, Run
from imports.queueing import request_release
from imports.runs.releasing import check_release, reject_run
from imports.runs.replaying import queue_replay
from imports.runs.serving import serve_file
from imports.runs.undoing import queue_undo
from imports.runs.uploading import store_upload

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class CountsSerializer(serializers.Serializer[Any]):
    rows = serializers.IntegerField(help_text="Data records of the file.")
    rows_rejected = serializers.IntegerField(help_text="Rows that name no customer.")
    customers = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Customers whose connection was rejected in review.")


class ProgressSerializer(serializers.Serializer[Any]):
    stage = serializers.CharField(allow_blank=True, help_text="Reading, Checking or Writing.")
    done = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Bytes, or customers.")


class RunSerializer(serializers.ModelSerializer[Run]):
    """One file going through the pipeline once."""

    account = serializers.CharField(source="account.code", read_only=True)
    file = serializers.CharField(source="file_name", read_only=True)
    size = serializers.IntegerField(source="file_size", read_only=True, help_text="Bytes.")
    feed = serializers.CharField(source="feed.name", allow_null=True, read_only=True, default=None)
    format = serializers.CharField(source="format_name", read_only=True)
    sha256 = serializers.CharField(read_only=True, allow_blank=True, help_text="Of the file, where that was digested.")
    started_by = serializers.CharField(source="started_by.username", allow_null=True, read_only=True, default=None)
    released_from = serializers.IntegerField(
        source="released_from_id", allow_null=True, read_only=True, help_text="The held run that this one released."
    )
    replays = serializers.IntegerField(
        source="replays_id",
        allow_null=True,
        read_only=True,
        help_text="The run whose rejected customers this one took.",
    )
    undoes = serializers.IntegerField(
        source="undoes_id", allow_null=True, read_only=True, help_text="The run that this one took back."
    )
    released_as = serializers.SerializerMethodField(help_text="The run that a held one was released as.")
    decision = serializers.ChoiceField(
        [("", "none"), *Run.Decision.choices], read_only=True, help_text="What a person decided about a held file."
    )
    held_for = serializers.ChoiceField(
        [("", "none"), *held_for_choices()],
        read_only=True,
        help_text="Why a held file needs somebody. One held for its header needs another version of its format.",
    )
    release_asked_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Of a held run: a release was asked for then, and waits for a worker.",
    )
    release_problem = serializers.CharField(
        read_only=True, allow_blank=True, help_text="Of a held run: why the release that was asked for was refused."
    )
    heartbeat_at = serializers.DateTimeField(read_only=True, help_text="When the run was last seen at work.")
    counts = CountsSerializer(read_only=True)
    progress = serializers.SerializerMethodField()
    has_rejects = serializers.SerializerMethodField()
    has_file = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            "id", "account", "file", "size", "feed", "format", "sha256", "status", "message", "held_for", "dry_run",
            "counts", "progress", "started_by", "started_at", "finished_at", "seconds", "decision", "decided_by",
            "decided_at", "reason", "release_asked_at", "release_problem", "released_from", "released_as", "replays",
            "undoes", "deleted", "has_file", "has_rejects", "heartbeat_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, run: Run) -> dict[str, Any] | None:
        """While the run runs, and nothing afterwards."""
        if run.status != Run.Status.RUNNING:
            return None
        return {"stage": run.stage, "done": run.stage_done, "total": run.stage_total}

    def get_released_as(self, run: Run) -> int | None:
        return max((release.pk for release in run.releases.all()), default=None)

    def get_has_file(self, run: Run) -> bool:
        return run.kept_file_id is not None

    def get_has_rejects(self, run: Run) -> bool:
        return run.rejects_file_id is not None


class UploadSerializer(StrictSerializer):
    file = serializers.FileField(max_length=255, help_text="A customer file.")
    format = serializers.CharField(
        required=False, max_length=100, help_text="NAME, NAME@VERSION or standard; else the account's live format."
    )
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Check and count, and change nothing.")


class IssueSerializer(serializers.ModelSerializer[Issue]):
    class Meta:
        model = Issue
        fields = ["line", "column", "field", "code", "severity", "message", "value", "customer_code", "more"]


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=LONGEST_REASON, help_text="Why; kept with the run."
    )


class ReleaseSerializer(ReasonSerializer):
    force = serializers.BooleanField(
        required=False, default=False, help_text="Although a newer file went in, whose values would be overwritten."
    )


class DryRunSerializer(ReasonSerializer):
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Check and count, and change nothing.")


class RunFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Run.Status.choices)
    feed = django_filters.CharFilter("feed__name", label="Name.")
    file = django_filters.CharFilter("file_name")
    dry_run = django_filters.BooleanFilter()
    since = django_filters.IsoDateTimeFilter("started_at", lookup_expr="gte")


FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The file, as a download.")


@extend_schema(tags=["runs"])
@extend_schema_view(
    list=extend_schema(summary="Runs, the newest first"),
    retrieve=extend_schema(summary="One run: how far it is, or how it ended"),
)
class Runs(AccountViewSet, mixins.ListModelMixin, RetrieveVersioned):
    queryset = Run.objects.select_related("account", "feed", "started_by").prefetch_related(
        Prefetch("releases", Run.objects.only("pk", "released_from_id"))
    )
    serializer_class = RunSerializer
    pagination_class = NewestFirst
    filterset_class = RunFilter
    parser_classes = [StrictJSONParser]
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(summary="Import a held file after all", request=ReleaseSerializer, responses={202: RunSerializer})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, **kwargs: Any) -> Response:
        """A worker does it. Ask for the run at `Location` until `released_as` names the run that it became.

        Where it is refused when its turn comes, `release_asked_at` is empty again and `release_problem` says why.
        """
        run = self.get_object()
        asked = ReleaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with answering():
            check_release(run, force=asked.validated_data["force"])
            if run.release_asked_at is not None:
                where = locate_run(run)
                raise Conflict(f"{run} waits for a worker to release it already: see {where}.", "in_progress", where)
            request_release(run, user_of(request), **asked.validated_data)
        return self.answer(self.get_serializer(run).data, 202, locate_run(run))

    @extend_schema(
        summary="Decide that nothing of a held file is applied", request=ReasonSerializer, responses=RunSerializer
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, **kwargs: Any) -> Response:
        run = self.get_object()
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with answering():
            reject_run(run, by=user_of(request).get_username(), **asked.validated_data)
        return self.answer(self.get_serializer(run).data)

    @extend_schema(
        summary="Import the rejected customers of a run again", request=DryRunSerializer, responses={202: RunSerializer}
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """From our copy of the file, once a list or the format was mended. A worker does it, in the run at `Location`.

        Customers that came again since are skipped, with an issue (`not_replayed`) that says why.
        """
        run = self.get_object()
        asked = DryRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with answering():
            queued = queue_replay(run, user_of(request), **asked.validated_data)
        return self.answer(self.get_serializer(queued).data, 202, locate_run(queued))

    @extend_schema(summary="Take back what a run changed", request=DryRunSerializer, responses={202: RunSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, **kwargs: Any) -> Response:
        """As far as nobody changed it since. A worker does it, in the run at `Location`, which can be undone itself.

        What is left is named by its issues (`changed_since`); `counts` has the customers whose values were restored as
        updated, `deleted` those that are gone.
        """
        run = self.get_object()
        asked = DryRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with answering():
            queued = queue_undo(run, user_of(request), **asked.validated_data)
        return self.answer(self.get_serializer(queued).data, 202, locate_run(queued))

    @extend_schema(summary="The file as it came", responses={(200, "application/octet-stream"): FILE})
    @action(detail=True)
    def file(self, request: Request, **kwargs: Any) -> FileResponse:
        run = self.get_object()
        with answering():
            return serve_file(run.kept_file, run.file_name)

    @extend_schema(
        summary="The rejected rows, to be mended and sent again", responses={(200, "application/octet-stream"): FILE}
    )
    @action(detail=True)
    def rejects(self, request: Request, **kwargs: Any) -> FileResponse:
        run = self.get_object()
        with answering():
            return serve_file(run.rejects_file, rejects_name(run))


def locate_run(run: Run) -> str:
    return reverse("run-detail", kwargs={"account": run.account.code, "pk": run.pk})


class Upload(AccountView):
    """A file goes to the disk as it comes, and a worker imports it."""

    queryset = Run.objects.none()
    serializer_class = UploadSerializer
    parser_classes = [WholeMultiPartParser]

    @property
    def largest_body(self) -> int:
        return int(settings.UPLOAD_LIMIT)

    @extend_schema(
        tags=["runs"],
        summary="Upload a file and have it imported",
        operation_id="runs_upload",
        request={"multipart/form-data": UploadSerializer},
        responses={202: RunSerializer},
    )
    def post(self, request: Request, account: str) -> Response:
        asked = UploadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        if not values["file"].size:
            raise ValidationError({"file": "The file is empty."})
        with answering():
            run = store_upload(
                self.account,
                values["file"],
                user_of(request),
                format_name=values.get("format"),
                dry_run=values["dry_run"],
            )
        return Response(RunSerializer(run).data, status=202, headers={"Location": locate_run(run)})


@extend_schema(tags=["runs"], summary="What was wrong in the file, in its order")
class Issues(AccountView, ListAPIView[Issue]):
    account_field = "run__account"
    queryset = Issue.objects.all()
    serializer_class = IssueSerializer
    pagination_class = KeyPagination
    filterset_fields = ["severity", "code", "field", "customer_code"]

    def get_queryset(self) -> QuerySet[Issue]:
        found: QuerySet[Issue] = super().get_queryset()
        if self.is_described:
            return found
        run = self.account.runs.filter(pk=self.kwargs["pk"]).first()
        if run is None:
            raise Http404
        return found.filter(run=run)
