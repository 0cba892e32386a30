"""Issues: what was wrong in the file of a run."""

from __future__ import annotations

from django.db import models

from imports.models.runs import Run


class Issue(models.Model):
    """Something wrong with a file, a row or a cell; as information, a value that the file did not get to write."""

    class Severity(models.TextChoices):
        ERROR = "error", "error"
        WARNING = "warning", "warning"
        INFO = "info", "information"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="issues", db_index=False)
    line = models.PositiveIntegerField(null=True, help_text="The physical line of the file, counted from 1.")
    column = models.CharField(max_length=255, blank=True, help_text="The column's header, or its position from 1.")
    field = models.CharField(max_length=50, blank=True, help_text="The template field, with its number.")
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=7, choices=Severity)
    message = models.TextField()
    value = models.CharField(max_length=200, blank=True, help_text="What stood in the cell, cut after 200 characters.")
    customer_code = models.CharField(max_length=100, blank=True)
    more = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many more of this code were found than are listed."
    )

    class Meta:
        ordering = ["run", "line", "id"]
        indexes = [
            models.Index(fields=["run", "line", "id"], name="issues_of_a_run_by_line"),
            models.Index(
                fields=["customer_code", "run"], name="issues_of_a_customer", condition=~models.Q(customer_code="")
            ),
            models.Index(fields=["run"], name="issues_that_stand_for_more", condition=models.Q(more__gt=0)),
            models.Index(  # of which there are none in a file without mistakes
                fields=["run", "line", "id"],
                name="issues_that_wait_for_entries",
                condition=models.Q(code="unknown_lookup", severity="error") & ~models.Q(customer_code=""),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message
