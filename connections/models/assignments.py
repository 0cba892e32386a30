"""What of the account's lists is given to a connection."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from connections.models.connections import Connection
from lookups.models import PaymentTerm, PriceType, ShippingTerm, Warehouse


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
