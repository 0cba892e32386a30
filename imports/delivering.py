"""Stand-in until the real module is written here; overwrite it."""

from __future__ import annotations


def deliver_due(most: int = 100) -> int:
    return 0


def make_webhook_secret() -> str:
    return "whsec_x"


def check_webhook_url(url: str) -> None: ...
