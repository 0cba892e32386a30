"""Forms of the admin that lose nothing: no old value is written back, and no form fails without saying why."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, models
from django.http import HttpResponseRedirect

from accounts.admin.leading import LeadingAdmin
from accounts.admin.lists import CarefulList
from accounts.admin.meanwhile import Meanwhile, Part
from accounts.admin.shown import SHOWN, Rows, Shown, values_of
from accounts.users import user_of
from accounts.waiting import Busy, done_again, explain, some_patience
from accounts.zones import short_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from django.forms import BaseForm, ModelForm
    from django.http import HttpRequest, HttpResponse
    from unfold.admin import ModelAdmin as Base
else:
    Base = object

logger = logging.getLogger(__name__)

CHANGED = (
    "It was changed while this page was open, so nothing was saved. See below what differs. What you did not touch now "
    "shows what stands; what you entered is kept. Save to put yours on top of it, or take what stands."
)
UNKNOWN = (
    "Nothing was saved: the page did not say what it had been opened with. Look it through and save it again; what you "
    "entered is kept."
)
DIFFERENCES_SHOWN = 100


class Refused:
    """Of a form: what it was sent with is kept, and nothing is saved."""

    refusal = ""

    def full_clean(self) -> None:
        super().full_clean()  # type: ignore[misc]  # of the form that this is mixed into
        self.add_error(None, self.refusal)  # type: ignore[attr-defined]  # as above


class CarefulAdmin(LeadingAdmin, CarefulList, Base):
    """Compares what a form showed with what stands when it comes back, under the record's lock.

    Where they differ, nothing is saved: the person is shown both, and the form again with their changes in it.
    """

    seen_fields: tuple[str, ...] = ()
    """Of the record: fields that the page only shows, but that people decide by."""

    def lock(self, obj: models.Model) -> None:
        """Keep everybody else from changing the record and its rows until the end of the transaction."""
        list(
            type(obj)._default_manager.filter(pk=obj.pk).select_for_update(no_key=True, of=("self",)).values_list("pk")
        )

    def author_of(
        self,
        obj: models.Model,
        since: datetime,
        inline: type[models.Model] | None,
        row: models.Model | None,
        field: str,
    ) -> str:
        """Who changed a value after that moment, as far as anything knows."""
        entries = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(obj), object_id=str(obj.pk), action_time__gte=since
        )
        entry = entries.select_related("user").order_by("-action_time").first()
        return f"{entry.user}, {short_time(entry.action_time)}" if entry else ""

    # -- what stands

    def _scope(self, request: HttpRequest, obj: models.Model) -> str:
        return f"{obj._meta.label_lower}:{obj.pk}:{user_of(request).pk}"

    def _form_of(self, request: HttpRequest, obj: models.Model) -> BaseForm:
        fields = flatten_fieldsets(self.get_fieldsets(request, obj))
        form: BaseForm = self.get_form(request, obj, change=True, fields=fields)(instance=obj)
        return form

    def _seen(self, obj: models.Model) -> dict[str, str]:
        return {name: _display_of(obj, name) for name in self.seen_fields}

    def _inlines(self, request: HttpRequest, obj: models.Model) -> Iterator[tuple[Any, Any, str]]:
        """The inlines whose rows this person may change: formset, inline, prefix."""
        for formset, inline in self.get_formsets_with_inlines(request, obj):
            if _edited(formset) and inline.has_change_permission(request, obj):
                yield formset, inline, formset.get_default_prefix()

    def _stands(self, request: HttpRequest, obj: models.Model, shown: Shown | None) -> tuple[Shown, list[Part], Any]:
        """What stands now of what was shown (of everything, where that is unknown), and forms to ask about it."""
        form = self._form_of(request, obj)
        now = Shown(values_of(form, form.fields), self._seen(obj))
        parts = [Part("", "", form, {})]
        found: dict[tuple[str, int | None], tuple[type[models.Model], models.Model | None]] = {}
        for formset, inline, prefix in self._inlines(request, obj):
            rows = formset.model._default_manager.filter(**{formset.fk.name: obj}).order_by("pk")
            known = shown.rows.get(prefix) if shown else None
            if known:
                rows = rows.filter(models.Q(pk__in=known.values) | models.Q(pk__gt=known.highest))
            instances = {row.pk: row for row in rows}
            names = _edited(formset)
            now.rows[prefix] = Rows(
                {pk: values_of(formset.form(instance=row), names) for pk, row in instances.items()},
                max([*instances, known.highest if known else 0]),
            )
            titles = {pk: str(row) for pk, row in instances.items()}
            name = str(inline.model._meta.verbose_name)
            parts.append(Part(prefix, name, formset.form(), titles, takes_added=not inline.per_page))
            found |= {(prefix, pk): (inline.model, row) for pk, row in instances.items()}
            found[prefix, None] = (inline.model, None)
        return now, parts, found

    # -- when a form comes back

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        save = self._save if request.FILES else done_again(self._save)
        try:
            return save(request, object_id, form_url, extra_context)
        except Busy as busy:
            _refuse(request, str(busy))
        except IntegrityError as error:
            logger.info("A form met what somebody else wrote at this moment.", exc_info=error)
            _refuse(request, explain())
        kept = {"shown": request.POST[SHOWN]} if SHOWN in request.POST else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **kept})

    def _save(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> Any:
        with self.writing(request, object_id):
            obj = self._locked(request, object_id) if object_id else None
            if obj is not None and self.has_change_permission(request, obj):
                extra_context = {**(extra_context or {}), **self._compare(request, obj)}
            return super().changeform_view(request, object_id, form_url, extra_context)

    def writing(self, request: HttpRequest, object_id: str | None) -> AbstractContextManager[None]:
        """The transaction in which a form is compared and saved. Raises Busy when others hold what it needs."""
        return some_patience(list)

    def _locked(self, request: HttpRequest, object_id: str) -> models.Model | None:
        """The record as it stands once nobody else can change it."""
        obj: models.Model | None = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_change_permission(request):
            return obj
        self.lock(obj)
        obj = self.get_object(request, unquote(object_id))
        return obj

    def _compare(self, request: HttpRequest, obj: models.Model) -> dict[str, Any]:
        scope = self._scope(request, obj)
        shown = Shown.read(request.POST.get(SHOWN, ""), scope)
        now, parts, found = self._stands(request, obj, shown)
        if shown is None:
            _refuse(request, UNKNOWN)
            return {"shown": now.sign(scope)}

        def author(prefix: str, pk: int | None, name: str) -> str:
            inline, row = found.get((prefix, pk)) or found.get((prefix, None)) or (None, None)
            return self.author_of(obj, shown.at, inline, row, name)

        data = request.POST.copy()
        meanwhile = Meanwhile(shown, now, data, author)
        meanwhile.compare(parts)
        if meanwhile.differences:
            request.POST = data  # type: ignore[assignment]  # a QueryDict like the one it stands for
            _refuse(request, CHANGED)
        more = len(meanwhile.differences) - DIFFERENCES_SHOWN
        return {
            "shown": now.sign(scope),
            "differences": meanwhile.differences[:DIFFERENCES_SHOWN],
            "more": max(more, 0),
        }

    # -- when it is to be deleted

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        obj = context["object"]
        context["shown"] = self._stands(request, obj, None)[0].sign(self._scope(request, obj))
        answer: HttpResponse = super().render_delete_form(request, context)
        return answer

    @done_again
    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """What changed since the person was asked is asked about again."""
        if request.method != "POST" or SHOWN not in request.POST:
            return super().delete_view(request, object_id, *args, **kwargs)
        with some_patience(list):
            obj = self._locked(request, object_id)
            if obj is not None and self.has_delete_permission(request, obj):
                shown = Shown.read(request.POST[SHOWN], self._scope(request, obj))
                if shown is None or not shown.is_like(self._stands(request, obj, None)[0]):
                    messages.error(request, f"{obj} was changed since you were asked. Nothing was deleted.")
                    return HttpResponseRedirect(request.get_full_path())
            return super().delete_view(request, object_id, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", "")
        return type("RefusedForm", (Refused, form), {"refusal": refusal}) if refusal else form

    # -- what only a hand-written request asks for

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Nothing is found by a column whose values no address can spell."""
        name = lookup.partition("__")[0]
        columns = {field.name: field for field in self.opts.concrete_fields}
        if isinstance(columns.get(name), models.BinaryField | models.JSONField | ArrayField):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    # -- when a form is shown

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address proposes for a new record, without what cannot be meant."""
        proposed: dict[str, Any] = super().get_changeform_initial_data(request)
        relations = {field.name for field in self.opts.get_fields() if field.is_relation}
        return {name: value for name, value in proposed.items() if name not in relations or _are_ids(value)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        inlines = context["inline_admin_formsets"]
        if obj is not None and "shown" not in context and self.has_change_permission(request, obj):
            context["shown"] = self._showing(request, obj, context["adminform"].form, inlines)
        context["problems"] = list(describe_errors(context["adminform"].form, [item.formset for item in inlines]))
        answer: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return answer

    def _showing(self, request: HttpRequest, obj: models.Model, form: BaseForm, inlines: list[Any]) -> str:
        shown = Shown(values_of(form, form.fields), self._seen(obj))
        for item in inlines:
            formset = item.formset
            if not _edited(formset) or not item.opts.has_change_permission(request, obj):
                continue
            names = _edited(formset)
            values = {row.instance.pk: values_of(row, names) for row in formset.initial_forms}
            highest = max(values, default=0)
            if (pages := getattr(formset, "paginator", None)) and pages.num_pages > 1:
                highest = formset.queryset.order_by("-pk").values_list("pk", flat=True)[0]
            shown.rows[formset.prefix] = Rows(values, highest)
        return shown.sign(self._scope(request, obj))


def _are_ids(value: str | list[str]) -> bool:
    texts = value if isinstance(value, list) else [value]
    return all(text.isascii() and text.isdecimal() and len(text) < 19 for text in texts)


def _edited(formset: Any) -> list[str]:
    """The fields of an inline's rows, without the one that leads to the record."""
    return [name for name in formset.form.base_fields if name != formset.fk.name]


def _refuse(request: HttpRequest, why: str) -> None:
    """The form of this request takes nothing; only `get_form` can tell it, and it is given the request alone."""
    request.refusal = why  # type: ignore[attr-defined]  # see above


def _display_of(obj: models.Model, name: str) -> str:
    display = getattr(obj, f"get_{name}_display", None)
    return str(display() if display else getattr(obj, name) or "")


def describe_errors(form: ModelForm[Any], formsets: list[Any]) -> Iterator[tuple[str, str]]:
    """Every problem of a page's forms with where it stands, also where the field itself is not to be seen."""
    yield from _errors_of(form, "")
    for formset in formsets:
        if not formset.is_bound:
            continue
        names = formset.model._meta
        for text in formset.non_form_errors():
            yield str(names.verbose_name_plural), str(text)
        for number, row in enumerate(formset.forms, 1):
            yield from _errors_of(row, f"{names.verbose_name} {number}")


def _errors_of(form: BaseForm, place: str) -> Iterator[tuple[str, str]]:
    for name, texts in form.errors.items():
        label = str(form[name].label) if name in form.fields else ""
        for text in texts:
            yield ", ".join(filter(None, (place, label))), str(text)
