"""How the sample of a draft is read: its first rows as a table, beside the settings that cut them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.urls import path
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from imports.admin.forms import MarkField
from imports.admin.samples import SamplePages
from imports.admin.steps import page_of
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.policies import FormatError
from imports.onboarding.corrections import Corrections
from imports.runs.rereading import propose_anew
from imports.runs.sampling import read_first_records

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from imports.models import FormatVersion


class ReadingForm(forms.Form):
    """What cuts a file into rows and cells."""

    encoding = forms.CharField(max_length=30, widget=UnfoldAdminTextInputWidget, help_text="utf-8, cp1252 and others.")
    delimiter = MarkField(help_text="One character, or comma, pipe, semicolon, tab, space.")
    quotechar = MarkField(required=False, label="Quote", help_text="Blank for none.")
    header_line = forms.IntegerField(
        min_value=0, max_value=1000, widget=UnfoldAdminIntegerFieldWidget, help_text="0 where there is none."
    )

    def clean_encoding(self) -> str:
        try:
            return find_encoding(self.cleaned_data["encoding"])
        except UnknownEncoding as error:
            raise ValidationError(str(error)) from None


class ReadingPages(SamplePages):
    """Of the admin of versions."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.reading_view)
        return [path("<path:object_id>/reading/", view, name="imports_formatversion_reading"), *super().get_urls()]

    def reading_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The table follows the settings while they are changed; saving takes them into the draft."""
        version: FormatVersion = self.find_editable(request, object_id)
        form = ReadingForm(request.POST if request.method == "POST" else request.GET or _settings_of(version))
        context: dict[str, Any] = {"step": "How it is read", "form": form}
        try:
            if form.is_valid():
                cleaned = form.cleaned_data
                marks = cleaned["encoding"], cleaned["delimiter"], cleaned["quotechar"] or None
                context["records"] = read_first_records(version, *marks)
                context["header_line"] = cleaned["header_line"]
                if request.method == "POST":
                    messages.success(request, _save(version, cleaned))
                    return HttpResponseRedirect(page_of(version))
        except (FileRejected, FormatError, SettingsWrong, TryAgainLater) as error:
            context["problem"] = str(error)
        return self.show(request, version, "imports/reading.html", context)


def _settings_of(version: FormatVersion) -> dict[str, Any]:
    return {
        "encoding": version.encoding,
        "delimiter": version.delimiter,
        "quotechar": version.quotechar,
        "header_line": version.skip_lines + 1 if version.has_header else 0,
    }


def _save(version: FormatVersion, cleaned: dict[str, Any]) -> str:
    """Take the reading into the draft; what came of it, in a sentence."""
    if cleaned == _settings_of(version):
        return "Nothing changed."
    reread = propose_anew(version, Corrections(**cleaned))
    said = f"{reread.columns} columns were proposed anew"
    if reread.kept:
        said += f"; what was decided of {reread.kept} of them is kept"
    if reread.waiting:
        said += f"; what was decided of {reread.waiting} that it does not have so comes back with them"
    return f"{said}. Try the sample to see what comes of it."
