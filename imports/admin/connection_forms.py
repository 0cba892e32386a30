"""Forms of the import and the export of connections: which account, which file, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Account
from imports.errors import SettingsWrong
from imports.models import FormatVersion
from imports.pipeline.recognising import LOOKED_AT, find_version_for_file
from imports.versioning import STANDARD_NAME, read_spec
from lookups.uploads import SignedConfirmForm

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet

    from accounts.models import User

LARGEST_SHOWN = 5_000_000
"""Bytes of a file that is shown before it is imported; a worker imports a larger one."""
ARCHIVE = b"PK\x03\x04"


def list_readings(user: User) -> list[Any]:
    """How files may be read: by themselves, the standard template, and the formats of the accounts the user edits."""
    edited = Account.objects.editable_by(user).values("pk")
    owned = Q(format__account__in=edited) | Q(format__account__sandboxes__in=edited)
    versions = FormatVersion.objects.filter(owned, status__in=["live", "testing"]).distinct()
    groups: dict[str, list[tuple[str, str]]] = {}
    for version in versions.select_related("format__account").order_by("format__account", "format__name", "-number"):
        said = "live" if version.status == FormatVersion.Status.LIVE else "testing, for a sandbox"
        groups.setdefault(str(version.format.account), []).append((str(version), f"{version} ({said})"))
    return [
        ("", "the account's live format, or else the standard template"),
        (STANDARD_NAME, "the standard template"),
        *groups.items(),
    ]


class ImportConnectionsForm(ImportForm):
    account = forms.ModelChoiceField(Account.objects.none(), widget=UnfoldAdminSelectWidget)
    reading = forms.ChoiceField(
        required=False,
        label="Read with",
        widget=UnfoldAdminSelectWidget,
        help_text="A production account takes live versions only. Rejected rows that come back are read as they were "
        "before.",
    )
    field_order = ["resource", "account", "import_file", "reading", "format"]
    version: FormatVersion | None = None

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account, file, reading = self.fields["account"], self.fields["import_file"], self.fields["reading"]
        self.fields["format"].label = "File type"
        account.queryset = Account.objects.editable_by(user)
        if len(only := account.queryset[:2]) == 1:
            account.initial = only[0]
        reading.choices = reading.widget.choices = list_readings(user)
        file.widget.attrs["accept"] = ".txt,.csv"
        file.help_text = (
            f"Delimited text, .txt or .csv. What it would change is shown first; a file above "
            f"{LARGEST_SHOWN / 1e6:.0f} MB is imported by a worker at once."
        )

    def clean_import_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["import_file"]
        file.open()
        if file.read(len(ARCHIVE)) == ARCHIVE:
            raise ValidationError(f"{file.name} is a spreadsheet or an archive. Save it as delimited text (.csv).")
        return file

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            file = cleaned["import_file"]
            file.open()
            try:
                self.version = find_reading(cleaned["account"], cleaned["reading"], file.read(LOOKED_AT))
            except SettingsWrong as error:
                self.add_error("reading", str(error))
            file.seek(0)
        return cleaned


def find_reading(account: Account, reading: str, start: bytes) -> FormatVersion | None:
    """The version that the choice means for a file that begins so. Raises SettingsWrong where there is none."""
    version = find_version_for_file(account, reading or None, start)
    if version is not None:
        read_spec(version)
    return version


class ConfirmConnectionsForm(SignedConfirmForm):
    """The second step. Its signature holds for the account and the reading that were shown, and for no other."""

    account = forms.ModelChoiceField(Account.objects.none(), widget=forms.HiddenInput)
    reading = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, label: str, **kwargs: Any) -> None:
        given = kwargs.get("data") or kwargs.get("initial") or {}
        label = f"{label}:{given.get('account', '')}:{given.get('reading', '')}"
        super().__init__(*args, user=user, label=label, **kwargs)
        account = self.fields["account"]
        assert isinstance(account, forms.ModelChoiceField)  # noqa: S101  (narrows the type)
        account.queryset = Account.objects.editable_by(user)


class ExportConnectionsForm(ExportForm):
    """The template has no column for the account, so one is chosen."""

    account = forms.ModelChoiceField(Account.objects.none(), widget=UnfoldAdminSelectWidget)
    field_order = ["resource", "account", "format"]

    def __init__(self, *args: Any, accounts: QuerySet[Account], filtered: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        field.queryset = accounts
        field.initial = filtered or (only[0] if len(only := accounts[:2]) == 1 else None)
