"""What people are told when nobody does what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages

from imports.health import is_at_work

if TYPE_CHECKING:
    from django.http import HttpRequest

NO_WORKER = "No worker is at work, so nothing happens yet. Ask whoever runs Customer Sync to start the workers."


def warn_without_worker(request: HttpRequest) -> None:
    if not is_at_work():
        messages.warning(request, NO_WORKER)
