"""`rotate_secrets`: encrypt every stored secret with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.fields import SecretField


class Command(BaseCommand):
    help = "Encrypts every stored secret anew with the first of ENCRYPTION_KEYS; the other keys can then be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for model in apps.get_models():
            names = [field.name for field in model._meta.concrete_fields if isinstance(field, SecretField)]
            if not names:
                continue
            with transaction.atomic():
                for row in model._default_manager.select_for_update():
                    row.save(update_fields=names)
                    count += sum(bool(getattr(row, name)) for name in names)
        self.stdout.write(f"{count} secrets are encrypted with the first key.")
