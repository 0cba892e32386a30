"""People who may enter the admin but no account: one page that says whom to ask, instead of a menu of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.template.response import TemplateResponse

from accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

OPEN = {"login", "logout", "password_change", "password_change_done", "jsi18n"}


class WelcomeNewcomers:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match, user = request.resolver_match, request.user
        if match is None or "admin" not in match.app_names or match.url_name in OPEN:
            return None
        if not isinstance(user, User) or not user.is_staff or user.is_superuser or user.roles:
            return None
        context = {
            **admin.site.each_context(request),
            "title": "Welcome",
            "to_ask": User.objects.filter(is_superuser=True, is_active=True).order_by("username"),
            "sidebar_navigation": [],
            "available_apps": [],
            "is_nav_sidebar_enabled": False,
        }
        status = 200 if match.url_name == "index" else 403
        return TemplateResponse(request, "accounts/no_account.html", context, status=status)
