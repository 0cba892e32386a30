"""The API of onboarding: from a sample to a proposal, and on demand a draft."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.base import VersionedMixin
from accounts.api.parsers import JSONTextField, WholeMultiPartParser
from accounts.api.strictness import StrictSerializer
from imports.api.errors import answering
from imports.api.formats import describe_newest
from imports.formats.documents import read_mark, read_marks, read_quote
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.plain import read_json
from imports.formats.policies import FormatError
from imports.models import Format, FormatVersion
from imports.onboarding.corrections import Corrections
from imports.runs.rehearsing import propose_and_rehearse
from imports.runs.sampling import keep_sample
from imports.template import find_target
from imports.versioning import save_draft

if TYPE_CHECKING:
    from rest_framework.request import Request

    from imports.onboarding.proposals import Proposal


class ProposeSerializer(StrictSerializer):
    sample = serializers.FileField(max_length=255, help_text="A file as the ERP writes it.")
    constants = JSONTextField(required=False, help_text='The same value for every row: {"price_type_currency": "EUR"}.')
    columns = JSONTextField(
        required=False,
        help_text='Fields by the column\'s header or position, null to leave it out: {"Fax": null, "5": "website"}.',
    )
    defaults = JSONTextField(
        required=False, help_text='What blank cells of the field\'s column become: {"billing_country": "DE"}.'
    )
    blanked = JSONTextField(
        required=False, help_text="Columns whose values become blank where their field cannot have them: a list."
    )
    row_marks = JSONTextField(
        required=False,
        help_text='What rows with a value in a column are, leave_out or take: {"LOEVM": {"X": "leave_out"}}.',
    )
    encoding = serializers.CharField(required=False, max_length=30, help_text="Such as cp1252.")
    delimiter = serializers.CharField(
        required=False, max_length=9, trim_whitespace=False, help_text="One character, or comma, pipe, semicolon, tab."
    )
    quotechar = serializers.CharField(
        required=False,
        max_length=9,
        trim_whitespace=False,
        help_text="What stands around cells: one character, or none.",
    )
    header_line = serializers.IntegerField(
        required=False, min_value=0, max_value=1000, help_text="The line of the header; 0 where there is none."
    )
    save_as = serializers.CharField(
        required=False, max_length=60, help_text="Makes the proposal the draft of the format of this name."
    )


class ProposalSerializer(serializers.Serializer[Any]):
    proposal = serializers.DictField(help_text="As `onboard_format --json` prints it.")
    draft = serializers.CharField(allow_null=True, help_text="NAME@NUMBER, where it was saved.")


class Propose(VersionedMixin):
    """Only the file's beginning and end are looked at; nothing is imported."""

    queryset = Format.objects.none()
    serializer_class = ProposeSerializer
    parser_classes = [WholeMultiPartParser]
    one_transaction = False
    minds_etags = True

    @property
    def largest_body(self) -> int:
        return 50_000_000

    @extend_schema(
        tags=["formats"],
        summary="Propose how a sample is read",
        operation_id="formats_propose",
        request={"multipart/form-data": ProposeSerializer},
        responses=ProposalSerializer,
    )
    def post(self, request: Request, account: str) -> Response:
        """`save_as` writes a format of the production account, and asks for the rights and the If-Match of a draft."""
        asked = ProposeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        name = values.get("save_as")
        if name is not None:
            self.check_rights(self.account.production, edit=True)
        corrections = read_corrections(values)
        path = Path(values["sample"].temporary_file_path())
        with answering():
            proposal = propose_and_rehearse(path, self.account, corrections)
            draft = self.save(name, proposal) if name is not None else None
            if draft is not None:
                keep_sample(draft.format, values["sample"])
        return Response({"proposal": proposal.describe(), "draft": str(draft) if draft else None})

    def save(self, name: str, proposal: Proposal) -> FormatVersion:
        owner = self.account.production
        with transaction.atomic():
            formats = Format.objects.filter(account=owner).select_for_update(no_key=True)
            self.check_seen(lambda: describe_newest(formats, name), replaces=True)
            return save_draft(owner, name, proposal.to_draft(), proposal=proposal.describe())


def read_values(name_of_field: str, values: Any) -> dict[Any, str]:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ValidationError({name_of_field: "Give an object of texts, by template field."})
    targets = {name: find_target(str(name)) for name in values}
    for name, target in targets.items():
        if target is None or not values[name].strip():
            raise ValidationError({name_of_field: f"{name}: give a field of the template, with a value."})
    return {target: values[name].strip() for name, target in targets.items()}


def read_corrections(values: dict[str, Any]) -> Corrections:
    """What is decided about a sample; the rest is proposed around it."""
    columns = values.get("columns", {})
    if not isinstance(columns, dict) or not all(name is None or isinstance(name, str) for name in columns.values()):
        raise ValidationError({"columns": "Give an object of template fields, or null, by column."})
    fields = {column: find_target(name) if name is not None else None for column, name in columns.items()}
    for column, name in columns.items():
        if name is not None and fields[column] is None:
            raise ValidationError({"columns": f"{column}: {name!r} is no field of the template."})
    try:
        delimiter = read_mark(values.get("delimiter", ""))
    except FormatError as error:
        raise ValidationError({"delimiter": str(error)}) from None
    try:
        quote = read_quote(values.get("quotechar", ""))
    except FormatError as error:
        raise ValidationError({"quotechar": str(error)}) from None
    try:
        encoding = find_encoding(values["encoding"]) if values.get("encoding") else ""
    except UnknownEncoding as error:
        raise ValidationError({"encoding": str(error)}) from None
    try:
        row_marks = read_marks(read_json(values.get("row_marks", {})))
    except FormatError as error:
        raise ValidationError({"row_marks": str(error)}) from None
    return Corrections(
        row_marks=row_marks,
        constants=read_values("constants", values.get("constants", {})),
        defaults=read_values("defaults", values.get("defaults", {})),
        blanked=_read_blanked(values.get("blanked", [])),
        fields=fields,
        encoding=encoding,
        delimiter=delimiter,
        quotechar=quote,
        header_line=values.get("header_line"),
    )


def _read_blanked(columns: Any) -> list[str]:
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise ValidationError({"blanked": "Give a list of headers or positions."})
    return columns
