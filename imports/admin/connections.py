"""On the page of connections: the way to upload a file, and the export of what is listed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localdate
from import_export.admin import ExportMixin
from import_export.formats.base_formats import Format
from unfold.decorators import action

from accounts.models import Account
from accounts.users import user_of
from connections.admin import ConnectionAdmin
from connections.models import Connection
from imports.admin.connection_forms import ExportConnectionsForm
from imports.formats.spec import STANDARD
from imports.formats.writing import write_record
from imports.resources import ConnectionResource

if TYPE_CHECKING:
    from django.http import HttpRequest
    from tablib import Dataset


OF_ACCOUNT = "account__id__exact"
"""The filter of the list."""


class DelimitedText(Format):
    """What the pipeline reads; an export is written as the standard template has it, to be imported back anywhere."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return "Delimited text (.txt, .csv)"

    def get_extension(self) -> str:
        return "txt"

    def get_content_type(self) -> str:
        return "text/plain; charset=utf-8"

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def export_data(self, dataset: Dataset, **_: Any) -> bytes:
        text = io.StringIO()
        for cells in (dataset.headers, *dataset):
            write_record(text, STANDARD.dialect, cells)
        return text.getvalue().encode()


class ExchangingConnectionAdmin(ExportMixin, ConnectionAdmin):
    """The page of connections with the buttons to upload a file and to export."""

    resource_classes = [ConnectionResource]
    formats = [DelimitedText]
    actions_list = ["upload"]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    # -- in

    @action(description="Upload a file", url_path="upload")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """On the page of its own, into the account that the list is filtered to."""
        given = request.GET.get(OF_ACCOUNT)
        return redirect(reverse("admin:imports_run_upload", query={"account": given} if given else None))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)
        given = request.GET.get(OF_ACCOUNT)
        if given and isinstance(answer, TemplateResponse):
            for button in (answer.context_data or {}).get("actions_list", []):
                button["path"] += f"?{urlencode({OF_ACCOUNT: given})}"
        return answer

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        return list(super().get_actions_list(request)) if user_of(request).edits_any_account else []

    # -- out

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """One account's customers, of those that the list is filtered to, as the standard template."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        user = user_of(request)
        form = ExportConnectionsForm(
            [DelimitedText],
            [ConnectionResource],
            data=request.POST or None,
            accounts=Account.objects.visible_to(user),
            filtered=request.GET.get(OF_ACCOUNT, ""),
        )
        if not form.is_valid():
            context = {**self.init_request_context_data(request, form), "media": self.media + form.media}
            return TemplateResponse(request, self.export_template_name, context)
        account, text = form.cleaned_data["account"], DelimitedText()
        dataset = ConnectionResource(account, user=user).export(self.get_export_queryset(request))
        response = HttpResponse(text.export_data(dataset), content_type=text.get_content_type())
        name = f"{account.code}-customers-{localdate()}.{text.get_extension()}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


if admin.site.is_registered(Connection):
    admin.site.unregister(Connection)
admin.site.register(Connection, ExchangingConnectionAdmin)
