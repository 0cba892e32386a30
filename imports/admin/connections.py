"""Import and export on the page of connections: choose a file, see what it would change, confirm it; and back out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localdate
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import Format

from accounts.models import Account
from accounts.users import user_of
from connections.admin import ConnectionAdmin
from connections.models import Connection
from imports.admin.connection_forms import (
    LARGEST_SHOWN,
    ConfirmConnectionsForm,
    ExportConnectionsForm,
    ImportConnectionsForm,
    find_reading,
)
from imports.admin.feeds import warn_without_worker
from imports.admin.steps import link, page_of
from imports.errors import AccountBusy, SettingsWrong
from imports.formats.spec import STANDARD
from imports.formats.writing import write_record
from imports.models import Run
from imports.pipeline.recognising import LOOKED_AT
from imports.queueing import enqueue_run
from imports.resources import ConnectionResource
from imports.runs.uploading import store_upload
from lookups.uploads import GONE, WaitingList

if TYPE_CHECKING:
    from pathlib import Path

    from django.core.files.uploadedfile import UploadedFile
    from django.http import HttpRequest
    from tablib import Dataset

LEVELS = {Run.Status.SUCCEEDED: messages.SUCCESS, Run.Status.PARTIAL: messages.WARNING}


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
            write_record(text, STANDARD.dialect, "\n", cells)
        return text.getvalue().encode()


class ExchangingConnectionAdmin(ImportExportMixin, ConnectionAdmin):
    """The page of connections with the buttons Import and Export."""

    resource_classes = [ConnectionResource]
    formats = [DelimitedText]
    import_form_class = ImportConnectionsForm
    confirm_form_class = ConfirmConnectionsForm
    tmp_storage_class = WaitingList
    import_template_name = "imports/import_connections.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return user_of(request).edits_any_account

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    # -- in

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_import_form_kwargs(request), "user": user_of(request)}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        return {
            **super().get_confirm_form_kwargs(request, import_form),
            "user": user_of(request),
            "label": self.opts.label_lower,
            "formats": 1,
            "resources": 1,
        }

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            cleaned = import_form.cleaned_data
            initial |= {"account": cleaned["account"].pk, "reading": cleaned["reading"]}
        return initial

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The first step: what the file would change, by the real import, rolled back."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_import_form(request)
        context: dict[str, Any] = {**self.admin_site.each_context(request), "title": "Import"}
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["import_file"]
            if file.size > LARGEST_SHOWN:
                return self._queue(request, form.cleaned_data["account"], file, form.cleaned_data["reading"])
            context |= self._preview(request, form, file)
        resource = ConnectionResource(version=form.version)
        context |= {
            "form": form,
            "opts": self.opts,
            "media": self.media + form.media,
            "fields_list": [("", [field.column_name for field in resource.get_user_visible_fields()])],
        }
        return TemplateResponse(request, self.import_template_name, context)

    def _preview(self, request: HttpRequest, form: Any, file: UploadedFile[bytes]) -> dict[str, Any]:
        waiting = self.write_to_tmp_storage(file, DelimitedText())
        resource = ConnectionResource(form.cleaned_data["account"], version=form.version, user=user_of(request))
        result = resource.import_path(waiting.path, dry_run=True, file_name=file.name or "")
        context: dict[str, Any] = {"result": result}
        if result.may_go_on:
            form.cleaned_data["import_file"].tmp_storage_name = waiting.name
            context["confirm_form"] = self.create_confirm_form(request, import_form=form)
        else:
            waiting.remove()
        if result.run is not None:
            context["issues"] = f"{reverse('admin:imports_issue_changelist')}?run__id__exact={result.run.pk}"
        return context

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The second step: the file that was shown, as a run like any other."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if request.method != "POST" or not form.is_valid():
            return self._start_again(request, GONE)
        waiting = WaitingList(name=form.cleaned_data["import_file_name"])
        taken = waiting.path.with_name("taken")
        try:
            waiting.path.rename(taken)
        except FileNotFoundError:  # another click was quicker
            return self._start_again(request, GONE)
        try:
            return self._import(request, form.cleaned_data, taken)
        finally:
            waiting.remove()

    def _import(self, request: HttpRequest, cleaned: dict[str, Any], path: Path) -> HttpResponse:
        account, reading, name = cleaned["account"], cleaned["reading"], cleaned["original_file_name"]
        with path.open("rb") as file:
            try:
                version = find_reading(account, reading, file.read(LOOKED_AT))
            except SettingsWrong as error:
                return self._start_again(request, str(error))
            resource = ConnectionResource(account, version=version, user=user_of(request))
            result = resource.import_path(path, file_name=name)
            if any(isinstance(error.error, AccountBusy) for error in result.base_errors):
                return self._queue(request, account, File(file, name=name), reading)
        if result.run is None:
            return self._start_again(request, " ".join(str(error.error) for error in result.base_errors))
        return self._tell_of_run(request, result.run)

    def _tell_of_run(self, request: HttpRequest, run: Run) -> HttpResponse:
        counts = f"{run.created} new, {run.updated} updated, {run.unchanged} unchanged, {run.rejected} rejected."
        text = format_html("{}: {}. {}", link(page_of(run), run), run.get_status_display(), run.message or counts)
        messages.add_message(request, LEVELS.get(Run.Status(run.status), messages.ERROR), text)
        if run.is_applied:
            return HttpResponseRedirect(reverse("admin:connections_connection_changelist"))
        return HttpResponseRedirect(page_of(run))

    def _queue(self, request: HttpRequest, account: Account, file: Any, reading: str) -> HttpResponse:
        """Let a worker import the file, and show its run."""
        try:
            run = store_upload(account, file, user_of(request), format_name=reading or None)
        except SettingsWrong as error:
            return self._start_again(request, str(error))
        enqueue_run(run.pk)
        messages.success(request, f"{run} is queued; a worker imports it, and what became of it is shown here.")
        warn_without_worker(request)
        return HttpResponseRedirect(page_of(run))

    def _start_again(self, request: HttpRequest, why: str) -> HttpResponse:
        messages.error(request, why)
        return HttpResponseRedirect(reverse("admin:connections_connection_import"))

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
            filtered=request.GET.get("account__id__exact", ""),
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
