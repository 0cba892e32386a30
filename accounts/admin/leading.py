"""Where a page of the admin leads: a record whose page the person may not open is named there without a link."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.db.models import ForeignKey

from accounts.users import user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import Model
    from django.http import HttpRequest
    from unfold.admin import ModelAdmin as Base
else:
    Base = object


class LeadingAdmin(Base):
    """Django links each record that a page only shows to its page, whoever looks: people are the superuser's alone,
    and the format of a sandbox's file belongs to production.
    """

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Each field that only names what it would lead to is given by its name alone."""
        links = {field.name: name_of(field.name) for field in self._links()}
        fieldsets = [
            (title, {**options, "fields": [field for field in options["fields"] if field not in links.values()]})
            for title, options in super().get_fieldsets(request, obj)
        ]
        if obj is None or user_of(request).is_superuser:
            return fieldsets
        for _, options in fieldsets:
            options["fields"] = self._close(request, obj, options["fields"])
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(name_of(field.name) for field in self._links()))

    def _links(self) -> Iterator[ForeignKey[Any, Any]]:
        return (field for field in self.opts.concrete_fields if isinstance(field, ForeignKey))

    def _close(self, request: HttpRequest, obj: Model, fields: Iterable[Any]) -> tuple[Any, ...]:
        """The fields as they were, some of them in rows; those that lead where the person may not go, by name."""
        is_shown = not self.has_change_permission(request, obj)
        shown = self.get_readonly_fields(request, obj)
        return tuple(
            self._close(request, obj, field)
            if isinstance(field, list | tuple)
            else name_of(field)
            if (is_shown or field in shown) and self._is_closed(request, obj, field)
            else field
            for field in fields
        )

    def _is_closed(self, request: HttpRequest, obj: Model, name: Any) -> bool:
        link = next((field for field in self._links() if field.name == name), None)
        if link is None or not self.admin_site.is_registered(link.related_model):
            return False
        found = getattr(obj, link.name)
        there = self.admin_site.get_model_admin(link.related_model)
        return found is not None and not there.has_view_permission(request, found)


@cache
def name_of(field: str) -> Callable[[Model], str]:
    """What Django shows as it is: the name of the record that a field leads to, under the label of the field."""

    def show(obj: Model) -> str:
        return str(getattr(obj, field) or "-")

    show.__name__ = field
    show.short_description = field.replace("_", " ")  # type: ignore[attr-defined]  # as Django reads it
    return show
