"""Sightings in the admin: which connections files do not mention any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.models import Account
from accounts.users import user_of
from connections.history import sightings

if TYPE_CHECKING:
    from django.http import HttpRequest

    from connections.models.querysets import ConnectionQuerySet

FULL = "full"


class NotSeenFilter(admin.SimpleListFilter):
    """Those that no file has mentioned for some time, of the accounts that one may see."""

    title = "not seen in files"
    parameter_name = "not_seen"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [*((str(days), f"for {days} days") for days in (7, 30, 90, 365)), (FULL, "since the last full file")]

    def queryset(self, request: HttpRequest, queryset: ConnectionQuerySet) -> ConnectionQuerySet:  # type: ignore[override]  # of one model
        value = self.value()
        accounts = Account.objects.visible_to(user_of(request))
        if value == FULL:
            return queryset.not_seen_since_last_full_file(accounts)
        if value and value.isdecimal() and len(value) < 5:
            return queryset.not_seen_since(sightings.today() - timedelta(days=int(value)), accounts)
        return queryset
