"""Formats of an account: how its ERP's files are read, in versions that are approved one after the other."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Account
from imports.formats import spec as formats
from imports.formats.spec import AssignmentMode, Column, Dialect, FormatSpec, Policies, UnknownLookup
from imports.querysets import FormatVersionQuerySet
from imports.template import Group, find_target

_PERCENT = [MinValueValidator(0), MaxValueValidator(100)]


class Format(models.Model):
    """How one ERP's files are read; its versions say how exactly."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="formats")
    name = models.SlugField(max_length=60, help_text="Names the format in commands.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="one_format_of_a_name_in_an_account")]

    def __str__(self) -> str:
        return self.name

    @property
    def newest(self) -> FormatVersion | None:
        return self.versions.order_by("number").last()

    @property
    def live(self) -> FormatVersion | None:
        return self.versions.filter(status=FormatVersion.Status.LIVE).first()


class FormatVersion(models.Model):
    """A format as it is from one approval to the next. Only a draft may be edited."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        TESTING = "testing", "testing"
        LIVE = "live", "live"
        RETIRED = "retired", "retired"

    class Blank(models.TextChoices):
        KEEP = formats.Blank.KEEP.value, "keeps the value"
        CLEAR = formats.Blank.CLEAR.value, "clears the value"

    class Conflict(models.TextChoices):
        REJECT = formats.Conflict.REJECT.value, "reject the customer"
        FIRST = formats.Conflict.FIRST.value, "take the first, with a warning"
        LAST = formats.Conflict.LAST.value, "take the last, with a warning"

    class Swallowed(models.TextChoices):
        HOLD = formats.Swallowed.HOLD.value, "hold the file"
        WARN = formats.Swallowed.WARN.value, "only warn"

    format = models.ForeignKey(Format, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=7, choices=Status, default=Status.DRAFT)

    encoding = models.CharField(
        max_length=30, default="utf-8", help_text="Such as utf-8, utf-16, cp1252, iso8859-15, mac-roman, shift_jis."
    )
    delimiter = models.CharField(max_length=1, default="|", help_text="Stands between the cells.")
    quotechar = models.CharField(
        "quote", max_length=1, default='"', blank=True, help_text="Stands around cells; blank for none."
    )
    escapechar = models.CharField(
        "escape", max_length=1, blank=True, help_text="Stands before a character that means itself; blank for none."
    )
    has_header = models.BooleanField(default=True, help_text="Off: columns are named by their position.")
    skip_lines = models.PositiveIntegerField(default=0, help_text="Lines before the header, or before the first row.")
    footer = models.CharField(
        max_length=100, blank=True, help_text='Mask of the line after the last row, such as "TRAILER*".'
    )
    allow_spaced_delimiter = models.BooleanField(
        default=False, help_text='A delimiter that a space follows is part of the cell: "24, place Kléber".'
    )
    width = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="How many cells a row has in a file without a header; 0 where the last mapped column is the last.",
    )
    header = models.JSONField(default=list, blank=True, help_text="The approved header: the text of every column.")

    clear_token = models.CharField(max_length=20, blank=True, help_text="A cell of this text empties what is stored.")
    conflict = models.CharField(
        max_length=6,
        choices=Conflict,
        default=Conflict.REJECT,
        help_text="What happens when rows of one customer give one value differently.",
    )
    max_error_percent = models.FloatField(
        null=True, blank=True, validators=_PERCENT, help_text="Hold a file with more customers in error than this."
    )
    max_change_percent = models.FloatField(
        null=True, blank=True, validators=_PERCENT, help_text="Hold a file that changes more known customers than this."
    )
    swallowed_lines = models.CharField(
        max_length=4,
        choices=Swallowed,
        default=Swallowed.HOLD,
        db_default=Swallowed.HOLD.value,
        help_text="What happens to a file in which one cell holds whole lines, as stray quotes make it.",
    )
    allow_trailing_delimiter = models.BooleanField(default=False, help_text="Rows may end with one delimiter too many.")
    assignments = models.JSONField(default=dict, blank=True, help_text="Replace or add, by kind of assignment.")
    unknown_lookup = models.JSONField(default=dict, blank=True, help_text="Reject, skip or create, by list.")

    proposal = models.JSONField(null=True, blank=True, help_text="What onboarding proposed, with its evidence.")
    created_at = models.DateTimeField(auto_now_add=True)
    testing_at = models.DateTimeField(null=True, blank=True)
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    approver = models.CharField(max_length=150, blank=True, help_text="Who approved it; stays when the user goes.")
    reason = models.TextField(blank=True, help_text="Why it went live before it was tested for two weeks.")

    objects: ClassVar[models.Manager[FormatVersion]] = FormatVersionQuerySet.as_manager()

    class Meta:
        ordering = ["format", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["format", "number"], name="one_version_of_a_number_in_a_format"),
            *(
                models.UniqueConstraint(fields=["format"], condition=Q(status=status), name=f"one_{status}_version")
                for status in ("draft", "testing", "live")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format.name}@{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    def to_spec(self) -> FormatSpec:
        """The version as the pipeline takes it. Raises FormatError where a draft is not complete yet."""
        return FormatSpec(
            name=str(self),
            dialect=self._to_dialect(),
            columns=tuple(column.to_spec() for column in self.columns.all()),
            policies=Policies(
                clear_token=self.clear_token,
                assignments={Group(kind): AssignmentMode(mode) for kind, mode in self.assignments.items()},
                unknown_lookup={name: UnknownLookup(policy) for name, policy in self.unknown_lookup.items()},
                max_error_percent=self.max_error_percent,
                max_change_percent=self.max_change_percent,
                allow_trailing_delimiter=self.allow_trailing_delimiter,
                conflict=formats.Conflict(self.conflict),
                swallowed_lines=formats.Swallowed(self.swallowed_lines),
            ),
            header=tuple(self.header),
        )

    def _to_dialect(self) -> Dialect:
        return Dialect(
            encoding=self.encoding,
            delimiter=self.delimiter,
            quotechar=self.quotechar or None,
            escapechar=self.escapechar or None,
            has_header=self.has_header,
            skip_lines=self.skip_lines,
            footer=self.footer,
            allow_spaced_delimiter=self.allow_spaced_delimiter,
            width=self.width,
        )

    def clean(self) -> None:
        try:
            self._to_dialect()
        except formats.FormatError as error:
            raise ValidationError(str(error)) from None

    def take_spec(self, spec: FormatSpec) -> None:
        """Make the version what the spec says, columns and all; the caller holds a transaction."""
        dialect, policies = spec.dialect, spec.policies
        self.encoding, self.delimiter = dialect.encoding, dialect.delimiter
        self.quotechar, self.escapechar = dialect.quotechar or "", dialect.escapechar or ""
        self.has_header, self.skip_lines, self.footer = dialect.has_header, dialect.skip_lines, dialect.footer
        self.allow_spaced_delimiter, self.width = dialect.allow_spaced_delimiter, dialect.width
        self.header = list(spec.header)
        self.clear_token, self.conflict = policies.clear_token, policies.conflict.value
        self.max_error_percent, self.max_change_percent = policies.max_error_percent, policies.max_change_percent
        self.allow_trailing_delimiter = policies.allow_trailing_delimiter
        self.swallowed_lines = policies.swallowed_lines.value
        self.assignments = {str(kind): mode.value for kind, mode in policies.assignments.items()}
        self.unknown_lookup = {name: policy.value for name, policy in policies.unknown_lookup.items()}
        self.save()
        self.columns.all().delete()
        FormatColumn.objects.bulk_create(
            FormatColumn.from_spec(self, order, column) for order, column in enumerate(spec.columns or (), 1)
        )


class FormatColumn(models.Model):
    """A column of the file, or a constant, and the template field it goes to."""

    class Ownership(models.TextChoices):
        ALWAYS = formats.Ownership.ALWAYS.value, "the file always wins"
        IF_BLANK = formats.Ownership.IF_BLANK.value, "the file only fills what is blank"
        NEVER = formats.Ownership.NEVER.value, "the file never writes"

    version = models.ForeignKey(FormatVersion, on_delete=models.CASCADE, related_name="columns")
    order = models.PositiveIntegerField()
    source = models.CharField(
        max_length=500, blank=True, help_text="The column's header, or a template of headers: {First Name} {Last Name}."
    )
    position = models.PositiveIntegerField(null=True, blank=True, help_text="The column's place, counted from 1.")
    constant = models.CharField(max_length=255, blank=True, help_text="The same value for every row.")
    target = models.CharField(max_length=60, help_text="The template field, with its number.")
    value_map = models.JSONField(
        default=dict, blank=True, help_text="What cells become, by their trimmed text: {Germany: DE}."
    )
    default = models.CharField(max_length=255, blank=True, help_text="What a blank cell becomes.")
    blank = models.CharField(
        max_length=5,
        choices=FormatVersion.Blank,
        default=FormatVersion.Blank.KEEP,
        help_text="What a blank cell does to the stored value.",
    )
    ownership = models.CharField(
        max_length=8, choices=Ownership, default=Ownership.ALWAYS, help_text="Whether the file or what is stored wins."
    )

    class Meta:
        ordering = ["version", "order"]
        constraints = [
            models.UniqueConstraint(fields=["version", "target"], name="one_column_for_a_field"),
            models.CheckConstraint(
                condition=(~Q(source="") & Q(position=None, constant=""))
                | (Q(source="", constant="") & Q(position__isnull=False))
                | (Q(source="", position=None) & ~Q(constant="")),
                name="a_column_has_one_origin",
                violation_error_message="Give either a header, a position or a constant.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin} → {self.target}"

    def clean(self) -> None:
        """A column must be one that the pipeline takes; its field is written with its number."""
        super().clean()
        target = find_target(self.target)
        if target is None:
            raise ValidationError({"target": f"{self.target!r} is no field of the template."})
        self.target = str(target)
        try:
            self.to_spec()
        except formats.FormatError as error:
            raise ValidationError(str(error)) from None

    @property
    def origin(self) -> str:
        """Where the value comes from, as people read it."""
        if self.constant:
            return f"constant {self.constant!r}"
        return self.source or f"column {self.position}"

    def to_spec(self) -> Column:
        target = find_target(self.target)
        if target is None:
            raise formats.FormatError(f"{self.target!r} is no field of the template.")
        return Column(
            target=target,
            source=self.position if self.position is not None else self.source or None,
            constant=self.constant or None,
            value_map=dict(self.value_map),
            default=self.default,
            blank=formats.Blank(self.blank),
            ownership=formats.Ownership(self.ownership),
        )

    @classmethod
    def from_spec(cls, version: FormatVersion, order: int, column: Column) -> FormatColumn:
        return cls(
            version=version,
            order=order,
            source=column.source if isinstance(column.source, str) else "",
            position=column.source if isinstance(column.source, int) else None,
            constant=column.constant or "",
            target=str(column.target),
            value_map=dict(column.value_map),
            default=column.default,
            blank=column.blank.value,
            ownership=column.ownership.value,
        )
