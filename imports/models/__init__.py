"""Formats of files and their versions; runs of files through the pipeline, and what was wrong in them."""

from imports.models.formats import Format, FormatColumn, FormatVersion
from imports.models.runs import Issue, Run

__all__ = ["Format", "FormatColumn", "FormatVersion", "Issue", "Run"]
