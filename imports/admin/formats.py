"""Admin of formats: onboarding one, and the versions it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin.owned import AccountOwnedAdmin, AccountOwnedInline, VisibleFilter
from accounts.models import Account
from accounts.users import user_of
from imports.admin.onboarding_forms import CONSTANTS, CORRECTIONS, OnboardForm
from imports.admin.steps import link, page_of
from imports.copies import open_copy
from imports.errors import SettingsWrong, TryAgainLater
from imports.models import Format, FormatVersion, Run
from imports.runs.sampling import keep_sample
from imports.versioning import save_draft

if TYPE_CHECKING:
    from django.db.models import ForeignKey
    from django.http import HttpRequest


class VersionsOfFormat(AccountOwnedInline, TabularInline):
    """The versions of a format, each with a link to its page."""

    model = FormatVersion
    extra = 0
    hide_title = True
    fields = readonly_fields = ["version", "status", "testing_at", "live_at", "approver", "reason"]
    ordering = ["-number"]

    @display(description="version")
    def version(self, version: FormatVersion) -> str:
        return link(page_of(version), version)

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Format)
class FormatAdmin(AccountOwnedAdmin):
    """Formats of production accounts; adding one is onboarding it."""

    when_empty = "A format says how an ERP's file is read. Add one from a sample of the file."

    list_display = ["name", "account", "live_version", "newest_version"]
    list_select_related = ["account"]
    list_filter = [("account", VisibleFilter)]
    search_fields = ["name"]
    search_help_text = "Name"
    fields = ["name", "account"]
    readonly_fields = ["name"]
    inlines = [VersionsOfFormat]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        form = super().get_form(request, obj, change, **{**kwargs, "form": OnboardForm})
        form.run = _find_run(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of a new one: what everybody gives, and folded below it what few need to; questions come on the next page."""
        if obj is not None:
            return super().get_fieldsets(request, obj)
        folded = {
            "Where you know already what the sample does not say": list(CONSTANTS),
            "Where a sample was read wrongly": list(CORRECTIONS),
            "Instead of a sample": ["document"],
        }
        return [
            (None, {"fields": ["account", "name", "sample"]}),
            *((title, {"fields": fields, "classes": ["collapse"]}) for title, fields in folded.items()),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """It goes on with the draft, so there is one button. Where no file is sent, that of a run may be the sample."""
        if request.method == "POST" and not request.FILES and (run := _find_run(request)):
            _bring_file(request, run)
        only = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **only})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return super().get_readonly_fields(request, obj) if obj is not None else ()

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(super().get_inline_instances(request, obj)) if obj is not None else []

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.related_model is Account and field.queryset is not None:
            field.queryset = field.queryset.filter(sandbox_of=None)
            if len(own := field.queryset[:2]) == 1:
                field.initial = own[0]
        return field

    def save_model(self, request: HttpRequest, obj: Format, form: Any, change: bool) -> None:
        if not change:
            draft = save_draft(obj.account, obj.name, form.spec, proposal=form.proposal)
            obj.pk = draft.format_id
            if sample := form.cleaned_data.get("sample"):
                try:
                    keep_sample(draft.format, sample)
                except (SettingsWrong, TryAgainLater) as error:
                    messages.warning(request, str(error))

    def response_add(self, request: HttpRequest, obj: Format, post_url_continue: str | None = None) -> HttpResponse:
        """On to the draft, where what was proposed is looked through."""
        draft = obj.newest
        if draft is None:
            raise Http404
        messages.success(request, f"Saved as {draft}.")
        return HttpResponseRedirect(page_of(draft))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return user_of(request).is_superuser

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Runs that are still to be read with the format, or wait for somebody, keep it; so do its feeds."""
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        needing = Run.objects.needing(objs)
        return deleted, counts, forbidden, [*protected, *(f"{run}, {run.status}" for run in needing)]

    @display(description="live")
    def live_version(self, format_: Format) -> str:
        live = format_.live
        return link(page_of(live), live) if live else ""

    @display(description="newest")
    def newest_version(self, format_: Format) -> str:
        newest = format_.newest
        return format_html("{} ({})", link(page_of(newest), newest), newest.status) if newest else ""


def _find_run(request: HttpRequest) -> Run | None:
    """The run whose file the address offers as the sample, where this person may use it."""
    asked = request.GET.get("run", "")
    if not asked.isdecimal() or len(asked) > 18:
        return None
    mine = Run.objects.filter(account__in=Account.objects.editable_by(user_of(request)), kept_file__isnull=False)
    return mine.filter(pk=asked).first()


def _bring_file(request: HttpRequest, run: Run) -> None:
    """The run's file as if it had been sent as the sample; the request closes it."""
    try:
        copy = open_copy(run.kept_file, run.file_name)
        request.FILES["sample"] = UploadedFile(copy, run.file_name, size=run.file_size)
    except (SettingsWrong, TryAgainLater) as error:
        messages.error(request, str(error))
