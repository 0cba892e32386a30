"""Times as programs read them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_utc(moment: datetime) -> str:
    """`2026-01-31T08:00:00Z`: in UTC, whatever the site's time zone is."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
