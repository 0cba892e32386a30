"""Pruning in tests: time passes, and what was kept long enough goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.pruning import list_prunables, prune
from imports.models import Run

if TYPE_CHECKING:
    from accounts.pruning import Pruned


def prune_all(*names: str) -> Pruned:
    return prune(list_prunables(names))


def grow_old(*runs: Run, days: int) -> None:
    """The runs are as they were so many days ago."""
    long_ago = timezone.now() - timedelta(days=days)
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(started_at=long_ago)
