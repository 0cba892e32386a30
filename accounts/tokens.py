"""Tokens: made here, whoever asks; shown once, because only their hash is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts.models import AuthToken

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = 3650
"""Days."""


def make_token(user: User, name: str, days: int = 365) -> tuple[AuthToken, str]:
    """The token's row, and the token itself, which nobody can ask for again."""
    row, token = AuthToken.objects.create(user, expiry=timedelta(days=days), name=name)
    return row, token
