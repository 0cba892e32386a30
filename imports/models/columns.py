"""Columns of a format's version: where in the file a template field comes from, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from imports.formats import spec
from imports.formats.policies import FormatError
from imports.formats.spec import Column
from imports.template import find_target

if TYPE_CHECKING:
    from imports.models.formats import FormatVersion


class FormatColumn(models.Model):
    """A column of the file, or a constant, and the template field it goes to."""

    class Blank(models.TextChoices):
        KEEP = spec.Blank.KEEP.value, "keeps the value"
        CLEAR = spec.Blank.CLEAR.value, "clears the value"

    class Ownership(models.TextChoices):
        ALWAYS = spec.Ownership.ALWAYS.value, "the file always wins"
        IF_BLANK = spec.Ownership.IF_BLANK.value, "the file only fills what is blank"
        NEVER = spec.Ownership.NEVER.value, "the file never writes"

    class BadValue(models.TextChoices):
        REJECT = spec.BadValue.REJECT.value, "reject the customer"
        LEAVE_OUT = spec.BadValue.LEAVE_OUT.value, "leave the field as it is, with a warning"

    version = models.ForeignKey("imports.FormatVersion", on_delete=models.CASCADE, related_name="columns")
    order = models.PositiveIntegerField()
    source = models.CharField(
        max_length=500, blank=True, help_text="The column's header, or a template of headers: {First Name} {Last Name}."
    )
    position = models.PositiveIntegerField(null=True, blank=True, help_text="The column's place, counted from 1.")
    constant = models.CharField(max_length=255, blank=True, help_text="The same value for every row.")
    target = models.CharField(max_length=60, help_text="The template field, with its number.")
    value_map = models.JSONField(
        default=dict, blank=True, help_text="What cells become, by their trimmed text in any case: {Germany: DE}."
    )
    default = models.CharField(max_length=255, blank=True, help_text="What a blank cell becomes.")
    blank = models.CharField(
        max_length=5,
        choices=Blank,
        default=Blank.KEEP,
        help_text="What a blank cell does to the stored value.",
    )
    ownership = models.CharField(
        max_length=8, choices=Ownership, default=Ownership.ALWAYS, help_text="Whether the file or what is stored wins."
    )

    bad_value = models.CharField(
        max_length=9,
        choices=BadValue,
        default=BadValue.REJECT,
        db_default=BadValue.REJECT.value,
        help_text="What a cell costs whose value the field cannot have.",
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
        for text in (self.source, self.constant, self.default, *self.value_map, *self.value_map.values()):
            if wrong := spec.NO_CHARACTER.search(str(text)):
                raise ValidationError(f"{text!r} holds {wrong[0]!r}, which is no character of a text.")
        try:
            spec.check_value_map(self.value_map)
            self.to_spec()
        except FormatError as error:
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
            raise FormatError(f"{self.target!r} is no field of the template.")
        return Column(
            target=target,
            source=self.position if self.position is not None else self.source or None,
            constant=self.constant or None,
            value_map=dict(self.value_map),
            default=self.default,
            blank=spec.Blank(self.blank),
            ownership=spec.Ownership(self.ownership),
            bad_value=spec.BadValue(self.bad_value),
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
            bad_value=column.bad_value.value,
        )
