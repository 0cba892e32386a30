"""The lists of an account that its customer files refer to by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Lower

from accounts.models import Account
from lookups.fields import EmailKeyField, KeyField, NameField
from lookups.validators import validate_currency, validate_trimmed

if TYPE_CHECKING:
    from collections.abc import Collection


class Lookup(models.Model):
    """One entry of one list. Codes are compared exactly, so leading zeros and case count."""

    copied_to_sandbox = True

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False)

    class Meta:
        abstract = True


class PriceType(Lookup):
    """A currency with a label; the pair is unique in the account (Prerequisites of the source document)."""

    currency = models.CharField(max_length=3, validators=[validate_currency], help_text="ISO 4217, such as EUR.")
    label = NameField(max_length=100, validators=[validate_trimmed], db_collation="C")

    class Meta:
        ordering = ["currency", "label"]
        constraints = [
            models.UniqueConstraint(fields=["account", "currency", "label"], name="unique_price_type"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="price_type_currency_iso_4217"
            ),
            models.CheckConstraint(condition=~models.Q(label=""), name="price_type_has_label"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.label}"

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """A currency may be entered in any case, as files have it."""
        self.currency = self.currency.upper()
        super().clean_fields(exclude)


class CodedLookup(Lookup):
    """An entry known by its code."""

    code = KeyField(max_length=255, validators=[validate_trimmed], db_collation="C")
    name = NameField(max_length=255, blank=True, validators=[validate_trimmed])

    class Meta:
        abstract = True
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="unique_%(class)s_code"),
            models.CheckConstraint(condition=~models.Q(code=""), name="%(class)s_has_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}" if self.name else self.code


class PaymentTerm(CodedLookup):
    """A method by which customers pay."""


class ShippingTerm(CodedLookup):
    """A way goods travel, and who bears its cost."""


class SalesRep(CodedLookup):
    """A sales representative; code and e-mail belong to each other one to one."""

    email = EmailKeyField(max_length=255, db_collation="C")

    class Meta(CodedLookup.Meta):
        abstract = False
        constraints = [
            *CodedLookup.Meta.constraints,
            models.UniqueConstraint(
                "account",
                Lower("email"),
                name="unique_salesrep_email",
                violation_error_code="unique",
                violation_error_message="Another sales rep has this e-mail address.",
            ),
            models.CheckConstraint(condition=~models.Q(email=""), name="salesrep_has_email"),
        ]


class Warehouse(CodedLookup):
    """A place goods are sent from."""


class CustomerGroup(CodedLookup):
    """A group of retailers a customer belongs to."""

    code = KeyField(max_length=100, validators=[validate_trimmed], db_collation="C")
    name = NameField(max_length=150, blank=True, validators=[validate_trimmed])


class CompanyNumber(CodedLookup):
    """The company of the brand a customer belongs to."""

    code = KeyField(max_length=100, validators=[validate_trimmed], db_collation="C")
    name = NameField(max_length=150, blank=True, validators=[validate_trimmed])
