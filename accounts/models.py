"""Accounts: a brand's space, who may enter it, its sandbox, and the tokens that programs enter with."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property
from knox.models import AbstractAuthToken

from accounts.querysets import AccountQuerySet


class User(AbstractUser):  # type: ignore[django-manager-missing]  # of tokens: knox carries no types
    """A person of the staff; what they may see and change is decided by their memberships alone.

    `token_name` is the name of the token by which a program asks in the person's name, and blank for the person.
    """

    token_name: str = ""

    @cached_property
    def roles(self) -> dict[int, str]:
        """The user's role by account id, read once."""
        return dict(self.memberships.values_list("account_id", "role"))

    def may_see(self, account_id: int) -> bool:
        return self.is_superuser or account_id in self.roles

    def may_edit(self, account_id: int) -> bool:
        return self.is_superuser or self.roles.get(account_id) == Membership.Role.EDITOR

    @property
    def edits_any_account(self) -> bool:
        return self.is_superuser or Membership.Role.EDITOR in self.roles.values()


class Account(models.Model):
    """A brand's space; owns everything else."""

    class AutoApproval(models.TextChoices):
        NEVER = "never", "never"
        NOTHING_SIMILAR = "nothing_similar", "when nothing similar exists"
        ALWAYS = "always", "always"

    code = models.SlugField(max_length=50, unique=True, help_text="Names the account in commands, files and addresses.")
    name = models.CharField(max_length=150)
    sandbox_of = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sandboxes",
        help_text="The production account this one is the sandbox of.",
    )
    auto_approval = models.CharField(
        "approval by itself",
        max_length=15,
        choices=AutoApproval,
        default=AutoApproval.NEVER,
        db_default=AutoApproval.NEVER,
        help_text="Which new connections are approved by themselves instead of waiting for a review.",
    )
    review_hours = models.PositiveSmallIntegerField(
        default=48,
        db_default=48,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 365)],
        help_text="Within how many hours a new connection is to be reviewed; then it is overdue.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Account]] = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sandbox_of__isnull=True) | ~models.Q(sandbox_of=models.F("id")),
                name="account_is_not_its_own_sandbox",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def production(self) -> Account:
        """The account itself, or the one it is the sandbox of."""
        return self.sandbox_of or self

    def clean(self) -> None:
        super().clean()
        if self.sandbox_of is None:
            return
        if self.sandbox_of.sandbox_of_id is not None:
            raise ValidationError({"sandbox_of": "A sandbox belongs to a production account, not to another sandbox."})
        if self.pk is not None and (self.sandbox_of == self or self.sandboxes.exists()):
            raise ValidationError({"sandbox_of": "An account that has sandboxes is a production account itself."})


class Membership(models.Model):
    """A user's place in an account."""

    copied_to_sandbox = True

    class Role(models.TextChoices):
        VIEWER = "viewer", "viewer"
        EDITOR = "editor", "editor"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=10,
        choices=Role,
        default=Role.VIEWER,
        help_text="A viewer looks at everything of the account, an editor changes it as well.",
    )

    class Meta:
        ordering = ["account", "user"]
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_user")]

    def __str__(self) -> str:
        return f"{self.user} in {self.account} ({self.role})"


class AuthToken(AbstractAuthToken):
    """What a program logs in with, in a user's name. Only its hash is stored."""

    name = models.CharField(max_length=100, help_text="Which program it is for.")
    minute = models.DateTimeField("last used", null=True, blank=True, editable=False)
    requests = models.PositiveIntegerField(default=0, editable=False, help_text="In that minute.")

    class Meta:
        verbose_name = "token"
        ordering = ["user", "name", "created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"


class IdempotencyKey(models.Model):
    """A request that was made, and what it was answered."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True, db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_request_of_a_key")]

    def __str__(self) -> str:
        return self.key


class LoginAttempt(models.Model):
    """An attempt to log in that failed, or is being made."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.username} from {self.address}"


class Suspension(models.Model):
    """While there is one, nothing goes out (see `accounts.suspending`)."""

    since = models.DateTimeField(db_default=Now())
    reason = models.TextField(blank=True, db_default="", help_text="For people who find the system suspended.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_suspension")]

    def __str__(self) -> str:
        return f"suspended since {self.since}"


class PruneTally(models.Model):
    """How much of a kind was pruned lately."""

    kind = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(null=True, help_text="When nothing was left to go last.")
    hour = models.DateTimeField(null=True, help_text="Of the last pruning.")
    rows = models.PositiveBigIntegerField(default=0, db_default=0, help_text="That went in that hour.")
    total = models.PositiveBigIntegerField(default=0, db_default=0, help_text="That ever went.")

    def __str__(self) -> str:
        return self.kind


class Tally(models.Model):
    """How often something happened, or for how many seconds it was done, since there is this database."""

    name = models.CharField(max_length=60)
    labels = ArrayField(models.TextField())
    amount = models.FloatField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="one_tally_of_a_name_and_labels")]

    def __str__(self) -> str:
        return f"{self.name} {' '.join(self.labels)}: {self.amount:g}"
