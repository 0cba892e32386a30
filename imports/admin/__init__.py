"""Admin of formats and of runs."""

from imports.admin.formats import FormatAdmin, FormatVersionAdmin
from imports.admin.runs import IssueAdmin, RunAdmin

__all__ = ["FormatAdmin", "FormatVersionAdmin", "IssueAdmin", "RunAdmin"]
