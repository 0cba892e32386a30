from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.urls import reverse_lazy


class PluginConfig(AppConfig):
    name = "tests.plugin"
    label = "plugin"
    default_auto_field = "django.db.models.BigAutoField"

    api_urls = ["tests.plugin.api"]
    health_checks = ["tests.plugin.health.find_problems"]
    transports = ["tests.plugin.shelf.ShelfServer"]
    channels = ["tests.plugin.pager.PagerChannel"]
    navigation = [
        {
            "title": "Plug-in",
            "items": [
                {"title": "Heard", "icon": "hearing", "link": reverse_lazy("admin:plugin_heard_changelist")},
            ],
        },
    ]

    def ready(self) -> None:
        from imports.messages.events import run_ended

        run_ended.connect(hear, dispatch_uid="plugin.hear")
        checks.register(check_pager)


def hear(*, run_id: int, **_: Any) -> None:
    from imports.models import Run
    from tests.plugin.models import Heard

    run = Run.objects.get(pk=run_id)
    Heard.objects.create(account_id=run.account_id, run=run.pk, status=run.status)


def check_pager(**_: Any) -> list[checks.CheckMessage]:
    from django.conf import settings

    if getattr(settings, "PAGER_FILE", ""):
        return []
    return [checks.Error("PAGER_FILE names no file, so nobody can be paged.", id="plugin.E001")]
