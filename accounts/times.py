"""Times that mean the same to everybody."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_utc(moment: datetime) -> str:
    """`2026-01-31T08:00:00Z`: in UTC, whatever the site's time zone is."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def say_utc(moment: datetime) -> str:
    """`2026-01-31 08:00 UTC`: for people, whoever they are."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
