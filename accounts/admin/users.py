"""Admin of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models.functions import Concat
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.admin.careful import CarefulAdmin
from accounts.admin.formsets import RowsAsPosted
from accounts.admin.owned import VisibleFilter
from accounts.models import Membership, User
from accounts.zones import show_time

if TYPE_CHECKING:
    from django.db.models import QuerySet
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
