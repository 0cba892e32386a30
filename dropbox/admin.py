"""Admin of the drop box: who may log in, what to tell senders, and who was there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin.owned import AccountOwnedAdmin, ReadOnlyAdmin, VisibleFilter
from accounts.zones import show_time
from dropbox.guide import write_guide
from dropbox.logins import set_new_password
from dropbox.models import Login, Session
from imports.admin.steps import StepPages, page_of
from imports.models import Feed

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


@admin.register(Login)
class LoginAdmin(StepPages, AccountOwnedAdmin):
    account_path = "feed__account_id"
    when_empty = "A login lets an ERP leave files in the drop box. One is made with every feed of that kind."
    list_display = ["user_name", "feed", "account", "enabled", "password_state", "last_session"]
    list_select_related = ["feed__account"]
    list_filter = [("feed", VisibleFilter), "enabled"]
    search_fields = ["user_name"]
    actions_detail = ["tell", "renew"]
    fieldsets = [
        (None, {"fields": [("feed", "user_name"), ("enabled", "at_once"), "public_keys", "password_state"]}),
        ("Limits", {"fields": [("quota_bytes", "most_files", "most_sessions")]}),
    ]
    readonly_fields = ["password_state"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Login]:
        logins: QuerySet[Login] = super().get_queryset(request).select_related("feed__account")
        return logins

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "feed") if obj is not None else fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "feed" and field is not None:
            field.queryset = self.editable_feeds(request)
        return field

    def editable_feeds(self, request: HttpRequest) -> QuerySet[Feed]:
        feeds: Any = self.admin_site.get_model_admin(Feed)
        found: QuerySet[Feed] = feeds.editable(request, feeds.get_queryset(request)).filter(protocol="dropbox")
        return found

    @display(description="account")
    def account(self, login: Login) -> str:
        return str(login.feed.account)

    @display(description="password")
    def password_state(self, login: Login) -> str:
        return "set" if login.password else "not set"

    @display(description="last session")
    def last_session(self, login: Login) -> str:
        last = login.sessions.order_by("-pk").first()
        return show_time(last.began_at) if last else "never"

    # -- what senders need to know

    def get_urls(self) -> list[Any]:
        guide = path("feed/<int:feed_id>/guide/", self.admin_site.admin_view(self.guide), name="dropbox_login_guide")
        return [guide, *super().get_urls()]

    def guide(self, request: HttpRequest, feed_id: int) -> HttpResponse:
        """Of all logins of a feed, to copy."""
        feeds = self.admin_site.get_model_admin(Feed)
        feed = feeds.get_queryset(request).filter(pk=feed_id, protocol="dropbox").first()
        if feed is None:
            raise Http404
        logins = list(feed.logins.select_related("feed__account"))
        return self.show_guide(request, f"For the senders of {feed}", [write_guide(one) for one in logins], feed)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        login = self.get_object(request, str(object_id))
        if login is None or not self.has_change_permission(request, login):
            return []
        return list(super().get_actions_detail(request, object_id))

    @action(description="For the senders", url_path="guide")
    def tell(self, request: HttpRequest, object_id: str) -> HttpResponse:
        login: Login = self.find_visible(request, object_id)
        return self.show_guide(request, f"For the senders of {login.feed}", [write_guide(login)], login)

    @action(description="New password", url_path="renew")
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        login: Login = self.find_editable(request, object_id)
        text = ["The login gets another password, which is shown once. The present one is refused from then on."]
        if request.method != "POST":
            return self.confirm(request, login, "New password", text, lambda _: "")
        guide = write_guide(login, set_new_password(login))
        self.log_change(request, login, "Gave it another password.")
        return self.show_guide(request, f"For the senders of {login.feed}", [guide], login, once=True)

    def show_guide(
        self, request: HttpRequest, title: str, texts: list[str], back: Login | Feed, *, once: bool = False
    ) -> HttpResponse:
        context = {
            "title": title,
            "step": "For the senders",
            "texts": texts,
            "back": page_of(back),
            "once": once,
            "original": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "dropbox/guide.html", {**self.admin_site.each_context(request), **context})

    def response_add(self, request: HttpRequest, obj: Login, post_url_continue: str | None = None) -> HttpResponse:
        """A login without keys gets its first password."""
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        if obj.public_keys:
            return answer
        guide = write_guide(obj, set_new_password(obj))
        return self.show_guide(request, f"For the senders of {obj.feed}", [guide], obj, once=True)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """The audit: who came from where, what they brought, and how it ended."""

    when_empty = "A session is one stay of a sender on the drop box."
    list_display = ["began", "user_name", "account", "protocol", "address", "files", "bytes", "how"]
    list_select_related = ["account"]
    list_filter = [("account", VisibleFilter), ("protocol", ChoicesDropdownFilter)]
    search_fields = ["user_name", "address"]
    ordering = ["-id"]
    list_per_page = 50
    fields = [
        ("account", "login", "user_name"), ("protocol", "address", "server"), ("began_at", "seen_at", "ended_at"),
        "ended", ("files", "bytes", "fetched"), "refusal",
    ]  # fmt: skip

    @display(description="began", ordering="began_at")
    def began(self, session: Session) -> str:
        return show_time(session.began_at)

    @display(description="how it ended")
    def how(self, session: Session) -> str:
        return session.ended if session.ended_at else "is here"
