"""The API of what a run changed: counted by field, and all of it as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.base import AccountView
from connections.api.changes import ChangeFilter
from connections.models import Change
from imports.api.errors import answering
from imports.models import Run
from imports.runs.reporting import changes_of, count_kept, serve_table, summarise
from imports.runs.rows import read_row

if TYPE_CHECKING:
    from django.http import StreamingHttpResponse
    from rest_framework.request import Request

FILTERS = {"customer_code", "record", "action", "field"}


class FieldCountSerializer(serializers.Serializer[Any]):
    record = serializers.ChoiceField(Change.Record.choices)
    action = serializers.ChoiceField(Change.Action.choices)
    field = serializers.CharField(allow_blank=True, help_text="Blank where the record came or went as a whole.")
    count = serializers.IntegerField(min_value=1)


class ChangeSampleSerializer(serializers.Serializer[Any]):
    customer_code = serializers.CharField()
    record = serializers.ChoiceField(Change.Record.choices)
    key = serializers.CharField(allow_blank=True)
    field = serializers.CharField()
    before = serializers.CharField(allow_null=True, allow_blank=True)
    after = serializers.CharField(allow_null=True, allow_blank=True)


class ReportSerializer(serializers.Serializer[Any]):
    run = serializers.IntegerField()
    changes = FieldCountSerializer(
        many=True,
        allow_null=True,
        help_text="The most frequent first. Of a held file and a dry run null where it did not come so far, or that is "
        "forgotten as its file is.",
    )
    samples = ChangeSampleSerializer(
        many=True,
        allow_null=True,
        help_text="Up to ten values: names of new customers, and of each changed field one before a second of any.",
    )
    kept = serializers.IntegerField(
        help_text="Values that the file did not get to write, as it only fills their fields or somebody keeps them; "
        "see the issues `kept`."
    )


class RunView(AccountView):
    """Of a view below a run."""

    queryset = Run.objects.none()

    def find_run(self) -> Run:
        run = self.account.runs.filter(pk=self.kwargs["pk"]).first()
        if run is None:
            raise Http404
        return run


class Report(RunView):
    serializer_class = ReportSerializer

    @extend_schema(
        tags=["runs"],
        summary="What the run changed, by field and with samples",
        operation_id="runs_report",
        responses=ReportSerializer,
    )
    def get(self, request: Request, account: str, pk: int) -> Response:
        """Of a held file and a dry run, what it would change. One by one they are `changes/?run=`."""
        run = self.find_run()
        summary = summarise(run)
        report = {"run": run.pk, "changes": None, "samples": None, **(summary or {}), "kept": count_kept(run)}
        return Response(ReportSerializer(report).data)


class RowSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    text = serializers.CharField(help_text="As it came; of a row that spans lines, all of them.")


class Row(RunView):
    serializer_class = RowSerializer

    @extend_schema(
        tags=["runs"], summary="The row of a line, as it came", operation_id="runs_row", responses=RowSerializer
    )
    def get(self, request: Request, account: str, pk: int, line: int) -> Response:
        """While a copy of the file is kept."""
        with answering():
            lines = read_row(self.find_run(), line) if 0 < line < 10**9 else []
        if not lines:
            raise Http404
        return Response({"line": line, "text": "\n".join(lines)})


class Table(RunView):
    serializer_class = ReportSerializer

    def known_parameters(self) -> set[str]:
        return FILTERS

    @extend_schema(
        tags=["runs"],
        summary="What the run changed, as CSV",
        operation_id="runs_report_csv",
        parameters=[OpenApiParameter(name, str) for name in sorted(FILTERS)],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A row for each field.")},
    )
    def get(self, request: Request, account: str, pk: int) -> StreamingHttpResponse:
        """For spreadsheets: what they would take for a formula has an apostrophe in front."""
        run = self.find_run()
        found = ChangeFilter(request.query_params, changes_of(run))
        if not found.is_valid():
            raise ValidationError(found.errors)
        return serve_table(run, found.qs)
