"""Formats of an account: how its ERP's files are read, in versions that are approved one after the other."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Account
from imports.formats import policies as formats
from imports.formats.documents import describe_marks, read_marks
from imports.formats.policies import AssignmentMode, FormatError, Policies, UnknownLookup
from imports.formats.spec import Dialect, FormatDraft, FormatSpec
from imports.models.columns import FormatColumn
from imports.models.kept_files import KeptFile
from imports.querysets import FormatVersionQuerySet
from imports.template import Group

_PERCENT = [MinValueValidator(0), MaxValueValidator(100)]


class Format(models.Model):
    """How one ERP's files are read; its versions say how exactly."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="formats")
    name = models.SlugField(max_length=60, help_text="Names the format in commands.")
    created_at = models.DateTimeField(auto_now_add=True)
    sample_file = models.ForeignKey(
        KeptFile, on_delete=models.RESTRICT, null=True, blank=True, related_name="+", editable=False,
        help_text="The file that it was proposed of.",
    )  # fmt: skip
    sample_name = models.CharField(max_length=100, blank=True, default="", db_default="", editable=False)
    sample_at = models.DateTimeField(null=True, editable=False, help_text="Since when it is kept.")

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

    class Conflict(models.TextChoices):
        REJECT = formats.Conflict.REJECT.value, "reject the customer"
        FIRST = formats.Conflict.FIRST.value, "take the first, with a warning"
        LAST = formats.Conflict.LAST.value, "take the last, with a warning"

    class Swallowed(models.TextChoices):
        HOLD = formats.Swallowed.HOLD.value, "hold the file"
        WARN = formats.Swallowed.WARN.value, "only warn"

    class EncodedTwice(models.TextChoices):
        HOLD = formats.EncodedTwice.HOLD.value, "hold the file"
        WARN = formats.EncodedTwice.WARN.value, "only warn"
        IGNORE = formats.EncodedTwice.IGNORE.value, "take the text as it is"

    class WordsForNothing(models.TextChoices):
        KEEP = formats.WordsForNothing.KEEP.value, "keep the word, with a warning"
        BLANK = formats.WordsForNothing.BLANK.value, "read it as a blank cell"

    class BlankCode(models.TextChoices):
        REJECT = formats.BlankCode.REJECT.value, "reject the row"
        CONTINUE = formats.BlankCode.CONTINUE.value, "it continues the row above"

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
        max_length=100,
        blank=True,
        help_text='Mask of the line after the last row, such as "TRAILER*". {rows} and {customers} stand for how many '
        'there are, and are compared: "Total: {customers}".',
    )
    allow_spaced_delimiter = models.BooleanField(
        default=False, help_text='A delimiter that a space follows is part of the cell: "24, place Kléber".'
    )
    width = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="How many cells a row has in a file without a header; 0 where the last mapped column is the last.",
    )
    spaces_around_quotes = models.BooleanField(
        default=False,
        db_default=False,
        help_text='Spaces and invisible characters may stand between a delimiter and a quote: | "Oak" |.',
    )
    ignore_lines = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text='Masks of lines that are no rows, wherever they stand, such as "---*" and "Page *".',
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
    encoded_twice = models.CharField(
        max_length=6,
        choices=EncodedTwice,
        default=EncodedTwice.HOLD,
        db_default=EncodedTwice.HOLD.value,
        help_text='What happens to a file in which the text of several customers was encoded twice: "CafÃ©".',
    )
    words_for_nothing = models.CharField(
        max_length=5,
        choices=WordsForNothing,
        default=WordsForNothing.KEEP,
        db_default=WordsForNothing.KEEP.value,
        help_text='What a cell says that holds a word for nothing: "-", "N/A", "NULL".',
    )
    blank_code = models.CharField(
        max_length=8,
        choices=BlankCode,
        default=BlankCode.REJECT,
        db_default=BlankCode.REJECT.value,
        help_text="What a row without a customer code is.",
    )
    max_near_key_percent = models.FloatField(
        null=True,
        blank=True,
        validators=_PERCENT,
        help_text="Hold a file of whose new codes more than this look like known ones.",
    )
    languages = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text="Languages in which the file names countries, beside English: de, fr, it, es, nl, pt and others.",
    )
    full_files = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Each file lists all customers of the account. Nothing happens to those that it does not list, but "
        "they can be shown.",
    )
    row_marks = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="What rows are whose cell in a column holds a mark, such as that of a deletion: leave_out or take, "
        "by the column's header or position and the cell.",
    )
    allow_short_rows = models.BooleanField(
        default=False, db_default=False, help_text="Blank cells at the end of a row may be left out."
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
        return self.to_draft().complete(str(self))

    def to_draft(self) -> FormatDraft:
        """The version as far as it is written. Raises FormatError for a column that is none."""
        return FormatDraft(
            dialect=self._to_dialect(),
            columns=tuple(column.to_spec() for column in self.columns.all()),
            policies=self._to_policies(),
            header=tuple(self.header),
        )

    def _to_dialect(self) -> Dialect:
        settings: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(Dialect)}
        settings["quotechar"], settings["escapechar"] = self.quotechar or None, self.escapechar or None
        settings["ignore_lines"] = tuple(self.ignore_lines)
        return Dialect(**settings)

    def _to_policies(self) -> Policies:
        settings: dict[str, Any] = {}
        for field in fields(Policies):
            value = getattr(self, field.name)
            settings[field.name] = type(field.default)(value) if isinstance(field.default, StrEnum) else value
        settings["languages"] = tuple(self.languages)
        settings["row_marks"] = read_marks(self.row_marks)
        settings["assignments"] = {Group(kind): AssignmentMode(mode) for kind, mode in self.assignments.items()}
        settings["unknown_lookup"] = {name: UnknownLookup(policy) for name, policy in self.unknown_lookup.items()}
        return Policies(**settings)

    def clean(self) -> None:
        try:
            self._to_dialect()
            self._to_policies()
        except FormatError as error:
            raise ValidationError(str(error)) from None

    def next_order(self) -> int:
        """Where a new column comes last."""
        return (self.columns.aggregate(last=models.Max("order"))["last"] or 0) + 1

    def take_spec(self, spec: FormatSpec | FormatDraft) -> None:
        """Make the version what the spec says, columns and all; the caller holds a transaction."""
        for field in fields(Dialect):
            setattr(self, field.name, getattr(spec.dialect, field.name))
        self.quotechar, self.escapechar = spec.dialect.quotechar or "", spec.dialect.escapechar or ""
        self.ignore_lines = list(spec.dialect.ignore_lines)
        self.header = list(spec.header)
        for field in fields(Policies):
            setattr(self, field.name, getattr(spec.policies, field.name))
        self.languages = list(spec.policies.languages)
        self.row_marks = describe_marks(spec.policies.row_marks)
        self.assignments = {str(kind): mode.value for kind, mode in spec.policies.assignments.items()}
        self.unknown_lookup = {name: policy.value for name, policy in spec.policies.unknown_lookup.items()}
        self.save()
        self.columns.all().delete()
        FormatColumn.objects.bulk_create(
            FormatColumn.from_spec(self, order, column) for order, column in enumerate(spec.columns or (), 1)
        )
