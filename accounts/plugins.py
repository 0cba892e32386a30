"""Plug-ins: what the installed apps bring with them, said by attributes of their AppConfig. See docs/plugins.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.urls import reverse
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable


def collect(attribute: str) -> list[Any]:
    """What the apps say under this name, in the order of INSTALLED_APPS."""
    return [item for app in apps.get_app_configs() for item in getattr(app, attribute, ())]


def collect_named(attribute: str) -> dict[str, Any]:
    """The same of attributes that are mappings. Where two apps say one name, the later app's counts."""
    named: dict[str, Any] = {}
    for app in apps.get_app_configs():
        named |= getattr(app, attribute, {})
    return named


def load(attribute: str) -> list[Any]:
    """What the apps name by dotted paths, so that nothing of it is imported before it is needed."""
    return [import_string(path) for path in collect(attribute)]


def link_to_list(model: str, query: str) -> Callable[[object], str]:
    """For the navigation: a list of the admin with filters in it."""
    return lambda _: f"{reverse(f'admin:{model}_changelist')}?{query}"
