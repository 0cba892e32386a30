from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.urls import reverse_lazy

from accounts.tallies import Kind

if TYPE_CHECKING:
    from django.http import HttpRequest


def is_superuser(request: HttpRequest) -> bool:
    return request.user.is_superuser


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    api_urls = ["accounts.api.urls"]
    prunes = ["accounts.expiring.Sessions", "accounts.expiring.LoginAttempts", "accounts.expiring.Answers"]
    search = ["accounts.searching.find_accounts"]
    monitor_checks = ["accounts.suspending.find_problems", "accounts.health.find_problems_of_machine"]
    tallies = {
        "errors_total": Kind(
            "How often the database did not answer, or files could not be kept.", ("of",), (("database",), ("storage",))
        ),
    }
    navigation = [
        {
            "title": "Accounts",
            "items": [
                {
                    "title": "Accounts",
                    "icon": "apartment",
                    "link": reverse_lazy("admin:accounts_account_changelist"),
                },
                {
                    "title": "What is kept",
                    "icon": "database",
                    "link": reverse_lazy("admin:accounts_account_holdings"),
                },
                {
                    "title": "Tokens",
                    "icon": "key",
                    "link": reverse_lazy("admin:accounts_authtoken_changelist"),
                },
                {
                    "title": "Users",
                    "icon": "person",
                    "link": reverse_lazy("admin:accounts_user_changelist"),
                    "permission": is_superuser,
                },
            ],
        },
    ]

    def ready(self) -> None:
        from accounts import checks, own_sessions

        connection_created.connect(own_sessions.set_session)
        register(checks.check_keys, Tags.security)
        register(checks.check_keys_apart, Tags.security, deploy=True)
