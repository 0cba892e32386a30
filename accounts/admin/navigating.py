"""The side bar of the admin: the links of all apps, of which the one to where somebody is is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from accounts.plugins import collect

if TYPE_CHECKING:
    from django.http import HttpRequest


def show_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links as the apps bring them; "active" is said of the link that leads closest to the page.

    Unfold would mark every link whose path is within the page's, as a list's is within those of all pages below it.
    """
    groups = collect("navigation")
    closeness = {id(item): _closeness(request, item) for group in groups for item in group["items"]}
    most = max(closeness.values(), default=0)

    def mark(item: dict[str, Any]) -> dict[str, Any]:
        return {"active": 0 < most == closeness[id(item)], **item}

    return [{**group, "items": [mark(item) for item in group["items"]]} for group in groups]


def _closeness(request: HttpRequest, item: dict[str, Any]) -> int:
    """How much of the page's address the link says, or another one of a list that it leads to (`beyond`).

    Nothing where they say something else.
    """
    return max(_likeness(request, link) for link in (item.get("link", ""), *item.get("beyond", ())))


def _likeness(request: HttpRequest, link: Any) -> int:
    parts = urlsplit(str(link(request) if callable(link) else link))
    is_above = bool(parts.path) and request.path.startswith(parts.path)
    is_within = all(request.GET.get(name) == value for name, value in parse_qsl(parts.query))
    return len(parts.path) + len(parts.query) if is_above and is_within else 0
