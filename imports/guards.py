"""Guard: counts → go, or why a person must look first. Limits are percentages of the format's policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.errors import HeldFor, Hold

if TYPE_CHECKING:
    from imports.formats import Policies
    from imports.models import Run

FEWEST_CUSTOMERS = 10
"""Below this many, a percentage says nothing."""


def find_reason_to_hold(run: Run, policies: Policies, known: int) -> Hold | None:
    """Why the run is held; none when it may go on. `known` is how many connections the account had before."""
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
