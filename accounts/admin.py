"""Admin of users, groups and accounts, and what keeps accounts apart in every admin of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import IntegerField, ModelChoiceField, ModelForm
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.models import Account, AuthToken, Membership, User
from accounts.sandboxes import add_sandbox
from accounts.tokens import LONGEST, make_token
from accounts.users import user_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import ForeignKey, Model, QuerySet
    from django.http import HttpRequest


def short_time(moment: datetime | None) -> str:
    """A moment as lists show it: to the minute, in the site's time zone."""
    return date_format(localtime(moment), "Y-m-d\xa0H:i") if moment else ""


class VisibleChoices:
    """Limits what may be chosen in a form, page or inline, to what the user may see of the related list.

    Accounts are limited to those the user edits: choosing an account is writing into it.
    """

    admin_site: admin.AdminSite

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        related = db_field.remote_field.model
        if related is Account:
            kwargs["queryset"] = Account.objects.editable_by(user_of(request))
        elif self.admin_site.is_registered(related):
            kwargs["queryset"] = self.admin_site.get_model_admin(related).get_queryset(request)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(  # type: ignore[misc]  # of the admin this is mixed into
            db_field, request, **kwargs
        )
        return field


class VisibleFilter(RelatedDropdownFilter):
    """A filter that offers what the user may see, where Django's own offers every entry there is."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[Any, str]]:
        related = model_admin.admin_site.get_model_admin(field.related_model)
        return [(entry.pk, str(entry)) for entry in related.get_queryset(request)]


class OwnAccountSelect(AutocompleteSelect):
    """Searches the records of one account only."""

    account_id = 0

    def get_url(self) -> str:
        return f"{super().get_url()}?account={self.account_id}"


def limit_choices(form: type[ModelForm[Any]], account_id: int) -> None:
    """Let the form, of a page or an inline, offer and take only what belongs to the account."""
    for field in form.base_fields.values():
        if not isinstance(field, ModelChoiceField) or field.queryset is None:
            continue
        path = "pk" if field.queryset.model is Account else "account"
        field.queryset = field.queryset.filter(**{path: account_id})
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            wrapper = field.widget
            wrapper.can_add_related = wrapper.can_change_related = False
            wrapper.can_delete_related = wrapper.can_view_related = False
            if isinstance(wrapper.widget, OwnAccountSelect):
                wrapper.widget.account_id = account_id


class AccountOwnedAdmin(VisibleChoices, ModelAdmin):
    """Admin of a model whose records belong to an account, however far away.

    Members see what belongs to their accounts, editors change it; Django's own permissions play no part, because
    they know no accounts. An object's account is settled when it is added.
    """

    account_path = "account_id"
    """Where the account's id stands, as a filter writes it ("run__account_id")."""

    show_full_result_count = False
    list_filter_submit = True

    def account_id(self, obj: Model) -> int:
        value: Any = obj
        for name in self.account_path.split("__"):
            value = getattr(value, name)
        return int(value)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)
        user = user_of(request)
        return queryset if user.is_superuser else queryset.filter(**{f"{self.account_path}__in": list(user.roles)})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Where a form asks for the records of one account (see `OwnAccountSelect`), no others are offered."""
        account = request.GET.get("account", "")
        if request.resolver_match and request.resolver_match.url_name == "autocomplete" and account.isdecimal():
            queryset = queryset.filter(**{self.account_path: account})
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def editable(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the objects that the user may change."""
        accounts = Account.objects.editable_by(user_of(request))
        return queryset.filter(**{f"{self.account_path}__in": accounts.values("pk")})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "account") if obj is not None and self.account_path == "account_id" else fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        user = request.user  # the login page asks this too, of nobody
        return isinstance(user, User) and (user.is_superuser or bool(user.roles))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_module_permission(request)
        return user_of(request).may_see(self.account_id(obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return user_of(request).edits_any_account

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return user_of(request).edits_any_account
        return user_of(request).may_edit(self.account_id(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class ReadOnlyAdmin(AccountOwnedAdmin):
    """Admin of records that the program keeps by itself; a superuser may throw them away."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return user_of(request).is_superuser


class AccountOwnedInline(VisibleChoices):
    """Permissions of an inline are those of the object it stands on."""

    def _parent_permission(self, request: HttpRequest, parent: Model | None) -> bool:
        parent_admin = self.admin_site.get_model_admin(self.parent_model)  # type: ignore[attr-defined]  # of the inline this is mixed into
        return bool(parent_admin.has_change_permission(request, parent))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        return self._parent_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent_permission(request, obj)


class SuperuserOnly:
    """Users and groups belong to no account, and whoever changes them could make themselves anything."""

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
    extra = 0


@admin.register(User)
class UserAdmin(SuperuserOnly, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [AccountsOfUser]
    compressed_fields = True


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperuserOnly, DjangoGroupAdmin, ModelAdmin):
    pass


class MembersOfAccount(AccountOwnedInline, TabularInline):
    """Who may enter the account; letting people in is the superuser's."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user"]

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
class TokenAdmin(ModelAdmin):
    """Everybody's own tokens; a superuser sees all, and makes them for nobody else. Deleting one revokes it."""

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
        return short_time(token.created)

    @display(description="last used", ordering="minute")
    def last_used(self, token: AuthToken) -> str:
        return short_time(token.minute)

    @display(description="good until", ordering="expiry")
    def expires(self, token: AuthToken) -> str:
        return short_time(token.expiry)

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
class AccountAdmin(AccountOwnedAdmin):
    """Editors may rename their account and choose how new connections are reviewed; the rest is the superuser's."""

    account_path = "id"
    list_display = ["name", "code", "sandbox_of", "auto_approve", "created_at"]
    list_select_related = ["sandbox_of"]
    list_filter = ["auto_approve"]
    search_fields = ["code", "name"]
    search_help_text = "Code or name"
    fields = ["name", "code", "sandbox_of", "auto_approve"]
    inlines = [MembersOfAccount]
    actions_detail = ["make_sandbox"]

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
        return () if user_of(request).is_superuser else ("code", "sandbox_of")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return user_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return user_of(request).is_superuser
