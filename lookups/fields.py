"""Fields that hold texts as files say them, whoever writes them: a form, a program, a list, a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from lookups.texts import read_key, read_text
from lookups.validators import validate_key, validate_text

if TYPE_CHECKING:
    from collections.abc import Callable

    _Base = models.CharField[str, str]
else:
    _Base = object


class _Read(_Base):
    """Reads a value when it is cleaned and when it is saved. Migrations know the plain field, for columns are equal."""

    read: Callable[[str], str]
    known_as: str

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return type(self).read(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = type(self).read(value)
            setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, self.known_as, args, kwargs


class TextField(_Read, models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """Any text, trimmed and in NFC."""

    read = staticmethod(read_text)
    known_as = "django.db.models.CharField"
    default_validators = [validate_text]


class KeyField(_Read, models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """A text by which something is found, without what cannot be seen."""

    read = staticmethod(read_key)
    known_as = "django.db.models.CharField"
    default_validators = [validate_key]


class NameField(KeyField):
    """A name by which something is found; it may have lines."""

    default_validators = [validate_text]


class FigureField(NameField):
    """A postal code or a phone, which come from address books with what cannot be seen."""


class EmailKeyField(_Read, models.EmailField):  # type: ignore[type-arg]  # not generic at run time
    """An e-mail, read as a key."""

    read = staticmethod(read_key)
    known_as = "django.db.models.EmailField"
