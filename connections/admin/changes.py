"""Admin of the history: all changes of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from accounts.admin.owned import (
    ReadOnlyAdmin,
    VisibleFilter,
)
from accounts.zones import show_time
from connections.history.authors import source_of
from connections.history.timeline import name_record
from connections.models import Change, Connection

if TYPE_CHECKING:
    from django.http import HttpRequest


def changes_url(connection: Connection) -> str:
    """Where all changes of a customer are listed."""
    asked = {"customer_code__exact": connection.customer_code, "account__id__exact": str(connection.account_id)}
    return f"{reverse('admin:connections_change_changelist')}?{urlencode(asked)}"


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """Who changed what, and when: a line of a file, or a person. Newest first; the table is too big to be counted."""

    when_empty = "Every change by a file or a person is written here."

    list_display = ["when", "customer_code", "what", "field", "before", "after", "source", "account"]
    list_display_links = None
    list_select_related = ["account", "user"]
    list_filter = [
        ("record", ChoicesDropdownFilter),
        ("action", ChoicesDropdownFilter),
        ("account", VisibleFilter),
    ]
    search_fields = ["customer_code__exact"]
    search_help_text = "Customer code, as it is written"
    ordering = ["-id"]
    sorted_by_index = ("when",)
    list_per_page = 50
    actions = None

    @display(description="when", ordering="id")
    def when(self, change: Change) -> str:
        return show_time(change.at)

    @display(description="what")
    def what(self, change: Change) -> str:
        what = name_record(change.record, change.key)
        return what if change.action == Change.Action.UPDATED else f"{what} {change.get_action_display()}"

    @display(description="by")
    def source(self, change: Change) -> str:
        name = source_of(change)
        if change.run_id is None:
            return name
        try:
            return format_html('<a href="{}">{}</a>', reverse("admin:imports_run_change", args=[change.run_id]), name)
        except NoReverseMatch:  # the pages of runs are another app's, which may be absent
            return name

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
