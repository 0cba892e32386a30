"""The page of what the database holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.template.response import TemplateResponse
from django.urls import path, reverse

from accounts.holdings import describe_accounts, list_holdings, list_kept, list_tables, say_bytes
from accounts.models import Account
from accounts.paging import make_paginator
from accounts.users import user_of
from accounts.zones import short_time

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from unfold.admin import ModelAdmin as Admin
else:
    Admin = object

SHOWN_ACCOUNTS = 20
SHOWN_TABLES = 15


class HoldingPages(Admin):
    """Of the admin of accounts."""

    def get_urls(self) -> list[Any]:
        page = path("holdings/", self.admin_site.admin_view(self.holdings_view), name="accounts_account_holdings")
        return [page, *super().get_urls()]

    def holdings_view(self, request: HttpRequest) -> HttpResponse:
        """What each account has that the user sees; of the whole database only who sees all of it is told."""
        user = user_of(request)
        query = request.GET.get("q", "").strip()
        accounts = Account.objects.visible_to(user).order_by("code")
        if query:
            accounts = accounts.filter(Q(code__icontains=query) | Q(name__icontains=query))
        page = make_paginator(accounts, SHOWN_ACCOUNTS).get_page(request.GET.get("page"))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "What is kept",
            "query": query,
            "page": page,
            "labels": [holding.label for holding in list_holdings()],
            "accounts": [
                (reverse("admin:accounts_account_change", args=[account.pk]), account, said)
                for account, said in describe_accounts(list(page))
            ],
        }
        if user.is_superuser:
            tables = list_tables()
            context |= {
                "size": say_bytes(sum(table.size for table in tables)),
                "tables": [
                    (table.name, "not known yet" if table.rows is None else f"{table.rows:,}", say_bytes(table.size))
                    for table in tables[:SHOWN_TABLES]
                ],
                "kinds": [(kind, short_time(kind.done_at), f"{kind.gone:,}") for kind in list_kept()],
            }
        return TemplateResponse(request, "accounts/holdings.html", context)
