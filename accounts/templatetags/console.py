"""Filters of the admin's own pages."""

from __future__ import annotations

from django import template

from accounts.counting import counted
from accounts.wrapping import wrapping

register = template.Library()
register.filter("counted", counted)
register.filter("wrapping", wrapping)


@register.filter
def grouped(number: int) -> str:
    """A count as texts have it: 12,061."""
    return f"{number:,}"
