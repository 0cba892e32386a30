"""Apps of libraries, configured so that most processes start without them: only some serve pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import Tags, register

if TYPE_CHECKING:
    from django.core.checks import CheckMessage


class UnfoldConfig(AppConfig):
    """Unfold without its own configuration, which makes a site at every start."""

    name = "unfold"


class AdminConfig(SimpleAdminConfig):
    """The admin, with Unfold's site; the URL configuration loads the modules that register pages in it."""

    default_site = "unfold.sites.UnfoldAdminSite"

    def ready(self) -> None:
        register(check_dependencies, Tags.admin)
        register(check_pages, Tags.admin)


def check_pages(**given: Any) -> list[CheckMessage]:
    """Django's own check of what is registered, which may come before that of the URLs."""
    autodiscover()
    return check_admin_app(**given)
