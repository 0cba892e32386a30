"""What onboarding has learned of an account: which fields its headers are, as people decided."""

from __future__ import annotations

from django.db import models

from accounts.models import Account


class LearnedHeader(models.Model):
    """A header that a person mapped otherwise than it was proposed."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="learned_headers")
    header = models.CharField(max_length=500, help_text="As headers are compared: in small letters, trimmed.")
    field = models.CharField(max_length=60, blank=True, help_text="The template field; blank where it is left out.")
    learned_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["header"]
        constraints = [models.UniqueConstraint(fields=["account", "header"], name="a_header_is_learned_once")]

    def __str__(self) -> str:
        return f"{self.header} → {self.field or 'left out'}"
