"""Dating: whether a file came late, after a newer one of its feed, by the times in their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.errors import Problem
from imports.filesystems.masks import Mask
from imports.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES_BEFORE = 50
"""How many files that went in last are looked at: late ones come within days."""


def find_lateness(run: Run) -> Iterator[Problem]:
    """A warning where a newer file went in before, whose name differs by its time alone."""
    mask = Mask.parse(run.feed.mask) if run.feed else None
    dated = mask.date(run.file_name) if mask else None
    if mask is None or dated is None:
        return
    name, time = dated
    applied = Run.objects.filter(feed=run.feed, status__in=(Run.Status.SUCCEEDED, Run.Status.PARTIAL), dry_run=False)
    before = applied.exclude(pk=run.pk).order_by("-pk").values_list("file_name", flat=True)[:FILES_BEFORE]
    others = {other: found[1] for other in before if (found := mask.date(other)) and found[0] == name}
    newest = max(others, key=others.__getitem__, default="")
    if newest and others[newest] > time:
        yield Problem(
            code="late_file",
            message=(
                f"By its name the file is of {time:%Y-%m-%d %H:%M}, and {newest!r} of {others[newest]:%Y-%m-%d %H:%M} "
                "went in before: newer values may be overwritten. If so, undo this run, or send the newer file again."
            ),
            severity="warning",
        )
