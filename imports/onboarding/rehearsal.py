"""Rehearsal: what a proposal makes of its sample, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """Why customers were rejected: the field, the code of the issue, how many, and the first of them in words."""

    field: str
    code: str
    customers: int
    message: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a dry run of the sample came to; `assumed` are constants that are still to be decided, as they were taken.

    `held` says why a person would have to look at the file first; "" where nobody would.
    """

    rows: int
    customers: int
    rejected: int
    rows_rejected: int
    addresses: int
    doors: int
    buyers: int
    held: str = ""
    reasons: list[Reason] = field(default_factory=list)
    assumed: dict[str, str] = field(default_factory=dict)
    shown: list[dict[str, Any]] = field(default_factory=list)
    """The first customers, as they would be stored."""
    entries: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """What the lists were given for it, by list: the fields of each entry."""

    @property
    def is_workable(self) -> bool:
        """Whether the sample can be imported whole."""
        return self.customers > 0 and not self.rejected and not self.rows_rejected and not self.held

    def describe(self) -> dict[str, Any]:
        return {
            "workable": self.is_workable,
            "rows": self.rows,
            "rows_rejected": self.rows_rejected,
            "customers": self.customers,
            "rejected": self.rejected,
            "addresses": self.addresses,
            "doors": self.doors,
            "buyers": self.buyers,
            "held": self.held or None,
            "reasons": [
                {
                    "field": reason.field or None,
                    "code": reason.code,
                    "customers": reason.customers,
                    "message": reason.message,
                    "line": reason.line,
                }
                for reason in self.reasons
            ],
            "assumed": self.assumed,
        }
