from __future__ import annotations

from typing import TYPE_CHECKING

from tests.plugin.models import Heard

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_problems() -> Iterator[str]:
    if Heard.objects.filter(status="failed").exists():
        yield "The plug-in heard of a run that failed: look at the runs."
