"""Admin of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin.holding_pages import HoldingPages
from accounts.admin.home import find_shortcuts
from accounts.admin.owned import AccountOwnedAdmin, AccountOwnedInline
from accounts.models import Account, Membership
from accounts.sandboxes import add_sandbox
from accounts.users import user_of
from accounts.zones import show_time

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


class MembersOfAccount(AccountOwnedInline, TabularInline):
    """Who may enter the account; letting people in is the superuser's."""

    model = Membership
    extra = 0
    hide_title = True
    autocomplete_fields = ["user"]
    readonly_fields = ["member"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The pages of people are the superuser's, so nobody else is led there."""
        return ["user" if user_of(request).is_superuser else "member", "role"]

    @display(description="user")
    def member(self, membership: Membership) -> str:
        return str(membership.user)

    def _parent_permission(self, request: HttpRequest, parent: Model | None) -> bool:
        return user_of(request).is_superuser


@admin.register(Account)
class AccountAdmin(HoldingPages, AccountOwnedAdmin):
    """Editors may rename their account and choose how new connections are reviewed; the rest is the superuser's."""

    when_empty = "An account is a brand's space. Add one to begin."

    account_path = "id"
    list_display = ["name", "code", "sandbox_of", "auto_approval", "created"]
    list_select_related = ["sandbox_of"]
    list_filter = [("auto_approval", ChoicesDropdownFilter)]
    search_fields = ["code", "name"]
    search_help_text = "Code or name"
    fields = ["name", "code", "sandbox_of", "auto_approval", "review_hours"]
    autocomplete_fields = ["sandbox_of"]
    inlines = [MembersOfAccount]
    actions_detail = ["make_sandbox"]
    change_form_outer_before_template = "accounts/shortcuts.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        account = self.get_object(request, object_id)
        shortcuts = find_shortcuts(user_of(request), account) if account else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shortcuts": shortcuts})

    def response_post_save_add(self, request: HttpRequest, obj: Account) -> HttpResponse:
        """To the home page of the new account, which says what comes next."""
        return HttpResponseRedirect(f"{reverse('admin:index')}?{urlencode({'account': obj.code})}")

    @display(description="created", ordering="created_at")
    def created(self, account: Account) -> str:
        return show_time(account.created_at)

    @action(description="Make a sandbox", url_path="sandbox")
    def make_sandbox(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An account beside this one, with a copy of its lists and members, to test formats in."""
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        if request.method == "POST":
            try:
                sandbox = add_sandbox(account)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            else:
                messages.success(request, f"{sandbox} ({sandbox.code}) is ready, with a copy of the lists.")
                return HttpResponseRedirect(reverse("admin:accounts_account_change", args=[sandbox.pk]))
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Make a sandbox"}
        return TemplateResponse(request, "accounts/make_sandbox.html", {**context, "account": account})

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        account = self.get_object(request, str(object_id))
        if account is None or account.sandbox_of is not None or not self.has_change_permission(request, account):
            return []
        return list(super().get_actions_detail(request, object_id))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = () if user_of(request).is_superuser else ("code", "sandbox_of")
        return (*super().get_readonly_fields(request, obj), *own)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return user_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return user_of(request).is_superuser
