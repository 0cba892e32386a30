"""Rows of a record's page: a row that was sent is found by its id, and not by the page on which it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unfold.forms import PaginationInlineFormSet

if TYPE_CHECKING:
    from django.forms import BaseForm


class RowsAsPosted(PaginationInlineFormSet):
    """Finds the rows that were sent by their ids, on whichever page they stand by now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            return
        names = (f"{self.add_prefix(number)}-id" for number in range(min(self.initial_form_count(), 2000)))
        sent = [pk for name in names if (pk := self.data.get(name) or "").isdecimal() and len(pk) < 19]
        self._queryset = self.queryset.filter(pk__in=sent)

    def get_page(self, paginator: Any, page: Any) -> Any:
        """Rows that all stand on one page are not counted before they are read."""
        if self.is_bound:
            return super().get_page(paginator, page)
        rows = list(paginator.object_list[: paginator.per_page + 1])
        if len(rows) > paginator.per_page:
            return super().get_page(paginator, page)
        paginator.object_list, paginator.count = rows, len(rows)
        return super().get_page(paginator, page)

    def add_fields(self, form: BaseForm, index: int | None) -> None:
        """Each field says what it is: in a table only the column's head does."""
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget: Any = getattr(field.widget, "widget", field.widget)  # of one with links around it
            widget.attrs.setdefault("aria-label", field.label or name.replace("_", " "))
