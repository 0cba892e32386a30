"""The record of every change of a connection."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Account
from connections.models.fields import WrittenJSONField


class Change(models.Model):
    """A record created or deleted, or one field of it before and after, by a run's line or by a user.

    A connection comes and goes with all its records in one row, see `connections.history.snapshots`. What a
    person keeps from files and lets go again (see `connections.history.keeping`) is told here, too; no value changes.

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
        KEPT = "kept", "kept"
        LET_GO = "let_go", "let go"

    WRITES = (Action.CREATED, Action.UPDATED, Action.DELETED)
    """By these something else stands than before."""
    DECISIONS = (Action.KEPT, Action.LET_GO)
    """By these somebody decides whether files may change a value."""

    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, db_default=0, related_name="+"
    )
    customer_code = models.CharField(max_length=100, db_collation="C", db_default="")
    connection = models.ForeignKey(
        "connections.Connection",
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
    at = models.DateTimeField(help_text="When it was written, by the clock of the database.")  # see `history.stamping`
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
            models.Index(fields=["account", "at"], name="changes_by_people", condition=models.Q(run_id=None)),
        ]

    def __str__(self) -> str:
        what = f"{self.get_record_display()} {self.key}".strip()
        return f"{what} {self.field}: {self.before} → {self.after}" if self.field else f"{what} {self.action}"
