"""The form that makes a format of a sample, or of a document."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from imports.admin.forms import LinesField, MarkField, QuoteField
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.formats.documents import read_format
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.policies import FormatError
from imports.models import Format, FormatVersion
from imports.onboarding.corrections import Corrections
from imports.runs.rehearsing import propose_and_rehearse
from imports.template import Target, find_target

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from imports.formats.spec import FormatDraft, FormatSpec
    from imports.models import Run

CONSTANTS = {
    "price_type_currency": Target("price_type_currency"),
    "price_type_name": Target("price_type_name"),
    "address_type": Target("address_type"),
}
CORRECTIONS = ("encoding", "delimiter", "quotechar", "header_line", "columns")
LARGEST_DOCUMENT = 1 << 20


class OnboardForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Makes a format with its first draft, of a sample of the ERP's file or of a format as a file."""

    sample = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="A file as the ERP writes it. Only its beginning is looked at.",
    )
    document = forms.FileField(
        required=False, label="A format as a file", widget=UnfoldAdminFileFieldWidget, help_text="YAML."
    )
    price_type_currency = forms.CharField(
        required=False,
        max_length=3,
        widget=UnfoldAdminTextInputWidget,
        help_text="The same for every customer, where no column has it: USD.",
    )
    price_type_name = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="The same for every customer, where no column has it.",
    )
    address_type = forms.ChoiceField(
        required=False,
        choices=[("", "as the file says"), ("S", "shipping"), ("B", "billing")],
        widget=UnfoldAdminSelectWidget,
        help_text="What the addresses are, where neither a column nor a header says it.",
    )

    encoding = forms.CharField(
        required=False,
        max_length=30,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as cp1252, where the proposal reads the sample's letters wrongly.",
    )
    delimiter = MarkField(required=False, help_text="Where it was not found: one character, or comma, semicolon, tab.")
    quotechar = QuoteField(
        required=False,
        label="Quote",
        help_text="Where it was taken wrongly: the character that stands around cells, or none.",
    )
    header_line = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="The line of the header, 0 where there is none, where it was taken wrongly.",
    )
    columns = LinesField(
        required=False,
        help_text="What columns are that were taken wrongly, each on a line of its own: Kd.-Nr. = customer_code. "
        "Nothing behind the sign leaves the column out; the rest is proposed around it.",
    )

    class Meta:
        model = Format
        fields = ["account", "name"]
        help_texts: ClassVar = {
            "name": "Names the format in commands. The name of a format that is there makes its next version."
        }

    run: Run | None = None
    """Its file comes as the sample where none is chosen."""

    spec: FormatSpec | FormatDraft
    proposal: dict[str, Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.run:
            self.fields["sample"].help_text = f"Without another one, the file of {self.run}."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._go_on_with_known(cleaned)
        sample, document = cleaned.get("sample"), cleaned.get("document")
        if not self.errors and bool(sample) == bool(document):
            raise ValidationError("Give either a sample or a format as a file.")
        if self.errors:
            return cleaned
        try:
            if document:
                self.spec = read_format(_read_text(document))
            elif sample:
                self._propose(sample, cleaned)
        except (FormatError, FileRejected, SettingsWrong, TryAgainLater) as error:
            self.add_error("document" if document else "sample", str(error))
        return cleaned

    def clean_encoding(self) -> str:
        try:
            return find_encoding(self.cleaned_data["encoding"]) if self.cleaned_data["encoding"] else ""
        except UnknownEncoding as error:
            raise ValidationError(str(error)) from None

    def clean_columns(self) -> dict[str, Target | None]:
        """The fields by column, none for one that is left out."""
        fields: dict[str, Target | None] = {}
        for line in self.cleaned_data["columns"]:
            column, equals, name = line.rpartition("=")
            target = find_target(name.strip()) if name.strip() else None
            if not equals or not column.strip() or (name.strip() and target is None):
                raise ValidationError(f"{line!r}: give a column, an equals sign and a field of the template.")
            fields[column.strip()] = target
        return fields

    def _go_on_with_known(self, cleaned: dict[str, Any]) -> None:
        """A format of the name that is there gets its next version, unless somebody is at work on one."""
        known = Format.objects.filter(account=cleaned.get("account"), name=cleaned.get("name")).first()
        if known is None:
            return
        self.instance = known
        if draft := known.versions.filter(status=FormatVersion.Status.DRAFT).first():
            self.add_error("name", f"{draft} is a draft already. Go on with it or delete it, or give another name.")

    def _propose(self, sample: UploadedFile[bytes], cleaned: dict[str, Any]) -> None:
        corrections = Corrections(
            constants={target: cleaned[name].strip() for name, target in CONSTANTS.items() if cleaned.get(name)},
            fields=cleaned["columns"],
            encoding=cleaned["encoding"],
            delimiter=cleaned["delimiter"],
            quotechar=cleaned["quotechar"],
            header_line=cleaned["header_line"],
        )
        with tempfile.NamedTemporaryFile() as copy:
            for chunk in sample.chunks():
                copy.write(chunk)
            copy.flush()
            proposal = propose_and_rehearse(Path(copy.name), cleaned["account"], corrections)
        self.spec = proposal.to_draft()
        self.proposal = proposal.describe()


def _read_text(document: UploadedFile[bytes]) -> str:
    if (document.size or 0) > LARGEST_DOCUMENT:
        raise FormatError("The file is too large to be a format.")
    try:
        return str(document.read(), "utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError("The file is not text in UTF-8.") from None
