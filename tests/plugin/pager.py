"""A channel: who is on duty is paged about whatever needs somebody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from imports.errors import TryAgainLater
from imports.messages.channels import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.messages.channels import Event
    from imports.models import Message


class PagerChannel(Channel):
    kind = "pager"
    label = "pager"

    def write(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        if event.name in ("run.held", "run.rejected", "run.failed"):
            yield event.what, {"text": f"{event.name} in {event.account}"}

    def deliver(self, message: Message) -> None:
        try:
            with _find_pager().open("a") as pager:
                pager.write(f"{message.payload['text']}\n")
        except OSError as error:
            raise TryAgainLater(f"The pager cannot be reached: {error.strerror}.") from None


def _find_pager() -> Path:
    return Path(getattr(settings, "PAGER_FILE", ""))
