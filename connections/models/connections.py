"""Connections: the customers of an account."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, URLValidator
from django.db import models
from django.db.models.functions import Coalesce, Now

from accounts.models import Account
from connections.given import given_fields
from connections.mangled_codes import ACCENTED
from connections.models.changes import Change
from connections.models.querysets import ConnectionQuerySet
from connections.near_keys import LONGEST, near_key
from lookups.fields import KeyField, TextField
from lookups.models import CompanyNumber, CustomerGroup, PaymentTerm, PriceType, SalesRep, ShippingTerm, Warehouse
from lookups.validators import validate_trimmed

LONGEST_NOTE = 500
"""Characters of what a person writes about a decision."""


class Connection(models.Model):
    """One customer of the account, known by its customer code."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting for review"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="connections", db_index=False)
    customer_code = KeyField(max_length=100, validators=[validate_trimmed], db_collation="C")
    near_key = models.CharField(max_length=LONGEST, db_default="", editable=False, db_collation="C")
    profile_name = TextField(max_length=100, validators=[validate_trimmed])
    customer_alias = TextField(max_length=150, blank=True)
    alternate_name = TextField(max_length=100, blank=True)
    website = KeyField(max_length=255, blank=True, validators=[URLValidator(schemes=["http", "https"])])
    company_number = models.ForeignKey(
        CompanyNumber, on_delete=models.RESTRICT, null=True, blank=True, related_name="connections", db_index=False
    )
    customer_group = models.ForeignKey(
        CustomerGroup, on_delete=models.RESTRICT, null=True, blank=True, related_name="connections", db_index=False
    )
    sales_rep = models.ForeignKey(
        SalesRep, on_delete=models.RESTRICT, null=True, blank=True, related_name="connections", db_index=False
    )
    discount = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(100)], help_text="Percent, a whole number from 0 to 100."
    )
    discount_line_item_level = models.BooleanField(
        null=True, blank=True, help_text="Whether the discount is given on each line of an order or on the order."
    )
    price_types = models.ManyToManyField(PriceType, through="ConnectionPriceType", related_name="connections")
    payment_terms = models.ManyToManyField(PaymentTerm, through="ConnectionPaymentTerm", related_name="connections")
    shipping_terms = models.ManyToManyField(ShippingTerm, through="ConnectionShippingTerm", related_name="connections")
    warehouses = models.ManyToManyField(Warehouse, through="ConnectionWarehouse", related_name="connections")

    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="duplicates",
        db_index=False,
        help_text="The connection this one was rejected as a duplicate of.",
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.TextField(blank=True, db_default="", editable=False, max_length=LONGEST_NOTE)
    source_digest = models.BinaryField(max_length=16, default=b"", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    not_given = frozenset(
        {
            "id", "account", "customer_code", "near_key", "status", "duplicate_of", "reviewed_by", "reviewed_at",
            "review_note", "source_digest", "created_at", "updated_at",
        }
    )  # fmt: skip
    """Keys, review and bookkeeping. Every other field is one that files give, see `connections.given`."""

    objects: ClassVar[models.Manager[Connection]] = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["account", "customer_code"]
        constraints = [
            models.UniqueConstraint(fields=["account", "customer_code"], name="unique_customer_code"),
            models.CheckConstraint(condition=~models.Q(customer_code=""), name="connection_has_customer_code"),
            models.CheckConstraint(condition=~models.Q(profile_name=""), name="connection_has_profile_name"),
            models.CheckConstraint(
                condition=models.Q(discount__isnull=True) | models.Q(discount__range=(0, 100)),
                name="discount_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=models.Q(discount__isnull=True) | models.Q(discount_line_item_level__isnull=False),
                name="discount_says_its_level",
            ),
            models.CheckConstraint(
                condition=models.Q(duplicate_of__isnull=True) | ~models.Q(duplicate_of=models.F("id")),
                name="connection_is_not_its_own_duplicate",
            ),
            models.CheckConstraint(
                condition=models.Q(duplicate_of__isnull=True) | models.Q(status="rejected"),
                name="only_rejected_are_duplicates",
            ),
            # That the original is of the same account and not rejected itself, a trigger of the migrations checks.
        ]
        indexes = [
            models.Index(fields=["account", "near_key"], name="near_keys_of_an_account"),
            models.Index(
                fields=["account"], condition=models.Q(near_key__regex=ACCENTED), name="accented_codes_of_an_account"
            ),
            models.Index(fields=["account", "updated_at", "id"], name="updates_of_an_account"),
            models.Index(fields=["account", "id"], condition=models.Q(status="pending"), name="waiting_for_review"),
            models.Index(  # until when it is to be reviewed, but for the hours, which the account has
                "account",
                Coalesce("reviewed_at", "created_at"),
                "id",
                condition=models.Q(status="pending"),
                name="reviews_due_in_an_account",
            ),
            models.Index(
                "duplicate_of", condition=models.Q(duplicate_of__isnull=False), name="duplicates_of_a_connection"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_code} · {self.profile_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.near_key = near_key(self.customer_code)
        super().save(*args, **kwargs)

    @property
    def changes(self) -> models.QuerySet[Change]:
        """All that ever happened to the customer, the newest first; also before it was deleted and came back."""
        return Change.objects.filter(account=self.account_id, customer_code=self.customer_code)

    def clean(self) -> None:
        super().clean()
        errors = {}
        if self.discount is not None and self.discount_line_item_level is None:
            errors["discount_line_item_level"] = "A discount needs its level: line item or order."
        for name in (*(field.name for field in given_fields(type(self)) if field.list_name), "duplicate_of"):
            other = getattr(self, name)
            if other is not None and other.account_id != self.account_id:
                errors[name] = f"{other} belongs to another account."
        if errors:
            raise ValidationError(errors)
