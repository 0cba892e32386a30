"""Admin of feeds and their pulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.forms import Script
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from accounts.admin.owned import AccountOwnedAdmin, KindFilter, ReadOnlyAdmin, VisibleFilter, limit_choices
from accounts.fields import Ciphertext, SecretField, is_set, secret_names
from accounts.models import Account
from accounts.users import user_of
from accounts.zones import show_time
from imports.admin.feed_forms import FeedForm, find_unread
from imports.admin.feed_pages import FeedPages, lacks_pin
from imports.admin.filters import FeedStateFilter
from imports.admin.workers import warn_without_worker
from imports.filesystems import find_transport
from imports.models import Feed, Pull
from imports.queueing import request_pull

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from imports.querysets import FeedQuerySet

PULL_COLOURS = {
    Pull.Status.RUNNING: "info",
    Pull.Status.SUCCEEDED: "success",
    Pull.Status.FAILED: "danger",
    Pull.Status.INTERRUPTED: "warning",
}
STATE_COLOURS = {
    "disabled": "default",
    "failing": "danger",
    "waits for a decision": "warning",
    "cannot move files": "warning",
    "never pulled": "info",
    "works": "success",
}


MOST_SAID = 200
"""Characters of what is wrong, in the list; the feed's page has all of it."""


@admin.register(Feed)
class FeedAdmin(FeedPages, AccountOwnedAdmin):
    form = FeedForm

    class Media:
        js = (Script("console/feed.js", defer=True),)

    when_empty = "A feed says where an ERP leaves its files. Add one, and they are pulled every hour."
    list_display = [
        "name", "account", "server_name", "state", "trouble", "last_file", "next_pull",
    ]  # fmt: skip
    list_select_related = ["account"]
    list_filter = [
        ("account", VisibleFilter),
        KindFilter,
        FeedStateFilter,
        "enabled",
        ("protocol", ChoicesDropdownFilter),
    ]
    search_fields = ["name", "host"]
    search_help_text = "Name or host"
    actions = ["pull_now"]
    actions_detail = ["inspect"]
    fieldsets = [
        (None, {"fields": [("account", "name"), "enabled"]}),
        (
            "Where the files are",
            {
                "description": "Secrets are stored encrypted and never shown again.",
                "fields": [
                    "protocol", ("host", "port"), ("user", "password"), "host_key", "private_key", "ca_bundle",
                    "certificate_fingerprint", "url", "options",
                ],
            },
        ),
        ("Which files", {"fields": [("folder", "format"), "mask", "interval_minutes"]}),
        (
            "Taking a file: as soon as nobody writes to it any more",
            {
                "classes": ["collapse"],
                "fields": [("settle_seconds", "last_line"), "ready_when", ("most_bytes", "most_files")],
            },
        ),
        (
            "After the import: it moves to processed or failed, and behind a held one the others wait",
            {
                "classes": ["collapse"],
                "fields": ["after_import", ("processed_folder", "failed_folder"), "outbox_folder", "while_held"],
            },
        ),
        (
            "Telling people: whom you name here, of files at once, of failed pulls after the third",
            {"classes": ["collapse"], "fields": ["contacts", ("silent_after_hours", "alert_after")]},
        ),
    ]  # fmt: skip
    readonly_fields = ["password_state", "private_key_state", "options_state"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feed]:
        return cast("FeedQuerySet", super().get_queryset(request)).with_state()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Whoever may only look sees what is read, and of secrets whether there are any."""
        fieldsets = list(super().get_fieldsets(request, obj))
        if obj is not None and not self.has_change_permission(request, obj):
            unread = find_unread(obj.protocol)
            fieldsets = [(title, {**parts, "fields": _unseen(parts["fields"], unread)}) for title, parts in fieldsets]
        return fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            limit_choices(form, obj.account.production.pk)
            return form
        edited = Account.objects.editable_by(user_of(request)).values("pk")
        formats = form.base_fields["format"]
        formats.queryset = formats.queryset.filter(Q(account__in=edited) | Q(account__sandboxes__in=edited)).distinct()
        if len(own := form.base_fields["account"].queryset[:2]) == 1:
            form.base_fields["account"].initial = own[0]
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Feed | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Whoever may set a secret anew is told which ones cannot be used any more."""
        if obj is not None and self.has_change_permission(request, obj):
            for problem in _find_unreadable(obj):
                messages.error(request, problem)
        answer: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was changed, because workers write how the feed is doing; it is pulled at the next occasion."""
        if change:
            obj.save(update_fields={*form.changed_data, *obj.settled})
        else:
            obj.save()
        obj.shown = find_transport(obj.protocol).prepare(obj.pk)
        Feed.objects.filter(pk=obj.pk).update(next_pull_at=timezone.now())
        if warning := find_transport(obj.protocol).warning:
            messages.warning(request, warning)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        if lacks_pin(obj):
            self.message_user(request, "It is disabled until you trust a key of its server.", messages.WARNING)
            return HttpResponseRedirect(reverse("admin:imports_feed_inspect", args=[obj.pk]))
        return self._show_once(request, obj) or answer

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        answer: HttpResponse = super().response_change(request, obj)
        return self._show_once(request, obj) or answer

    def _show_once(self, request: HttpRequest, feed: Any) -> HttpResponse | None:
        """What its transport has to say now and never again."""
        if not feed.shown:
            return None
        context = {"step": "For the senders", "secret": feed.shown}
        return self.show(request, feed, "accounts/shown_once.html", context)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Pulls are many, and nobody reads a list of them here."""
        said = [f"{feed}, with its pulls and messages; its runs and customers stay" for feed in objs]
        forbidden = {"feed"} if any(not self.has_delete_permission(request, feed) for feed in objs) else set()
        return said, {"feeds": len(objs)}, forbidden, []

    # -- how it is doing

    @display(description="server")
    def server_name(self, feed: Feed) -> str:
        return feed.server_name

    @display(description="state", label=STATE_COLOURS)
    def state(self, feed: Feed) -> tuple[str, str]:
        return feed.state

    @display(description="what is wrong", empty_value="")
    def trouble(self, feed: Feed) -> str:
        return Truncator(feed.trouble).chars(MOST_SAID)

    @display(description="last file", ordering="file_at")
    def last_file(self, feed: Feed) -> str:
        return show_time(feed.file_at)

    @display(description="next pull", ordering="next_pull_at")
    def next_pull(self, feed: Feed) -> str:
        return show_time(feed.next_pull_at) if feed.enabled else ""

    @display(description="password")
    def password_state(self, feed: Feed) -> str:
        return _is_set(feed, "password")

    @display(description="private key")
    def private_key_state(self, feed: Feed) -> str:
        return _is_set(feed, "private_key")

    @display(description="options")
    def options_state(self, feed: Feed) -> str:
        return _is_set(feed, "options")

    # -- actions

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        feed = self.get_object(request, str(object_id))
        if feed is None or not self.has_change_permission(request, feed):
            return []
        return list(super().get_actions_detail(request, object_id))

    @admin.action(description="Pull now", permissions=["change"])
    def pull_now(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        feeds = list(self.editable(request, queryset).filter(enabled=True))
        for feed in feeds:
            request_pull(feed)
        if feeds:
            messages.success(request, f"Queued to be pulled: {', '.join(feed.name for feed in feeds)}.")
            warn_without_worker(request)
        if len(feeds) < queryset.count():
            messages.warning(request, "Disabled feeds, and those that you may only look at, are not pulled.")


def _is_set(feed: Feed, name: str) -> str:
    return "set" if is_set(feed, name) else "not set"


def _find_unreadable(feed: Feed) -> list[str]:
    """What is wrong with the stored secrets, without keeping them decrypted."""
    problems = []
    for field in Feed._meta.concrete_fields:
        stored = feed.__dict__.get(field.attname)
        if isinstance(field, SecretField) and isinstance(stored, Ciphertext):
            try:
                field.decrypt(stored)
            except ImproperlyConfigured as error:
                problems.append(str(error))
    return problems


def _unseen(fields: Any, unread: Collection[str]) -> list[Any]:
    """The fields of a fieldset that its protocol reads, with the states of secrets in the place of secrets."""
    secrets = secret_names(Feed)
    seen: list[Any] = []
    for field in fields:
        if isinstance(field, tuple):
            seen += [tuple(within)] if (within := _unseen(field, unread)) else []
        elif field not in unread:
            seen.append(f"{field}_state" if field in secrets else field)
    return seen


@admin.register(Pull)
class PullAdmin(ReadOnlyAdmin):
    """Each look into a feed's folder."""

    when_empty = "A pull is one look into a feed's folder. They come by themselves once a feed is enabled."

    account_path = "feed__account_id"
    list_display = [
        "started",
        "feed",
        "account",
        "pull_status",
        "in_a_row",
        "listed",
        "omitted",
        "imported",
        "message",
    ]
    list_select_related = ["feed__account"]
    list_filter = [("feed", VisibleFilter), ("status", ChoicesDropdownFilter)]
    ordering = ["-id"]
    list_per_page = 50
    fields = [
        "feed", ("status", "worker"), "message", ("started_at", "heartbeat_at", "finished_at"),
        ("listed", "omitted", "imported"), ("times", "first_at"),
    ]  # fmt: skip

    @display(description="started", ordering="started_at")
    def started(self, pull: Pull) -> str:
        return show_time(pull.started_at)

    @display(description="in a row", ordering="times")
    def in_a_row(self, pull: Pull) -> int:
        """How many pulls it stands for, which found nothing new one after the other."""
        return pull.times

    @display(description="account")
    def account(self, pull: Pull) -> str:
        return str(pull.feed.account)

    @display(description="status", ordering="status", label=PULL_COLOURS)
    def pull_status(self, pull: Pull) -> tuple[str, str]:
        return pull.status, pull.get_status_display()
