"""Upload: somebody gives a file to an account, looks at what it would change, and imports it for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from accounts.models import Account
from accounts.users import user_of
from imports.admin.steps import StepPages, page_of
from imports.choosing import STANDARD_NAME
from imports.errors import SettingsWrong
from imports.models import FormatVersion
from imports.runs.queued import import_soon
from imports.runs.uploading import find_import_of, queue_for_real, store_upload
from imports.storage import StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User
    from imports.models import Run

ARCHIVE = b"PK\x03\x04"


def list_readings(accounts: QuerySet[Account]) -> list[Any]:
    """How files may be read into the accounts: by themselves, as the standard template, and with their formats."""
    of_sandbox = Q(format__account__sandboxes__in=accounts.values("pk"))
    live = Q(status=FormatVersion.Status.LIVE) & (Q(format__account__in=accounts.values("pk")) | of_sandbox)
    versions = FormatVersion.objects.filter(live | (Q(status=FormatVersion.Status.TESTING) & of_sandbox)).distinct()
    groups: dict[str, list[tuple[str, str]]] = {}
    for version in versions.select_related("format__account").order_by("format__account", "format__name", "-number"):
        said = "live" if version.status == FormatVersion.Status.LIVE else "testing, for a sandbox"
        groups.setdefault(str(version.format.account), []).append((str(version), f"{version} ({said})"))
    return [
        ("", "the account's live format, or else the standard template"),
        (STANDARD_NAME, "the standard template"),
        *groups.items(),
    ]


class UploadForm(forms.Form):
    """A file, the account it goes to, and how it is read; the formats offered are those of the account, once chosen."""

    file = forms.FileField(
        help_text="Delimited text, .txt or .csv.", widget=UnfoldAdminFileFieldWidget({"accept": ".txt,.csv"})
    )
    account = forms.ModelChoiceField(Account.objects.none(), widget=UnfoldAdminSelectWidget)
    reading = forms.ChoiceField(
        required=False,
        label="Format",
        widget=UnfoldAdminSelectWidget,
        help_text="A production account takes live versions only. Rejected rows that come back are read as they were "
        "before.",
    )
    dry_run = forms.BooleanField(
        label="Dry run first",
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget,
        help_text="Check the file, show what it would change, and change nothing. A click imports it then.",
    )

    def __init__(self, user: User, account: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        editable = Account.objects.editable_by(user)
        chosen = editable.filter(pk=account) if account.isdecimal() and len(account) < 19 else editable.none()
        accounts, reading = self.fields["account"], self.fields["reading"]
        assert isinstance(accounts, forms.ModelChoiceField)  # noqa: S101  (narrows the type)
        assert isinstance(reading, forms.ChoiceField)  # noqa: S101  (as above)
        accounts.queryset = editable
        likely = list(editable.filter(sandbox_of=None)[:2]) or list(editable[:2])
        accounts.initial = chosen.first() or (likely[0] if len(likely) == 1 else None)
        accounts.widget.attrs |= {
            "hx-get": reverse("admin:imports_run_upload"),
            "hx-target": "#reading",
            "hx-select": "#reading",
            "hx-swap": "outerHTML",
        }
        reading.choices = list_readings(chosen if not self.is_bound and accounts.initial in chosen else editable)

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        file.open()
        if file.read(len(ARCHIVE)) == ARCHIVE:
            raise ValidationError(
                f"{file.name} is a spreadsheet or an archive. In the spreadsheet, save it as CSV UTF-8."
            )
        file.seek(0)
        return file


class UploadPages(StepPages):
    """Of the admin of runs, with a button above their list."""

    actions_list = ["upload"]

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        return list(super().get_actions_list(request)) if user_of(request).edits_any_account else []

    @action(description="Upload a file", url_path="upload")
    def upload(self, request: HttpRequest) -> HttpResponse:
        user = user_of(request)
        if not user.edits_any_account:
            raise PermissionDenied
        given = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(user, request.GET.get("account", ""), *given)
        if given and form.is_valid():
            cleaned = form.cleaned_data
            try:
                run = store_upload(
                    cleaned["account"],
                    cleaned["file"],
                    user,
                    format_name=cleaned["reading"] or None,
                    dry_run=cleaned["dry_run"],
                )
            except (StorageUnreachable, StorageRefused) as error:
                form.add_error("file", str(error))
            except SettingsWrong as error:
                form.add_error("reading", str(error))
            else:
                import_soon(run)
                return redirect(page_of(run))
        site = self.admin_site.each_context(request)
        may_onboard = Account.objects.editable_by(user).filter(sandbox_of=None).exists()
        context = {**site, "opts": self.opts, "title": "Upload a file", "form": form, "may_onboard": may_onboard}
        return TemplateResponse(request, "imports/upload.html", context)

    @action(description="Import it for real", url_path="import")
    def import_for_real(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file of a dry run, from the copy that was kept."""
        run: Run = self.find_editable(request, object_id)
        if real := find_import_of(run):
            messages.info(request, f"This run imports {run.file_name} already.")
            return redirect(page_of(real))
        text = [
            f"{run.file_name} is imported into {run.account} as a run of its own, from the copy that the dry run kept. "
            "It is judged anew, as things stand now.",
        ]

        def take(_: Form | None) -> HttpResponse:
            queued = queue_for_real(run, user_of(request))
            import_soon(queued)
            return redirect(page_of(queued))

        return self.confirm(request, run, "Import it for real", text, take)
