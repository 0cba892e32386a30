"""What keeps accounts apart in every admin of the project: who sees what, who may change it, and what is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.forms import ModelChoiceField, ModelForm
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm, DropdownForm

from accounts.admin.careful import CarefulAdmin
from accounts.admin.formsets import RowsAsPosted
from accounts.models import Account, User
from accounts.paging import make_paginator
from accounts.users import user_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.contrib.admin.views.main import ChangeList
    from django.core.paginator import Paginator
    from django.db.models import ForeignKey, Model, QuerySet
    from django.http import HttpRequest


MOST_OFFERED = 200
"""Accounts, in a list to choose from; more are searched."""
MOST_FILTERED = 50
"""Entries that a filter offers at once."""


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
            kwargs["queryset"] = editable = Account.objects.editable_by(user_of(request))
            if "widget" not in kwargs and len(editable.values_list("pk")[: MOST_OFFERED + 1]) > MOST_OFFERED:
                kwargs["widget"] = AutocompleteSelect(db_field, self.admin_site)
        elif self.admin_site.is_registered(related):
            kwargs["queryset"] = self.admin_site.get_model_admin(related).get_queryset(request)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(  # type: ignore[misc]  # of the admin this is mixed into
            db_field, request, **kwargs
        )
        return field


class VisibleFilter(RelatedDropdownFilter):
    """A filter that offers what one may see; of many one searches, where Django's own offers every entry there is."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[Any, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        related = self.model_admin.admin_site.get_model_admin(self.field.related_model)
        visible = related.get_queryset(self.request)
        asked = {
            "label": f"By {self.title}",
            "name": self.lookup_kwarg,
            "data": {self.lookup_kwarg: self.value()},
        }
        entries = list(visible[: MOST_FILTERED + 1])
        if len(entries) <= MOST_FILTERED:
            offered = [(str(entry.pk), str(entry)) for entry in entries]
            yield {"form": DropdownForm(choices=[self.all_option, *offered], **asked)}
            return
        form = AutocompleteDropdownForm(
            request=self.request, choices=(), field=self.field, model_admin=self.model_admin, **asked
        )
        chosen = form.fields[self.lookup_kwarg]
        assert isinstance(chosen, ModelChoiceField)  # noqa: S101  (narrows the type)
        chosen.queryset = visible
        yield {"form": form}


class KindFilter(admin.SimpleListFilter):
    """Production accounts or sandboxes; what waits in a sandbox waits for nobody."""

    title = "kind of account"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("production", "production"), ("sandbox", "sandbox")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("production", "sandbox"):
            return queryset
        return queryset.filter(account__sandbox_of__isnull=self.value() == "production")


class OwnAccountSelect(AutocompleteSelect):
    """Searches the records of one account only, and not those that are left out."""

    account_id = 0
    left_out: tuple[int, ...] = ()

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        """What can be no id chose nothing; the field's error says so."""
        ids = [pk for pk in value if str(pk).isdecimal() and len(str(pk)) < 19]
        return super().optgroups(name, ids, attr)

    def get_url(self) -> str:
        left_out = "".join(f"&without={pk}" for pk in self.left_out)
        return f"{super().get_url()}?account={self.account_id}{left_out}"


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


class AccountOwnedAdmin(VisibleChoices, CarefulAdmin, ModelAdmin):
    """Admin of a model whose records belong to an account, however far away.

    Members see what belongs to their accounts, editors change it; Django's own permissions play no part, because
    they know no accounts. An object's account is settled when it is added.
    """

    account_path = "account_id"
    """Where the account's id stands, as a filter writes it ("run__account_id")."""

    show_full_result_count = False
    list_filter_submit = True

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Paginator[Any]:
        return make_paginator(queryset, *args, **kwargs)

    def account_id(self, obj: Model) -> int:
        value: Any = obj
        for name in self.account_path.split("__"):
            value = getattr(value, name)
        return int(value)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)
        user = user_of(request)
        return queryset if user.is_superuser else queryset.filter(**{f"{self.account_path}__in": list(user.roles)})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Read once for a page that is only shown, whose parts ask for it one by one."""
        if request.method != "GET":
            return super().get_object(request, object_id, from_field)
        known: dict[Any, Any] = request.__dict__.setdefault("objects_shown", {})
        asked = (self.model, str(object_id), from_field)
        if asked not in known:
            known[asked] = super().get_object(request, object_id, from_field)
        return known[asked]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Where a form asks for the records of one account (see `OwnAccountSelect`), no others are offered."""
        account = request.GET.get("account", "")
        if request.resolver_match and request.resolver_match.url_name == "autocomplete" and account.isdecimal():
            left_out = [pk for pk in request.GET.getlist("without") if pk.isdecimal()]
            queryset = queryset.filter(**{self.account_path: account}).exclude(pk__in=left_out)
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

    formset = RowsAsPosted

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
