"""Runs that belong together: replays and undos, and the runs that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join

from imports.admin.steps import link, page_of

if TYPE_CHECKING:
    from imports.models import Run


def name_related(run: Run) -> str:
    """The run that this one replays or undoes, and those that do so with this one."""
    of = [("replays", run.replays), ("undoes", run.undoes)]
    said = [format_html("{} {}", word, link(page_of(other), other)) for word, other in of if other is not None]
    by = [("replayed by", run.replayed_as.all()), ("undone by", run.undone_by.all())]
    said += [
        format_html("{} {}", word, link(page_of(other), f"{other}, {other.status}"))
        for word, others in by
        for other in others
    ]
    return format_html_join(", ", "{}", [(text,) for text in said]) if said else "no other run"
