"""Admin of versions of formats: drafts, and the steps from draft to live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin.owned import AccountOwnedAdmin, AccountOwnedInline, VisibleFilter
from accounts.users import user_of
from accounts.zones import show_time
from imports.admin.answering import TEMPLATE_FIELDS
from imports.admin.forms import ApprovalForm, ColumnForm, ColumnsInOrder, DraftForm
from imports.admin.frozen import in_words, languages_named, lines_ignored, list_policies, marks_said, value_map_said
from imports.admin.next_steps import find_gap, find_next_step
from imports.admin.reading import ReadingPages
from imports.admin.steps import page_of
from imports.choosing import describe_feeds, find_predecessor, read_spec
from imports.errors import SettingsWrong, TryAgainLater
from imports.formats.differing import compare_specs
from imports.formats.documents import write_format
from imports.models import FormatColumn, FormatVersion, Run
from imports.runs.comparing import compare_run, find_comparable
from imports.versioning import approve, describe_test, lock_draft, start_draft, start_testing

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.forms import Form, ModelForm
    from django.http import HttpRequest

STATUS_COLOURS = {
    FormatVersion.Status.DRAFT: "info",
    FormatVersion.Status.TESTING: "warning",
    FormatVersion.Status.LIVE: "success",
    FormatVersion.Status.RETIRED: "default",
}
FILES_READ = 3
"""How many kept files a comparison reads again."""


class ColumnsOfVersion(AccountOwnedInline, TabularInline):
    """What is read from where; editable while the version is a draft."""

    model = FormatColumn
    form = ColumnForm
    formset = ColumnsInOrder
    extra = 0
    ordering = ["order"]
    ordering_field = "order"
    hide_ordering_field = True
    hide_title = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        return fields if obj is None or self.has_change_permission(request, obj) else in_words(fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """None that a draft shows as well."""
        is_edited = obj is None or self.has_change_permission(request, obj)
        return super().get_readonly_fields(request, obj) if is_edited else (value_map_said,)


@admin.register(FormatVersion)
class FormatVersionAdmin(ReadingPages, AccountOwnedAdmin):
    """A version: its settings and columns, and the next step of its life."""

    when_empty = "Versions come with their format: add one from a sample of the file."

    account_path = "format__account_id"
    form = DraftForm
    list_display = ["name", "account", "status_label", "testing", "live", "approver"]
    list_select_related = ["format__account"]
    list_filter = [("status", ChoicesDropdownFilter), ("format", VisibleFilter)]
    search_fields = ["format__name"]
    search_help_text = "Name of the format"
    ordering = ["format__name", "-number"]
    inlines = [ColumnsOfVersion]
    actions_detail = ["test", "go_live", "next_draft", "compare", "download"]
    change_form_outer_before_template = "imports/next_step.html"
    change_form_outer_after_template = "imports/template_fields.html"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("format", "status"),
                    ("tested_for", "approver"),
                    ("testing_at", "live_at"),
                    "reason",
                ]
            },
        ),
        (
            "Dialect",
            {
                "fields": [
                    ("encoding", "delimiter"),
                    ("quotechar", "escapechar"),
                    ("has_header", "width"),
                    "skip_lines",
                    ("footer", "ignore_lines"),
                    ("allow_spaced_delimiter", "spaces_around_quotes"),
                ]
            },
        ),
        (
            "Policies",
            {
                "classes": ["collapse"],
                "fields": [
                    ("max_error_percent", "max_change_percent", "max_near_key_percent"),
                    ("clear_token", "conflict"),
                    ("languages", "full_files"),
                    ("swallowed_lines", "encoded_twice"),
                    ("words_for_nothing", "blank_code"),
                    "row_marks",
                    ("allow_trailing_delimiter", "allow_short_rows"),
                    *DraftForm.policy_fields(),
                ],
            },
        ),
    ]
    readonly_fields = ["format", "status", "tested_for", "approver", "testing_at", "live_at", "reason"]

    # -- changes, which wait for the steps of others and they for them

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return self._refuse_late(request, object_id) or super().changeform_view(request, object_id, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return self._refuse_late(request, object_id) or super().delete_view(request, object_id, *args, **kwargs)

    def _refuse_late(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Hold what is posted of a draft until nobody else is at it; the answer where it is a draft no more."""
        version = self.get_object(request, object_id or "") if request.method == "POST" else None
        if version is None or not user_of(request).may_edit(version.format.account_id):
            return None
        try:
            lock_draft(version)
        except SettingsWrong as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(page_of(version))
        return None

    # -- permissions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("format__account")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Of a version that nobody edits, lists and maps in words."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return list(fieldsets)
        return [(name, {**options, "fields": in_words(options["fields"])}) for name, options in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What says in words what a field holds, beside them."""
        return (*super().get_readonly_fields(request, obj), lines_ignored, languages_named, marks_said, list_policies)

    # -- the page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        version = self.get_object(request, object_id)
        context: dict[str, Any] = {"template_fields": TEMPLATE_FIELDS}
        if version is not None:
            context |= {
                "version": version,
                "next_step": find_next_step(version, user_of(request)),
                "answer_url": reverse("admin:imports_formatversion_answer", args=[version.pk]),
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_related(self, request: HttpRequest, form: ModelForm[Any], formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if gap := find_gap(form.instance):
            messages.warning(request, f"The draft is not complete yet: {gap}")

    @display(description="version", ordering="format__name")
    def name(self, version: FormatVersion) -> str:
        return str(version)

    @display(description="account", ordering="format__account")
    def account(self, version: FormatVersion) -> str:
        return str(version.format.account)

    @display(description="status", ordering="status", label=STATUS_COLOURS)
    def status_label(self, version: FormatVersion) -> tuple[str, str]:
        return version.status, version.get_status_display()

    @display(description="testing since", ordering="testing_at")
    def testing(self, version: FormatVersion) -> str:
        return show_time(version.testing_at)

    @display(description="live since", ordering="live_at")
    def live(self, version: FormatVersion) -> str:
        return show_time(version.live_at)

    @display(description="tested for")
    def tested_for(self, version: FormatVersion) -> str:
        return describe_test(version)

    # -- steps

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is always there to be done; the next steps stand in the page."""
        version = self.get_object(request, str(object_id))
        if version is None:
            return []
        offered = {"compare", "download"}
        is_tested = version.status == FormatVersion.Status.TESTING
        if is_tested and user_of(request).may_edit(version.format.account_id):
            offered.add("next_draft")
        actions = super().get_actions_detail(request, object_id)
        return [item for item in actions if item.action_name.rpartition("formatversion_")[2] in offered]

    @action(description="Start testing", url_path="test")
    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.find_editable(request, object_id)
        text = [
            "Testing freezes the version: a change is made in the next draft.",
            "It reads files into the account's sandbox only, until it is approved.",
        ]

        def take(_: Form | None) -> str:
            start_testing(version)
            return f"{version} is testing."

        return self.confirm(request, version, "Start testing", text, take)

    @action(description="Go live", url_path="go-live")
    def go_live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.find_editable(request, object_id)
        user = user_of(request)
        runs = Run.objects.accepted_tests(version).count()
        text = [
            f"{version} has been tested for {describe_test(version)}; two weeks are recommended.",
            f"{runs} accepted run{'s' * (runs != 1)} in a sandbox read files with it; at least one is needed.",
            "Live versions read files into the production account. The version that is live now is retired.",
            *describe_feeds(version),
        ]

        def take(form: Form | None) -> str:
            reason = form.cleaned_data["reason"] if form else ""
            approve(version, user.get_full_name() or user.username, user=user, reason=reason)
            return " ".join([f"{version} is live.", *describe_feeds(version)])

        return self.confirm(request, version, "Go live", text, take, ApprovalForm(request.POST or None))

    @action(description="Next draft", url_path="next-draft")
    def next_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.find_editable(request, object_id)
        text = [f"The next draft of {version.format} begins as a copy of its newest version."]
        if request.method == "POST":
            draft = start_draft(version.format)
            messages.success(request, f"{draft} is the draft.")
            return HttpResponseRedirect(page_of(draft))
        return self.confirm(request, version, "Next draft", text, lambda _: "")

    @action(description="Compare", url_path="compare")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What differs from the version before, and on demand what comes out differently of kept files."""
        version = (
            self.find_editable(request, object_id)
            if request.method == "POST"
            else self.find_visible(request, object_id)
        )
        context: dict[str, Any] = {"step": "Compare", "version": version}
        try:
            before = find_predecessor(version)
            specs = read_spec(before), read_spec(version)
            context |= {"before": before, "differences": compare_specs(*specs)}
            if request.method == "POST":
                runs = find_comparable(version.format.account, before, FILES_READ)
                context["comparisons"] = [compare_run(run, *specs) for run in runs]
        except (SettingsWrong, TryAgainLater) as error:
            context["problem"] = str(error)
        context["may_compare"] = user_of(request).may_edit(version.format.account_id)
        return self.show(request, version, "imports/compare.html", context)

    @action(description="Download", url_path="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.find_visible(request, object_id)
        try:
            text = write_format(read_spec(version))
        except SettingsWrong as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(page_of(version))
        return HttpResponse(
            text,
            content_type="application/yaml",
            headers={"Content-Disposition": f'attachment; filename="{version.format.name}.yaml"'},
        )
