"""`rotate_secrets`: encrypt every stored secret with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import transaction

from accounts.fields import secret_names
from accounts.management.base import BaseCommand


class Command(BaseCommand):
    help = "Encrypts every stored secret anew with the first of ENCRYPTION_KEYS; the other keys can then be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        with transaction.atomic():
            for model in apps.get_models():
                for row in model._default_manager.select_for_update() if secret_names(model) else []:
                    try:
                        count += sum(bool(getattr(row, name)) for name in secret_names(model))
                    except ImproperlyConfigured as error:
                        said = f"{model.__name__} {row.pk} ({row}): {error} Nothing was changed."
                        raise CommandError(said, returncode=2) from None
                    row.save(update_fields=secret_names(model))
        self.stdout.write(f"{count} secrets are encrypted with the first key.")
