"""Sandboxes: accounts in which a production account's formats are tested on the same lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models, transaction

from accounts.models import Account

if TYPE_CHECKING:
    from collections.abc import Iterator


def add_sandbox(
    production: Account, code: str = "", name: str = "", *, auto_approval: str = Account.AutoApproval.NEVER
) -> Account:
    """Make a sandbox of a production account, with a copy of its lists and members.

    Without a code it is the account's with "-sandbox" behind it. Raises ValidationError where that cannot be.
    """
    sandbox = Account(
        code=code or f"{production.code[:42]}-sandbox",
        name=name or f"{production.name[:140]} sandbox",
        sandbox_of=production,
        auto_approval=auto_approval,
    )
    sandbox.full_clean()
    with transaction.atomic():
        sandbox.save()
        for model in _copied_models():
            _copy_rows(model, production, sandbox)
    return sandbox


def _copied_models() -> Iterator[type[models.Model]]:
    """Every model that belongs to an account and says of itself that a sandbox begins with a copy of it."""
    for relation in Account._meta.related_objects:
        if getattr(relation.related_model, "copied_to_sandbox", False):
            yield relation.related_model


def _copy_rows(model: type[models.Model], production: Account, sandbox: Account) -> None:
    rows = []
    for row in model._default_manager.filter(account=production):
        row.pk, row.account = None, sandbox  # type: ignore[attr-defined]  # models that belong to an account
        rows.append(row)
    model._default_manager.bulk_create(rows)
