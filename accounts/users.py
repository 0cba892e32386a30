"""Who asks, in admin and API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request


def user_of(request: HttpRequest | Request) -> User:
    """The person or program that asks; neither the admin site nor a view of the API lets anybody else in."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  (narrows the type)
    return user
