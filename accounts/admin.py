"""Admin of users, accounts and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models.functions import Concat
from django.forms import IntegerField, ModelForm
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.careful import CarefulAdmin, RowsAsPosted
from accounts.holding_pages import HoldingPages
from accounts.home import find_shortcuts
from accounts.models import Account, AuthToken, Membership, User
from accounts.owned import AccountOwnedAdmin, AccountOwnedInline, VisibleFilter
from accounts.sandboxes import add_sandbox
from accounts.tokens import LONGEST, make_token
from accounts.users import user_of
from accounts.zones import show_time

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

HELP_OF_USERS = {
    "is_active": "Switch it off for whoever leaves: what they did keeps their name.",
    "is_staff": "Lets them into these pages.",
    "is_superuser": "Sees and changes all accounts, and lets people in.",
}
MOST_NAMED = 5
"""Accounts of a user, in the list of users."""


class SuperuserOnly:
    """Users belong to no account, and whoever changes them could make themselves anything."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


class AccountsOfUser(SuperuserOnly, TabularInline):
    model = Membership
    formset = RowsAsPosted
    extra = 0
    hide_title = True
    autocomplete_fields = ["account"]


@admin.register(User)
class UserAdmin(SuperuserOnly, CarefulAdmin, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ["username", "full_name", "email", "accounts", "may_log_in", "last_seen"]
    list_filter = [("memberships__account", VisibleFilter), "is_active", "is_superuser"]
    list_filter_submit = True
    search_help_text = "User name, name or e-mail"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [AccountsOfUser]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email"]}),
        ("May log in, and where to", {"fields": [("is_active", "is_staff"), "is_superuser"]}),
        ("Times", {"fields": [("last_login", "date_joined")]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        users: QuerySet[Any] = super().get_queryset(request)
        return users.prefetch_related("memberships__account")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{**kwargs, "help_texts": HELP_OF_USERS})

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is added is to work here, and would not be let in otherwise."""
        obj.is_staff = obj.is_staff or not change
        super().save_model(request, obj, form, change)

    @display(description="name", ordering=Concat("first_name", "last_name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @display(description="accounts and roles")
    def accounts(self, user: User) -> str:
        if user.is_superuser:
            return "all (superuser)"
        named = [f"{member.account.code}\xa0({member.role})" for member in user.memberships.all()]
        more = len(named) - MOST_NAMED
        return ", ".join([*named[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]) or "none"

    @display(description="may log in", boolean=True)
    def may_log_in(self, user: User) -> bool:
        return user.is_active and user.is_staff

    @display(description="last log-in", ordering="last_login")
    def last_seen(self, user: User) -> str:
        return show_time(user.last_login)


admin.site.unregister(Group)  # who may do what is decided by memberships alone


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


class TokenForm(ModelForm):  # type: ignore[type-arg]  # not generic at run time
    days = IntegerField(
        min_value=1,
        max_value=LONGEST,
        initial=365,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How long it is good.",
    )

    class Meta:
        model = AuthToken
        fields = ["name"]


@admin.register(AuthToken)
class TokenAdmin(CarefulAdmin, ModelAdmin):
    """Everybody's own tokens; a superuser sees all, and makes them for nobody else. Deleting one revokes it."""

    when_empty = "A program logs in with a token. Add one for each program."

    list_display = ["name", "user", "token_key", "made", "last_used", "expires"]
    list_select_related = ["user"]
    fields = readonly_fields = ["name", "user", "token_key", "made", "last_used", "expires"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tokens: QuerySet[Any] = super().get_queryset(request)
        user = user_of(request)
        return tokens if user.is_superuser else tokens.filter(user=user)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if obj else {"form": TokenForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else ["name", "days"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj else []

    def save_model(self, request: HttpRequest, obj: AuthToken, form: Any, change: bool) -> None:
        made, obj.shown = make_token(user_of(request), form.cleaned_data["name"], form.cleaned_data["days"])
        obj.pk, obj.user = made.pk, made.user

    def response_add(self, request: HttpRequest, obj: AuthToken, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Token {obj.name}",
            "secret": obj.shown,
            "back": reverse("admin:accounts_authtoken_changelist"),
        }
        return TemplateResponse(request, "accounts/shown_once.html", context)

    @display(description="made", ordering="created")
    def made(self, token: AuthToken) -> str:
        return show_time(token.created)

    @display(description="last used", ordering="minute")
    def last_used(self, token: AuthToken) -> str:
        return show_time(token.minute)

    @display(description="good until", ordering="expiry")
    def expires(self, token: AuthToken) -> str:
        return show_time(token.expiry)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or user_of(request).is_superuser or obj.user_id == user_of(request).pk


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
