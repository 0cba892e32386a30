"""Health: what the installed apps find wrong, each problem with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import Error

from accounts.fields import secret_names
from accounts.plugins import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def find_problems() -> list[str]:
    """Nothing when all is well. Strangers read it, so it names no account and no feed."""
    checks: list[Callable[[], Iterable[str]]] = load("health_checks")
    try:
        return [problem for check in checks for problem in check()]
    except Error as error:
        return [f"The database does not answer ({type(error).__name__})."]


def find_unreadable_secrets() -> list[str]:
    """Which of the stored secrets no key decrypts; slower, because it decrypts them all."""
    problems = []
    for model in apps.get_models():
        names = secret_names(model)
        for row in model._default_manager.order_by("pk") if names else ():
            try:
                for name in names:
                    getattr(row, name)
            except ImproperlyConfigured as error:
                problems.append(f"{model.__name__} {row.pk}: {error}")
    return problems
