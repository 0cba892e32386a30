"""What the commands of this program are made of."""

from __future__ import annotations

from django.core.checks import Tags
from django.core.management import base


class BaseCommand(base.BaseCommand):
    """A command that serves no pages: at its start it checks what is set, and loads no pages to check those too.

    They are checked by `check`, `migrate` and `runserver`.
    """

    requires_system_checks = [
        "settings",
        Tags.caches,
        Tags.compatibility,
        Tags.files,
        Tags.models,
        Tags.security,
        Tags.translation,
    ]
