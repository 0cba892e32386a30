"""What a form shows, as data: compared when it comes back, because somebody else may have changed it meanwhile.

It travels with the page as a signed text, so nothing has to be kept on the server and nobody can say that they saw what
they did not. It holds what the page shows anyway; of a secret it holds a fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from accounts.fields import Ciphertext, SecretFormField

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.forms import BaseForm

SHOWN = "_shown"
"""The hidden input that says what the page showed."""
Values = dict[str, Any]
"""By field, as JSON holds it: entries of other tables by their id."""


@dataclass
class Rows:
    """The rows of one inline that were shown, by id, and the highest id there was."""

    values: dict[int, Values] = field(default_factory=dict)
    highest: int = 0


@dataclass
class Shown:
    """`seen` are values that the page only shows, and that somebody decides by."""

    fields: Values = field(default_factory=dict)
    seen: Values = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    at: datetime = field(default_factory=timezone.now)

    def is_like(self, other: Shown) -> bool:
        return (self.fields, self.seen, self.rows) == (other.fields, other.seen, other.rows)

    def sign(self, scope: str) -> str:
        rows = {prefix: [part.values, part.highest] for prefix, part in self.rows.items()}
        content = [self.fields, self.seen, rows, self.at.isoformat()]
        return signing.dumps(content, salt=f"shown:{scope}", compress=True)

    @classmethod
    def read(cls, text: str, scope: str) -> Shown | None:
        """What was signed for this very page; None where it was not."""
        try:
            fields, seen, rows, at = signing.loads(text, salt=f"shown:{scope}")
        except signing.BadSignature:
            return None
        parts = {
            prefix: Rows({int(pk): values for pk, values in shown.items()}, highest)
            for prefix, (shown, highest) in rows.items()
        }
        return cls(fields, seen, parts, parse_datetime(at) or timezone.now())


def values_of(form: BaseForm, names: Iterable[str]) -> Values:
    """The values that a form begins with, of those fields that can be edited."""
    return {
        name: _plain_of(form.fields[name], form.get_initial_for_field(form.fields[name], name))
        for name in names
        if name in form.fields and not form.fields[name].disabled
    }


def _plain_of(form_field: Any, value: Any) -> Any:
    if isinstance(form_field, SecretFormField):
        secret = value.token if isinstance(value, Ciphertext) else value
        return salted_hmac("shown", secret).hexdigest() if secret else ""
    return plain(value)


def plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet | list | tuple | set):
        return [plain(item) for item in value]
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
