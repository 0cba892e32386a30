"""What a feed's mask takes, shown while it is typed: of the files that are known of its folder, and of names to try."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextInputWidget

from imports.admin.steps import StepPages
from imports.filesystems.masks import Mask, MaskError
from imports.models import Feed
from imports.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest, HttpResponse

MOST_NAMES = 200
"""How many names a mask is tried with, however many files lie in the folder."""
SHOWN = 12
LISTING = "feed_listing"
"""Where the session keeps what the last check has listed: the feed and the names."""


class MaskWidget(UnfoldAdminTextInputWidget):
    """A mask, with what it takes below it; `feed` is none for a new one."""

    def __init__(self, feed: int | None = None) -> None:
        name, given = ("masks", [feed]) if feed else ("new_masks", [])
        super().__init__(
            attrs={
                "hx-get": reverse(f"admin:imports_feed_{name}", args=given),
                "hx-trigger": "load, input changed delay:300ms, input delay:300ms from:#mask-tried",
                "hx-include": "#mask-tried",
                "hx-target": "#mask-names",
                "hx-swap": "outerHTML",
                "autocomplete": "off",
            }
        )

    def render(self, *args: Any, **kwargs: Any) -> Any:
        tried = render_to_string("imports/mask_tried.html")
        return format_html("{}{}", super().render(*args, **kwargs), tried)


class MaskForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The mask alone, where its folder is seen."""

    class Meta:
        model = Feed
        fields = ["mask"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mask"].widget = MaskWidget(self.instance.pk)

    def _post_clean(self) -> None:
        """Of the feed nothing else is judged here."""

    def clean_mask(self) -> str:
        mask = str(self.cleaned_data["mask"])
        try:
            Mask.parse(mask)
        except MaskError as error:
            raise ValidationError(str(error)) from None
        self.instance.mask = mask
        return mask


class MaskPages(StepPages):
    """Of the admin of feeds."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.masks_view)
        return [
            path("masks/", view, name="imports_feed_new_masks"),
            path("<int:object_id>/masks/", view, name="imports_feed_masks"),
            *super().get_urls(),
        ]

    def masks_view(self, request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        """What the mask takes of the names that are typed, else of those that are known of the feed's folder."""
        if object_id is None and not self.has_add_permission(request):
            raise PermissionDenied
        feed: Feed | None = self.find_editable(request, object_id) if object_id is not None else None
        tried = [name for name in re.split(r"[,;\n]", request.GET.get("tried", "")) if name.strip()]
        names = [name.strip() for name in tried] or (find_names(request, feed) if feed else [])
        context = judge_names(request.GET.get("mask", "").strip(), names[:MOST_NAMES])
        return TemplateResponse(request, "imports/mask_names.html", context)


def remember_listing(request: HttpRequest, feed: Feed, names: Iterable[str]) -> None:
    """Keep what a check has found, for whoever changes the mask next."""
    request.session[LISTING] = [feed.pk, [one_line(name) for name in names][:MOST_NAMES]]


def find_names(request: HttpRequest, feed: Feed) -> list[str]:
    """Files of the feed's folder: what the last check listed, else what its pulls left and took last."""
    pk, names = request.session.get(LISTING, [None, []])
    if pk == feed.pk:
        return list(names)
    taken = feed.runs.order_by("-pk").values_list("file_name", flat=True)[:MOST_NAMES]
    return sorted({*(feed.omitted or {}), *taken})[:MOST_NAMES]


def judge_names(text: str, names: list[str]) -> dict[str, Any]:
    """The names with why they are not taken, those that are taken in front."""
    try:
        mask = Mask.parse(text)
    except MaskError as error:
        return {"problem": str(error)}
    judged = sorted(((mask.explain(name), name) for name in names), key=lambda one: bool(one[0]))
    return {
        "mask": mask.text,
        "taken": sum(not reason for reason, _ in judged),
        "count": len(judged),
        "judged": judged[:SHOWN],
        "more": len(judged[SHOWN:]),
    }
