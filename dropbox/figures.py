"""Figures for Prometheus: who is at the drop box, and what lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Sum

from accounts.figures import gauge, gauges
from dropbox.models import Session, StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric


def find() -> Iterator[Metric]:
    alive = dict.fromkeys(Session.Protocol.values, 0)
    alive |= dict(Session.objects.alive().order_by().values_list("protocol").annotate(Count("pk")))
    yield gauges("dropbox_sessions", "Sessions on drop boxes.", "protocol", sorted(alive.items()))
    lie = StoredFile.objects.whole().filter(folder=StoredFile.Folder.IN).aggregate(count=Count("pk"), total=Sum("size"))
    yield gauge("dropbox_files", "Uploaded files that are not imported yet.", lie["count"])
    yield gauge("dropbox_bytes", "Their bytes.", lie["total"] or 0)
