"""What changed while a form was open: beside what it was opened with and what was entered, and both put together.

What a person did not touch takes the value that stands now; what they touched stays as they entered it. So a form that
is sent again after that writes their changes on top of what stands, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.forms import CheckboxInput, ChoiceField, Field, ModelChoiceField, ModelMultipleChoiceField, MultiWidget
from django.forms.models import ModelChoiceIterator

from accounts.admin.shown import Rows, Shown, Values, plain
from accounts.fields import SecretFormField

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.forms import BaseForm, Widget
    from django.http import QueryDict

UNTOUCHED = "not touched"
BLANK = "blank"
Author = Callable[[str, int | None, str], str]
"""By prefix ("" of the record itself), row and field: who made the change, as far as anything knows."""


@dataclass(frozen=True)
class Difference:
    """One value, or one row as a whole, that is no longer what the form was opened with."""

    where: str
    label: str
    opened: str
    now: str
    entered: str
    by: str = ""


@dataclass
class Part:
    """The record itself (prefix ""), or the rows of one inline: a form to ask about fields, titles of rows by id."""

    prefix: str
    name: str
    form: BaseForm
    titles: Mapping[int, str]
    takes_added: bool = True
    """Whether rows that were added meanwhile are shown with the others; of those in pages, each has its own page."""


class Meanwhile:
    """Compares, and changes the posted data into what is to be shown."""

    def __init__(self, shown: Shown, now: Shown, data: QueryDict, author: Author) -> None:
        self.shown, self.now, self.data, self.author = shown, now, data, author
        self.differences: list[Difference] = []

    def compare(self, parts: list[Part]) -> None:
        for name, value in self.now.seen.items():
            if value != (opened := self.shown.seen.get(name, value)):
                by = self.author("", None, name)
                self._add("", name.replace("_", " "), str(opened or BLANK), str(value or BLANK), "", by)
        for part in parts:
            if not part.prefix:
                self._compare_values(part, "", None, self.shown.fields, self.now.fields)
            elif part.prefix in self.shown.rows:
                self._compare_rows(part, self.shown.rows[part.prefix], self.now.rows[part.prefix])

    def _add(self, *values: str) -> None:
        self.differences.append(Difference(*values))

    def _compare_values(self, part: Part, prefix: str, row: int | None, opened: Values, now: Values) -> None:
        where = f"{part.name} {part.titles.get(row, '')}".strip() if row is not None else ""
        deleted = bool(prefix) and bool(self.data.get(f"{prefix}-DELETE"))
        for name, value in now.items():
            if name not in opened or opened[name] == value:
                continue
            field, key = part.form.fields[name], f"{prefix}-{name}" if prefix else name
            entered = field.widget.value_from_datadict(self.data, {}, key)
            touched = field.has_changed(opened[name], entered)
            if touched and not deleted and not field.has_changed(value, entered):
                continue  # both want the same
            if not touched:
                put(self.data, field.widget, key, field.prepare_value(value))
            self._add(
                where,
                str(field.label or name),
                describe(field, opened[name]),
                describe(field, value) if not isinstance(field, SecretFormField) or not value else "another one",
                "deleted" if deleted else describe_entered(field, entered) if touched else UNTOUCHED,
                self.author(part.prefix, row, name),
            )

    def _compare_rows(self, part: Part, opened: Rows, now: Rows) -> None:
        numbers = self._numbers(part.prefix)
        gone: dict[int, bool] = {}
        for pk, values in opened.values.items():
            number = numbers.get(pk)
            if number is None:
                continue
            if pk in now.values:
                self._compare_values(part, f"{part.prefix}-{number}", pk, values, now.values[pk])
            else:
                gone[number] = self._is_touched(part, number, values)
                entered = "in the form as a new row" if gone[number] else UNTOUCHED
                where = f"{part.name} {_title(part, values)}".strip()
                self._add(where, "", "there", "deleted", entered, self.author(part.prefix, pk, ""))
        added = [pk for pk in now.values if pk > opened.highest and pk not in opened.values]
        for pk in added:
            where = f"{part.name} {part.titles.get(pk, '')}".strip()
            self._add(where, "", "not there", "added", "", self.author(part.prefix, pk, ""))
        if gone or (added and part.takes_added):
            new = {pk: now.values[pk] for pk in added} if part.takes_added else {}
            self._rebuild(part, gone, new)

    def _numbers(self, prefix: str) -> dict[int, int]:
        """The posted rows by the id of what they are of."""
        numbers = {}
        for number in range(_count(self.data, f"{prefix}-INITIAL_FORMS")):
            pk = self.data.get(f"{prefix}-{number}-id") or ""
            if pk.isdecimal():
                numbers[int(pk)] = number
        return numbers

    def _is_touched(self, part: Part, number: int, opened: Values) -> bool:
        prefix = f"{part.prefix}-{number}"
        if self.data.get(f"{prefix}-DELETE"):
            return False
        for name, value in opened.items():
            field = part.form.fields[name]
            entered = field.widget.value_from_datadict(self.data, {}, f"{prefix}-{name}")
            if field.has_changed(value, entered):
                return True
        return False

    def _rebuild(self, part: Part, gone: dict[int, bool], added: dict[int, Values]) -> None:
        """Write the rows of an inline anew: those that are gone leave their place, or become new ones."""
        prefix, data = part.prefix, self.data
        initial, total = _count(data, f"{prefix}-INITIAL_FORMS"), _count(data, f"{prefix}-TOTAL_FORMS")
        rows = [self._take_row(f"{prefix}-{number}-") for number in range(total)]
        stored = [rows[number] for number in range(initial) if number not in gone]
        again = [{**rows[number], "id": [""]} for number, touched in gone.items() if touched]
        place = 0
        for row in stored:
            place = self._put_row(prefix, place, row)
        for pk, values in added.items():
            for name, value in values.items():
                field = part.form.fields[name]
                put(data, field.widget, f"{prefix}-{place}-{name}", field.prepare_value(value))
            place = self._put_row(prefix, place, {"id": [str(pk)]})
        data[f"{prefix}-INITIAL_FORMS"] = str(place)
        for row in [*again, *rows[initial:]]:
            place = self._put_row(prefix, place, row)
        data[f"{prefix}-TOTAL_FORMS"] = str(place)

    def _take_row(self, start: str) -> dict[str, list[str]]:
        return {key.removeprefix(start): self.data.pop(key) for key in list(self.data) if key.startswith(start)}

    def _put_row(self, prefix: str, place: int, row: dict[str, list[str]]) -> int:
        for name, values in row.items():
            self.data.setlist(f"{prefix}-{place}-{name}", values)
        return place + 1


def _count(data: QueryDict, name: str) -> int:
    """How many rows were posted; no more than Django itself takes."""
    text = data.get(name) or ""
    return min(int(text), 2000) if text.isdecimal() and len(text) < 10 else 0


def _title(part: Part, values: Values) -> str:
    """What a row that is gone was called: the first things that it said, and not what was ticked."""
    said = (describe(part.form.fields[name], value) for name, value in values.items() if not isinstance(value, bool))
    return " ".join([text for text in said if text != BLANK][:2])


def describe(field: Field, value: Any) -> str:
    """A plain value as people read it."""
    if isinstance(field, SecretFormField):
        return "set" if value else "not set"
    if value in (None, "", [], {}):
        return BLANK
    if isinstance(field, ModelMultipleChoiceField) and field.queryset is not None:
        return ", ".join(str(entry) for entry in field.queryset.filter(pk__in=value))
    if isinstance(field, ModelChoiceField) and field.queryset is not None:
        return str(field.queryset.filter(pk=value).first() or "an entry that is gone")
    if isinstance(field, ChoiceField) and not isinstance(field.choices, ModelChoiceIterator):
        return dict(_flat(field.choices)).get(str(value), str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(field.prepare_value(value))


def describe_entered(field: Field, entered: Any) -> str:
    """What somebody entered, understood or as it is."""
    if isinstance(field, SecretFormField):
        return "another one"
    try:
        return describe(field, plain(field.to_python(entered)))
    except ValidationError:
        return str(entered)


def _flat(choices: Any) -> Iterator[tuple[str, str]]:
    for value, label in chain(choices):
        yield str(value), str(label)


def put(data: QueryDict, widget: Widget, name: str, value: Any) -> None:
    """Write a value into posted data as the widget would have sent it."""
    if isinstance(widget, MultiWidget):
        names: list[str] = widget.widgets_names  # type: ignore[attr-defined]  # the stubs leave it out
        for suffix, inner, part in zip(names, widget.widgets, widget.decompress(value) or [], strict=False):
            put(data, inner, f"{name}{suffix}", part)
    elif isinstance(widget, CheckboxInput):
        if widget.check_test(value):
            data[name] = "on"
        else:
            data.pop(name, None)
    else:
        text = widget.format_value(value)
        data.setlist(name, [str(item) for item in text] if isinstance(text, list | tuple) else [str(text or "")])
