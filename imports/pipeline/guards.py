"""Guard: counts → go, or why a person must look first. Limits are percentages of the format's policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.errors import HeldFor, Hold
from imports.formats.policies import Swallowed

if TYPE_CHECKING:
    from imports.formats.policies import Policies
    from imports.models import Run
    from imports.pipeline.comparing import NearKeys

FEWEST_CUSTOMERS = 10
"""Below this many, a percentage says nothing."""
FEWEST_NEAR_KEYS = 3
"""Fewer of them are chance."""


def find_reason_to_hold(run: Run, policies: Policies, known: int, hidden_rows: int, near: NearKeys) -> Hold | None:
    """Why the run is held; none when it may go on.

    `known` is how many connections the account had before, `hidden_rows` how many lines within cells look like rows.
    """
    if hidden_rows and policies.swallowed_lines is Swallowed.HOLD:
        lines = "line that looks like a row stands" if hidden_rows == 1 else "lines that look like rows stand"
        return Hold(
            HeldFor.SWALLOWED_LINES,
            f"{hidden_rows:,} {lines} within quoted cells: a quote is missing or too many. The issues name the rows; "
            "release the file if these cells are right.",
        )
    limit = policies.max_near_key_percent
    if limit is not None and near.count >= FEWEST_NEAR_KEYS and near.count * 100 > limit * near.new:
        return Hold(
            HeldFor.NEAR_KEYS,
            f"{near.count:,} of {near.new:,} new customer codes look like others, more than the format's limit of "
            f"{limit:g} %: {near.examples}. A spreadsheet may have changed them. Have the file sent again with the "
            "codes as the account has them, or release it if these are new customers.",
        )
    if _exceeds(run.rejected, run.customers, policies.max_error_percent):
        return Hold(
            HeldFor.LIMITS,
            f"{run.rejected} of {run.customers} customers have errors, more than the format's limit of "
            f"{policies.max_error_percent:g} %.",
        )
    if _exceeds(run.updated, known, policies.max_change_percent):
        return Hold(
            HeldFor.LIMITS,
            f"{run.updated} of {known} known customers would change, more than the format's limit of "
            f"{policies.max_change_percent:g} %.",
        )
    return None


def _exceeds(part: int, whole: int, limit: float | None) -> bool:
    return limit is not None and whole >= FEWEST_CUSTOMERS and part * 100 > limit * whole
