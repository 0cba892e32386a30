"""Admin of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import IntegerField, ModelForm
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.admin.careful import CarefulAdmin
from accounts.models import AuthToken, User
from accounts.tokens import LONGEST, make_token
from accounts.users import user_of
from accounts.zones import show_time

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


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
