"""System checks of the keys that stored secrets are encrypted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from accounts.fields import cipher

if TYPE_CHECKING:
    from django.core.checks import CheckMessage


def check_keys(**_: object) -> list[CheckMessage]:
    """E001: a key that is none encrypts nothing, and is only noticed when the first secret is stored."""
    try:
        cipher()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="docs/operations.md says how to make one.", id="accounts.E001")]
    return []


def check_keys_apart(**_: object) -> list[CheckMessage]:
    """E002: who has the key of sessions must not have that of credentials too."""
    if settings.SECRET_KEY not in settings.ENCRYPTION_KEYS:
        return []
    hint = "Make a key of its own and put it in front of ENCRYPTION_KEYS, then run manage.py rotate_secrets."
    return [Error("SECRET_KEY is one of ENCRYPTION_KEYS.", hint=hint, id="accounts.E002")]
