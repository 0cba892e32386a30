"""What onboarding has learned of an account: which fields its headers are, as people decided."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models

from accounts.models import Account
from imports.errors import SettingsWrong
from imports.formats.plain import read_yaml
from imports.formats.policies import FormatError
from imports.formats.spec import SOURCE_HEADERS
from imports.template import Target, find_target, normalize

if TYPE_CHECKING:
    from pathlib import Path

    from imports.models.formats import FormatVersion

_LEFT_OUT = ("null", "~", "")
"""What a vocabulary file says of a column that is left out."""
MAPPED = 0.5
"""As sure as a proposed column must have been for the draft to have had it."""


class LearnedHeaders(models.Manager["LearnedHeader"]):
    """What people change of a proposal is remembered, and is evidence for the account's next sample."""

    def learn(self, version: FormatVersion) -> None:
        """Remember each header whose field a person decided, or made another one than it was in its proposal."""
        proposed: list[dict[str, Any]] = (version.proposal or {}).get("columns", [])
        counts = Counter(normalize(column["source"]) for column in proposed if column["source"])
        drafted: dict[str, list[str]] = {}
        for source, target in version.columns.exclude(source="").values_list("source", "target"):
            for name in SOURCE_HEADERS.findall(source) or [source]:
                drafted.setdefault(normalize(name), []).append(target)
        joined = {
            normalize(name) for column in proposed for name in SOURCE_HEADERS.findall(column.get("template") or "")
        }
        for column in proposed:
            header = normalize(column["source"] or "")
            if not header or counts[header] > 1 or header in joined:
                continue
            before = column["target"] if column["target"] and column["confidence"] >= MAPPED else ""
            after = drafted.get(header, [])
            if column.get("decided") or before not in (after or [""]):
                self.update_or_create(
                    account=version.format.account, header=header, defaults={"field": after[0] if after else ""}
                )

    def recall(self, account: Account) -> dict[str, Target | None]:
        """By header, the field that people decided on; none where they left the column out.

        What the account has learned goes before what the installation was taught. Raises SettingsWrong where the
        installation's vocabulary cannot be read.
        """
        learned = self.filter(account=account.production).values_list("header", "field")
        return _taught() | {header: find_target(field) for header, field in learned}

    def describe(self, account: Account) -> dict[str, str | None]:
        """What an account has learned, as a vocabulary file has it."""
        learned = self.filter(account=account.production)
        return {entry.header: entry.field or None for entry in learned}


class LearnedHeader(models.Model):
    """A header that a person mapped otherwise than it was proposed."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="learned_headers")
    header = models.CharField(max_length=500, help_text="As headers are compared: in small letters, trimmed.")
    field = models.CharField(max_length=60, blank=True, help_text="The template field; blank where it is left out.")
    learned_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[LearnedHeaders] = LearnedHeaders()

    class Meta:
        ordering = ["header"]
        constraints = [models.UniqueConstraint(fields=["account", "header"], name="a_header_is_learned_once")]

    def __str__(self) -> str:
        return f"{self.header} → {self.field or 'left out'}"


def _taught() -> dict[str, Target | None]:
    path: Path | None = settings.ONBOARDING_VOCABULARY
    if path is None:
        return {}
    try:
        entries = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, FormatError) as error:
        raise SettingsWrong(f"ONBOARDING_VOCABULARY, {path}, cannot be read: {error}") from None
    if not isinstance(entries, dict):
        raise SettingsWrong(f"ONBOARDING_VOCABULARY, {path}, must be a mapping of headers to fields.")
    taught: dict[str, Target | None] = {}
    for header, field in entries.items():
        is_left_out = field in _LEFT_OUT
        target = None if is_left_out or not isinstance(field, str) else find_target(field)
        if target is None and not is_left_out:
            raise SettingsWrong(f"ONBOARDING_VOCABULARY, {path}: {header!r} is {field!r}, which is no template field.")
        taught[normalize(str(header))] = target
    return taught
