"""Beside each field of a connection's page: where its value is from, what the next file does to it, and *Keep mine*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.forms import BooleanField, BoundField, ModelForm
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from connections.history.authors import RECORDS, key_of
from connections.history.keeping import KEEPABLE, ValueName, settle_kept
from connections.history.provenance import Provenance
from connections.models import Change, Connection
from connections.stored import ASSIGNMENT_MODELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from accounts.models import User

KEEP = "keep_"
"""In front of a field's name: the field of the form that says whether files leave it as it is."""


def provenance_of(request: HttpRequest, connection: Connection | None) -> Provenance | None:
    """What the parts of one page share; of a connection that is not there yet nothing is known."""
    if connection is None:
        return None
    known: dict[int, Provenance] = request.__dict__.setdefault("provenances", {})
    return known.setdefault(connection.pk, Provenance(connection))


class NotedField(BoundField):
    """A field with its note behind the input."""

    form: KeepingForm

    def as_widget(self, widget: Any = None, attrs: Any = None, only_initial: bool = False) -> SafeString:
        return super().as_widget(widget, attrs, only_initial) + self.form.note(self.name)


class KeepingForm(ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form whose fields can be kept, each by a field of its own; of a record that is new there are no notes."""

    provenance: Provenance | None = None
    bound_field_class = NotedField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = RECORDS[type(self.instance)]
        key = "" if isinstance(self.instance, Connection) or not self.instance.pk else key_of(self.instance)
        self.keepable = {f"{KEEP}{field}": ValueName(record, key, field) for field in KEEPABLE[record]}
        if self.provenance is None or not self.instance.pk:
            return
        for name, value in self.keepable.items():
            self.initial[name] = value in self.provenance.kept

    def note(self, name: str) -> SafeString:
        """What stands below the input of a field."""
        value = self.keepable.get(keep := f"{KEEP}{name}")
        if value is None or self.provenance is None or not self.instance.pk:
            return mark_safe("")
        note = f"{self[keep].auto_id}_note"
        state = " is-kept" if self.initial.get(keep) else ""
        box = self[keep].as_widget(attrs={"aria-label": str(self[keep].label), "aria-describedby": note})
        said = self.provenance.say(value)
        return format_html(
            '<div class="kept-note{}"><span id="{}">{}</span><label>{} Keep mine</label></div>', state, note, said, box
        )

    @property
    def list_notes(self) -> dict[str, SafeString]:
        """What stands above the rows of each list, by its kind."""
        return {kind: self.note(kind) for kind in ASSIGNMENT_MODELS}

    def decided(self) -> Iterator[tuple[ValueName, bool]]:
        """What the person decided about values of the record, by its key as it is now: whether they are kept."""
        key = "" if isinstance(self.instance, Connection) else key_of(self.instance)
        for name, value in self.keepable.items():
            if name in self.changed_data:
                yield value._replace(key=key), bool(self.cleaned_data[name])


def keeping_form(model: type[Model]) -> type[KeepingForm]:
    """The form of a model of which values can be kept."""
    fields: dict[str, Any] = {}
    for name in KEEPABLE[RECORDS[model]]:
        fields[f"{KEEP}{name}"] = BooleanField(required=False, label=f"Keep mine: {name.replace('_', ' ')}")
    return type(f"{model.__name__}KeepingForm", (KeepingForm,), fields)


def settle_forms(form: ModelForm[Connection], formsets: Iterable[Any], user: User) -> None:
    """Keep and let go what the person decided on the page, once its records are saved."""
    rows = [row for formset in formsets for row in formset.forms if row not in formset.deleted_forms]
    decided = [
        decision
        for one in (form, *rows)
        if isinstance(one, KeepingForm) and one.instance.pk
        for decision in one.decided()
    ]
    keep, let_go = ([name for name, is_kept in decided if is_kept is wanted] for wanted in (True, False))
    settle_kept(form.instance, keep, let_go, user)


def split_decision(field: str) -> tuple[str, tuple[str, ...]]:
    """The field that a form's field is about, and which changes tell of it."""
    is_decision = field.startswith(KEEP)
    return field.removeprefix(KEEP), Change.DECISIONS if is_decision else Change.WRITES
