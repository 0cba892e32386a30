"""Fields for secrets: encrypted in the database, and never shown once they are set."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

REMOVED = "-"
"""Typed into a form, it empties a secret; nothing typed keeps it."""


@lru_cache(4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured("ENCRYPTION_KEYS must be Fernet keys: 32 bytes in URL-safe base64.") from None


def cipher() -> MultiFernet:
    """Encrypts with the first of ENCRYPTION_KEYS, decrypts with any of them."""
    keys: Sequence[str] = settings.ENCRYPTION_KEYS
    return _cipher(tuple(keys))


class SecretField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """A text that the database holds encrypted. A token that no key decrypts is an error, never a value."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if not value:
            return value
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                f"No key in ENCRYPTION_KEYS decrypts a stored {self.verbose_name}. Put the key back that it was "
                "encrypted with."
            ) from None

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted, so nothing can be found by it.")
        return super().get_lookup(lookup_name)

    def formfield(self, **kwargs: Any) -> Any:
        defaults = {"form_class": SecretFormField, "widget": SecretWidget(multiline=self.max_length is None)}
        return models.Field.formfield(self, **{**kwargs, **defaults})


class SecretWidget(forms.MultiWidget):
    """An input that never shows what is stored, only that something is."""

    def __init__(self, *, multiline: bool = False) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false"}
        widget = UnfoldAdminTextareaWidget({**attrs, "rows": 3}) if multiline else UnfoldAdminTextInputWidget(attrs)
        if not multiline:
            widget.input_type = "password"
        super().__init__([widget])

    def decompress(self, value: Any) -> list[str]:
        return [""]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        placeholder = f"set; type a new one to replace it, {REMOVED} to remove it" if value else "not set"
        self.widgets[0].attrs["placeholder"] = placeholder
        return super().get_context(name, None, attrs)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return self.widgets[0].value_from_datadict(data, files, f"{name}_0")


class SecretFormField(forms.CharField):
    """Keeps the stored secret where nothing is typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "required": False, "strip": False})

    def clean(self, value: Any) -> str | None:
        typed = super().clean(value)
        return None if not typed else "" if typed.strip() == REMOVED else str(typed)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class SecretsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form of a model with secrets: what is left blank stays as it is."""

    def _post_clean(self) -> None:
        for name, field in self.fields.items():
            if isinstance(field, SecretFormField) and self.cleaned_data.get(name) is None:
                self.cleaned_data[name] = getattr(self.instance, name)
        super()._post_clean()  # type: ignore[misc]  # a hook of Django's that its stubs leave out
