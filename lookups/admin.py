"""Admin of the lists: search, and import and export of CSV files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from accounts.admin.owned import AccountOwnedAdmin, VisibleFilter
from accounts.plugins import load
from accounts.users import user_of
from lookups import models, resources
from lookups.datasets import ListFile, Unreadable
from lookups.directory import LISTS
from lookups.uploads import GONE, SignedConfirmForm, WaitingList

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from import_export.results import Result


class LookupAdmin(ImportExportMixin, AccountOwnedAdmin):
    """One list of all accounts the user may see."""

    when_empty = "Files refer to this list. Add its entries here, or import them from a CSV file."

    list_before_template = "lookups/notices.html"
    import_form_class = ImportForm
    export_form_class = ExportForm
    confirm_form_class = SignedConfirmForm
    tmp_storage_class = WaitingList
    formats = [ListFile]
    list_select_related = ["account"]
    list_filter = [("account", VisibleFilter)]
    autocomplete_fields = ["account"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None, **kwargs: Any
    ) -> HttpResponse:
        """The list, and above it what other apps say is to be done about it."""
        name = next(name for name, model in LISTS.items() if model is self.model)
        notices = [notice for find in load("list_notices") for notice in find(request, name)]
        context = {**(extra_context or {}), "notices": notices}
        response: HttpResponse = super().changelist_view(request, context, **kwargs)
        return response

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_resource_kwargs(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"user": user_of(request)}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        return {
            **super().get_confirm_form_kwargs(request, import_form),
            "user": user_of(request),
            "label": self.opts.label_lower,
            "formats": len(self.get_import_formats()),
            "resources": len(self.get_import_resource_classes(request)),
        }

    def add_data_read_fail_error_to_form(self, form: Any, error: Exception) -> None:
        if not isinstance(error, Unreadable):
            super().add_data_read_fail_error_to_form(form, error)
            return
        for sentence in error.sentences:
            form.add_error("import_file", sentence)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The second step. What is wrong with it is said where a file can be chosen again."""
        if request.method == "POST" and self.has_import_permission(request):
            form = self.create_confirm_form(request)
            if not form.is_valid():
                texts = [str(text) for texts in form.errors.values() for text in texts]
                return self._start_again(request, " ".join(dict.fromkeys(texts)))
        try:
            response: HttpResponse = super().process_import(request, **kwargs)
        except FileNotFoundError:  # somebody else's click was quicker
            return self._start_again(request, GONE)
        return response

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():
            return self._start_again(
                request, "Nothing was imported: the list changed since the preview. Import the file again."
            )
        response: HttpResponse = super().process_result(result, request)
        return response

    def _start_again(self, request: HttpRequest, why: str) -> HttpResponse:
        messages.error(request, why)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import"))


class CodedAdmin(LookupAdmin):
    list_display = ["code", "name", "account"]
    search_fields = ["code", "name"]
    search_help_text = "Code or name"
    fields = ["account", "code", "name"]


@admin.register(models.PriceType)
class PriceTypeAdmin(LookupAdmin):
    resource_classes = [resources.PriceTypeResource]
    list_display = ["label", "currency", "account"]
    search_fields = ["currency", "label"]
    search_help_text = "Currency or label"
    fields = ["account", "currency", "label"]


@admin.register(models.PaymentTerm)
class PaymentTermAdmin(CodedAdmin):
    resource_classes = [resources.PaymentTermResource]


@admin.register(models.ShippingTerm)
class ShippingTermAdmin(CodedAdmin):
    resource_classes = [resources.ShippingTermResource]


@admin.register(models.SalesRep)
class SalesRepAdmin(CodedAdmin):
    resource_classes = [resources.SalesRepResource]
    list_display = ["code", "name", "email", "account"]
    search_fields = ["code", "name", "email"]
    search_help_text = "Code, name or e-mail"
    fields = ["account", "code", "name", "email"]


@admin.register(models.Warehouse)
class WarehouseAdmin(CodedAdmin):
    resource_classes = [resources.WarehouseResource]


@admin.register(models.CustomerGroup)
class CustomerGroupAdmin(CodedAdmin):
    resource_classes = [resources.CustomerGroupResource]


@admin.register(models.CompanyNumber)
class CompanyNumberAdmin(CodedAdmin):
    resource_classes = [resources.CompanyNumberResource]
