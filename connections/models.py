"""Connections (the customers of an account), what belongs to them, and the record of every change."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, URLValidator
from django.db import models
from django.db.models.functions import Coalesce, Lower, Now

from accounts.models import Account
from connections.documents import SearchDocument  # noqa: F401  (a model of this app)
from connections.fields import WrittenJSONField
from connections.given import given_fields
from connections.matching.models import MatchingProgress, MatchKey, Suggestion  # noqa: F401  (models of this app)
from connections.near_keys import LONGEST, near_key
from connections.nothing import says_nothing
from connections.querysets import ConnectionQuerySet
from connections.rules import STATE_REQUIRED_COUNTRIES, validate_country
from connections.sightings import Sighting  # noqa: F401  (a model of this app)
from lookups.fields import EmailKeyField, KeyField, TextField
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
            models.Index(fields=["account", "updated_at"], name="last_updates_of_an_account"),
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


class Address(models.Model):
    """A billing or shipping address of a connection."""

    class Kind(models.TextChoices):
        BILLING = "B", "billing"
        SHIPPING = "S", "shipping"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="addresses", db_index=False)
    kind = models.CharField(max_length=1, choices=Kind, db_collation="C")
    code = KeyField(max_length=100, validators=[validate_trimmed], db_collation="C")
    name = TextField(max_length=255, blank=True, help_text="If blank, the customer's name is used.")
    address_1 = TextField(max_length=100, blank=True)
    address_2 = TextField(max_length=100, blank=True)
    city = TextField(max_length=150, blank=True)
    state = TextField(max_length=40, blank=True)
    zip = TextField(max_length=20, blank=True)
    country = models.CharField(max_length=2, validators=[validate_country], help_text="ISO 3166-1 alpha-2, such as FR.")
    email = EmailKeyField(max_length=255, blank=True)
    phone = TextField(max_length=30, blank=True)

    not_given = frozenset({"id", "connection", "kind", "code"})
    """The keys. Every other field is one that files give, see `connections.given`."""

    class Meta:
        verbose_name_plural = "addresses"
        ordering = ["connection", "kind", "code"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "code"], name="unique_address_code"),
            models.CheckConstraint(condition=models.Q(kind__in=["B", "S"]), name="address_kind_is_b_or_s"),
            models.CheckConstraint(condition=~models.Q(code=""), name="address_has_code"),
            models.CheckConstraint(condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="address_country_iso_3166"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code}"

    @property
    def display_name(self) -> str:
        """The name to address; the customer's current name when none was ever given."""
        return self.name or self.connection.profile_name

    def clean(self) -> None:
        super().clean()
        if self.country in STATE_REQUIRED_COUNTRIES and (not self.state or says_nothing(self.state)):
            raise ValidationError({"state": f"Addresses in {self.country} need a state."})


class Door(models.Model):
    """A store of the connection where goods go, made from a shipping address."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="doors", db_index=False)
    code = KeyField(max_length=100, validators=[validate_trimmed], db_collation="C")
    name = TextField(max_length=255, blank=True, help_text="If blank, the customer's name is used.")

    class Meta:
        ordering = ["connection", "code"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "code"], name="unique_door_code"),
            models.CheckConstraint(condition=~models.Q(code=""), name="door_has_code"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def display_name(self) -> str:
        """The name of the store; the customer's current name when none was ever given."""
        return self.name or self.connection.profile_name


class Buyer(models.Model):
    """A contact at the connection, known by the e-mail in any case."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="buyers", db_index=False)
    email = EmailKeyField(max_length=255, db_collation="C")
    name = TextField(max_length=255, blank=True)

    class Meta:
        ordering = ["connection", "email"]
        constraints = [
            models.UniqueConstraint("connection", Lower("email"), name="unique_buyer_email"),
            models.CheckConstraint(condition=~models.Q(email=""), name="buyer_has_email"),
        ]

    def __str__(self) -> str:
        return self.email


class Assignment(models.Model):
    """One entry of a lookup given to a connection."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="%(class)s_set", db_index=False)

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["connection", "lookup"], name="unique_%(class)s")]

    def __str__(self) -> str:
        return str(self.lookup)  # type: ignore[attr-defined]  # each subclass points it at its own list

    def clean(self) -> None:
        super().clean()
        connection, lookup = getattr(self, "connection", None), getattr(self, "lookup", None)
        if connection and lookup and connection.account_id != lookup.account_id:
            raise ValidationError({"lookup": f"{lookup} belongs to another account."})


class ConnectionPriceType(Assignment):
    lookup = models.ForeignKey(PriceType, on_delete=models.RESTRICT, related_name="+", db_index=False)

    class Meta(Assignment.Meta):
        abstract = False
        verbose_name = "price type"


class ConnectionPaymentTerm(Assignment):
    lookup = models.ForeignKey(PaymentTerm, on_delete=models.RESTRICT, related_name="+", db_index=False)

    class Meta(Assignment.Meta):
        abstract = False
        verbose_name = "payment term"


class ConnectionShippingTerm(Assignment):
    lookup = models.ForeignKey(ShippingTerm, on_delete=models.RESTRICT, related_name="+", db_index=False)

    class Meta(Assignment.Meta):
        abstract = False
        verbose_name = "shipping term"


class ConnectionWarehouse(Assignment):
    lookup = models.ForeignKey(Warehouse, on_delete=models.RESTRICT, related_name="+", db_index=False)

    class Meta(Assignment.Meta):
        abstract = False
        verbose_name = "warehouse"


class Change(models.Model):
    """A record created or deleted, or one field of it before and after, by a run's line or by a user.

    A connection comes and goes with all its records in one row, see `connections.snapshots`.

    It names account, customer and record by natural keys and carries no foreign key that is checked, so it outlives
    what it describes and a first load does not pay for checking it. `key` is the address's kind and code
    ("S:STORE-1"), the code of a door or lookup, the e-mail of a buyer, and blank for the connection itself.
    """

    class Record(models.TextChoices):
        CONNECTION = "connection", "connection"
        ADDRESS = "address", "address"
        DOOR = "door", "door"
        BUYER = "buyer", "buyer"
        PRICE_TYPE = "price_type", "price type"
        PAYMENT_TERM = "payment_term", "payment term"
        SHIPPING_TERM = "shipping_term", "shipping term"
        WAREHOUSE = "warehouse", "warehouse"

    class Action(models.TextChoices):
        CREATED = "created", "created"
        UPDATED = "updated", "updated"
        DELETED = "deleted", "deleted"

    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, db_default=0, related_name="+"
    )
    customer_code = models.CharField(max_length=100, db_collation="C", db_default="")
    connection = models.ForeignKey(
        Connection,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="There may be none of this number any more; the account and the customer code stay.",
    )
    run_id = models.BigIntegerField(null=True, help_text="The run that made the change, if a file did.")
    line = models.PositiveIntegerField(null=True, help_text="The physical line of that run's file.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The person who made the change, if a person did.",
    )
    token = models.CharField(
        max_length=100,
        blank=True,
        db_default="",
        help_text="The token of the program that made the change in the person's name, if a program did.",
    )
    at = models.DateTimeField(help_text="A stamp, see `connections.stamping`.")
    action = models.CharField(max_length=7, choices=Action)
    record = models.CharField(max_length=13, choices=Record)
    key = models.CharField(max_length=255, blank=True)
    field = models.CharField(max_length=24, blank=True)
    before = models.TextField(null=True)
    after = models.TextField(null=True)
    values = WrittenJSONField(
        null=True,
        help_text="Of a record that was created or deleted, the values that it got or had; of a connection, with all"
        " that belonged to it. Changes from before this was recorded have none.",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["account", "id"], name="changes_of_an_account"),
            models.Index(fields=["customer_code", "account"], name="changes_of_a_customer"),
            models.Index(fields=["run_id", "id"], name="changes_of_a_run"),
            models.Index(fields=["account", "at", "id"], name="changes_in_order"),
        ]

    def __str__(self) -> str:
        what = f"{self.get_record_display()} {self.key}".strip()
        return f"{what} {self.field}: {self.before} → {self.after}" if self.field else f"{what} {self.action}"
