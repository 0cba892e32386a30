"""Conditions on accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from accounts.models import Account, User  # noqa: F401  (names used in annotations)


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> Self:
        """The accounts a user is a member of; all of them for a superuser."""
        return self if user.is_superuser else self.filter(memberships__user=user)

    def editable_by(self, user: User) -> Self:
        """The accounts a user may change."""
        if user.is_superuser:
            return self
        return self.filter(memberships__user=user, memberships__role="editor")
