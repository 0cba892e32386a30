"""Fields for secrets: encrypted in the database, and never shown once they are set."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute
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


class Ciphertext:
    """A secret as the database holds it. It is no text, so nothing can take it for the secret or show it."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    def __repr__(self) -> str:
        return "<encrypted>"


class SecretAttribute(DeferredAttribute):
    """Decrypts when the secret is asked for, so that one that no key decrypts stops nothing but its own use."""

    field: SecretField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Ciphertext):
            value = instance.__dict__[self.field.attname] = self.field.decrypt(value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SecretField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """A text that the database holds encrypted. A token that no key decrypts is an error, never a value."""

    descriptor_class = SecretAttribute

    def decrypt(self, ciphertext: Ciphertext) -> str:
        """Raises ImproperlyConfigured."""
        try:
            return cipher().decrypt(ciphertext.token.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                f"No key in ENCRYPTION_KEYS decrypts the stored {self.verbose_name}. Put the key back that it was "
                "encrypted with, or set it anew."
            ) from None

    def from_db_value(self, value: str | None, *_: Any) -> Ciphertext | str | None:
        return Ciphertext(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Ciphertext):
            return value.token
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """What nobody asked for is written back as it is."""
        return self.value_from_object(model_instance)

    def value_from_object(self, obj: models.Model) -> Any:
        """The secret where it was typed or asked for, its ciphertext else: enough to know whether there is one."""
        return obj.__dict__[self.attname]

    def value_to_string(self, obj: models.Model) -> str:
        """For dumpdata, which must neither write secrets nor lose them unnoticed."""
        if self.value_from_object(obj):
            raise ImproperlyConfigured(f"The stored {self.verbose_name} goes into no dump: use pg_dump for backups.")
        return ""

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted, so nothing can be found by it.")
        return super().get_lookup(lookup_name)

    def formfield(self, **kwargs: Any) -> Any:
        defaults = {"form_class": SecretFormField, "widget": SecretWidget(multiline=self.max_length is None)}
        return models.Field.formfield(self, **{**kwargs, **defaults})


def secret_names(model: type[models.Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if isinstance(field, SecretField)]


def is_set(row: models.Model, name: str) -> bool:
    """Whether the row has a secret of this name, without decrypting it."""
    return bool(row.__dict__[name])


class Typed(str):
    """A secret that was typed into a form that comes back."""


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
        if isinstance(value, Typed):
            placeholder = "type it again: nothing was saved"
        else:
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
        """The new secret, "" to remove it, or nothing to keep what is stored; lines end as keys want them to."""
        typed = super().clean(value)
        return None if not typed else "" if typed.strip() == REMOVED else str(typed).replace("\r\n", "\n")

    def bound_data(self, data: Any, initial: Any) -> Any:
        return Typed(data) if data else initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class SecretsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form of a model with secrets: what is left blank stays as it is, and is not even decrypted."""

    def kept_secrets(self) -> set[str]:
        """Names of the stored secrets that the form leaves alone."""
        return {
            name
            for name, field in self.fields.items()
            if isinstance(field, SecretFormField) and self.cleaned_data.get(name) is None
        }

    def _post_clean(self) -> None:
        for name in self.kept_secrets():
            self.cleaned_data[name] = self.instance._meta.get_field(name).value_from_object(self.instance)
        super()._post_clean()  # type: ignore[misc]  # a hook of Django's that its stubs leave out

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # a hook of Django's that its stubs leave out
        return excluded | {name for name, value in self.cleaned_data.items() if isinstance(value, Ciphertext)}
