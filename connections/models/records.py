"""The addresses, doors and buyers of a connection."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from connections.models.connections import Connection
from connections.nothing import says_nothing
from connections.rules import STATE_REQUIRED_COUNTRIES, validate_country
from lookups.fields import EmailKeyField, FigureField, KeyField, TextField
from lookups.validators import validate_trimmed


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
    zip = FigureField(max_length=20, blank=True)
    country = models.CharField(max_length=2, validators=[validate_country], help_text="ISO 3166-1 alpha-2, such as FR.")
    email = EmailKeyField(max_length=255, blank=True)
    phone = FigureField(max_length=30, blank=True)

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
