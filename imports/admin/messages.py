"""Admin of messages and webhooks: what is told to people and programs, and whether it arrived."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin.owned import AccountOwnedAdmin, ReadOnlyAdmin, VisibleFilter
from accounts.users import user_of
from accounts.wrapping import wrapping
from accounts.zones import show_time
from imports.admin.feed_forms import WebhookForm
from imports.admin.steps import StepPages
from imports.admin.workers import warn_without_worker
from imports.messages.webhooks import make_webhook_secret
from imports.models import Message, Webhook

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

STATE_COLOURS = {"delivered": "success", "waits": "info", "tried again": "warning", "given up": "danger"}


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    when_empty = "Messages are written when a run or a feed has something to tell to people or programs."
    list_display = ["created", "event_name", "kind", "account", "feed", "run", "state", "attempts", "problem"]
    list_select_related = ["account", "feed", "run"]
    list_filter = [("account", VisibleFilter), ("kind", ChoicesDropdownFilter)]
    search_fields = ["event"]
    search_help_text = "Event"
    ordering = ["-id"]
    list_per_page = 50
    actions = ["deliver_again"]
    fields = [
        ("event", "kind"), ("account", "feed", "run"), "created_at", ("state_in_words", "attempts"), "problem",
        ("delivered_at", "next_attempt_at", "given_up_at"), "content",
    ]  # fmt: skip
    readonly_fields = ["state_in_words", "content"]

    @display(description="written", ordering="created_at")
    def created(self, message: Message) -> str:
        return show_time(message.created_at)

    @display(description="event", ordering="event")
    def event_name(self, message: Message) -> str:
        return wrapping(message.event)

    @display(description="state", label=STATE_COLOURS)
    def state(self, message: Message) -> tuple[str, str]:
        if message.delivered_at:
            name = "delivered"
        elif message.given_up_at:
            name = "given up"
        else:
            name = "tried again" if message.attempts else "waits"
        return name, name

    @display(description="state")
    def state_in_words(self, message: Message) -> str:
        return str(self.state(message)[1])

    @display(description="content")
    def content(self, message: Message) -> str:
        text = json.dumps(message.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="whitespace-pre-wrap text-xs">{}</pre>', text)

    def get_actions(self, request: HttpRequest) -> Any:
        """None for those who may only look."""
        return super().get_actions(request) if user_of(request).edits_any_account else {}

    @admin.action(description="Deliver again")
    def deliver_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        count = self.editable(request, queryset.filter(delivered_at=None)).update(
            given_up_at=None, attempts=0, problem="", next_attempt_at=timezone.now()
        )
        if count:
            messages.success(request, f"{count} message{'s' * (count != 1)} to be delivered again.")
            warn_without_worker(request)
        else:
            messages.warning(request, "Nothing to do: the chosen messages are delivered, or you may only look at them.")


@admin.register(Webhook)
class WebhookAdmin(StepPages, AccountOwnedAdmin):
    """One for each account. The program makes the secret, and shows it once."""

    when_empty = "A webhook tells a program of yours what became of each run. Add one for an account."

    form = WebhookForm
    list_display = ["account", "url", "enabled"]
    list_display_links = ["account"]
    list_select_related = ["account"]
    fields = ["account", "url", "enabled"]
    actions_detail = ["new_secret"]

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if not change:
            obj.secret = make_webhook_secret()
        obj.save(update_fields=form.changed_data if change else None)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_secret(request, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        webhook = self.get_object(request, str(object_id))
        if webhook is None or not self.has_change_permission(request, webhook):
            return []
        return list(super().get_actions_detail(request, object_id))

    @action(description="New secret", url_path="new-secret")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook: Webhook = self.find_editable(request, object_id)
        if request.method == "POST":
            webhook.secret = make_webhook_secret()
            webhook.save(update_fields=["secret"])
            self.log_change(request, webhook, "Made a new secret.")
            return self._show_secret(request, webhook)
        text = ["The old secret is worth nothing from then on; the receiver has to be given the new one."]
        return self.confirm(request, webhook, "New secret", text, lambda _: "")

    def _show_secret(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        """In the answer itself: a message to be shown later would travel in a cookie."""
        context = {"step": "New secret", "secret": webhook.secret}
        return self.show(request, webhook, "accounts/shown_once.html", context)
