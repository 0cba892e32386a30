"""Guard: counts → go, or why a person must look first. Limits are percentages of the format's policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.counting import counted
from connections.history import shifts
from connections.models import Change
from imports.errors import HeldFor, Hold
from imports.formats.policies import EncodedTwice, Swallowed
from imports.pipeline.framing import say_marked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connections.history.shifts import Place, Shift
    from imports.files.marks import MarkedRows
    from imports.formats.policies import Policies
    from imports.models import Run
    from imports.pipeline.comparing import NearKeys

FEWEST_CUSTOMERS = 10
"""Below this many, a percentage says nothing."""
FEWEST_NEAR_KEYS = 3
"""Fewer of them are chance."""
MOST_ENCODED_TWICE = 3
"""So many customers may have a text that looks encoded twice; more have it from the file."""
MOST_MARKS = 3
"""How many marks of rows the message of a hold names."""
MOST_SHIFTS = 3
"""How many shifted fields it names."""

_PREFIXES: dict[str, str] = {Change.Record.DOOR: "door ", Change.Record.BUYER: "buyer_"}


def find_marks_to_hold(marks: Iterable[MarkedRows], *, is_standard: bool) -> Hold | None:
    """Why a file is held whose rows seem to be marked as deleted, of which no format says what they are."""
    found = list(marks)
    if not found:
        return None
    named = " ".join(f"{say_marked(rows)} marked as deleted or inactive, it seems." for rows in found[:MOST_MARKS])
    more = f" And {len(found) - MOST_MARKS} marks more." if len(found) > MOST_MARKS else ""
    remedy = (
        "The standard template knows no such column: have the file sent without these rows, or read it with a format "
        "that leaves them out."
        if is_standard
        else "Let a version of the format say under row_marks whether they are left out, and release the file then."
    )
    return Hold(
        HeldFor.ROW_MARKS,
        f"{named}{more} {remedy} Released as things are, they are created or updated like others.",
    )


def find_shifts_to_hold(run: Run, known: int) -> Hold | None:
    """Why a run is held whose columns seem to have slipped against its customers, or against each other."""
    found = shifts.find_shifts(run.pk) if run.updated >= shifts.FEWEST else []
    if found:
        named = " ".join(_say_shift(shift) for shift in found[:MOST_SHIFTS])
        more = (
            f" And {len(found) - MOST_SHIFTS} more like these: it may be the codes." if len(found) > MOST_SHIFTS else ""
        )
        return Hold(
            HeldFor.SHIFTED,
            f"{named}{more} A column seems to be sorted, moved or exchanged without the others. Have the file sent "
            "again as the ERP writes it; release it if it puts right what an earlier file had wrong.",
        )
    return _find_moved_buyers(run) or _find_named_by_codes(run, known)


def _find_moved_buyers(run: Run) -> Hold | None:
    count, others, examples = shifts.find_moved_buyers(run.pk) if run.updated >= shifts.FEWEST else (0, 0, [])
    if count < shifts.FEWEST or 2 * count < others:
        return None
    said = ", ".join(f"{code!r} gets {email!r} of {owner!r}" for code, email, owner in examples)
    return Hold(
        HeldFor.SHIFTED,
        f"{count:,} of {others:,} customers with new buyers would get the buyer of another one: {said}. A column seems "
        "to be sorted or moved without the others. Have the file sent again as the ERP writes it; release it if these "
        "buyers are theirs.",
    )


def _find_named_by_codes(run: Run, known: int) -> Hold | None:
    count, examples = shifts.find_named_by_codes(run.pk) if known and run.created >= shifts.FEWEST else (0, [])
    if count < shifts.FEWEST or 2 * count < run.created:
        return None
    said = ", ".join(f"{code!r} is called {other!r}, the code of {name!r}" for code, other, name in examples)
    return Hold(
        HeldFor.SHIFTED,
        f"{count:,} of {run.created:,} new customers bear the code of another one as their name: {said}. The columns "
        "of codes and names seem to be exchanged. Have the file sent again as the ERP writes it, or release it if "
        "these names are right.",
    )


def _say_shift(shift: Shift) -> str:
    said = ", ".join(f"{code!r} from {before!r} to {after!r}" for code, before, after in shift.examples)
    if shift.exchanged_with:
        return (
            f"{_name(shift.place)} and {_name(shift.exchanged_with)} of {shift.customers:,} customers would change "
            f"places: {said}."
        )
    return f"{_name(shift.place)} of {shift.customers:,} customers would become what other ones had: {said}."


def _name(place: Place) -> str:
    """A field as the template calls it."""
    kind = {"S": "shipping_", "B": "billing_"}.get(place.kind, "")
    return f"{kind or _PREFIXES.get(place.record, '')}{place.field}"


def find_reason_to_hold(
    run: Run, policies: Policies, known: int, near: NearKeys, hidden_rows: int = 0, encoded_twice: int = 0
) -> Hold | None:
    """Why the run is held; none when it may go on.

    `known` is how many connections the account had before, `hidden_rows` how many lines within cells look like rows,
    and `encoded_twice` how many customers would get a text that looks so.
    """
    if hidden_rows and policies.swallowed_lines is Swallowed.HOLD:
        lines = counted(hidden_rows, "line that looks like a row stands,lines that look like rows stand")
        return Hold(
            HeldFor.SWALLOWED_LINES,
            f"{lines} within quoted cells: a quote is missing or too many. The issues name the rows; "
            "release the file if these cells are right.",
        )
    if encoded_twice > MOST_ENCODED_TWICE and policies.encoded_twice is EncodedTwice.HOLD:
        return Hold(
            HeldFor.ENCODED_TWICE,
            f"The texts of {encoded_twice:,} customers look as if they had been encoded twice (CafÃ© for Café); the "
            "issues name them. The sender must encode the file once, or the format names another encoding than the "
            "file has; release the file if these texts are right.",
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
            f"{run.rejected:,} of {counted(run.customers, 'customer')} have errors, more than the format's limit of "
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
