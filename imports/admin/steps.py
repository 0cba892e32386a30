"""Pages that say what a step means and take it once it is confirmed, and links and pages around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts.users import user_of
from imports.errors import SettingsWrong, TryAgainLater

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model
    from django.forms import Form
    from django.http import HttpRequest

    from accounts.admin.owned import AccountOwnedAdmin as Base
else:
    Base = object


class Named:
    """An object as breadcrumbs take it, under a name of its own."""

    def __init__(self, obj: Model, name: str = "") -> None:
        self._meta, self.pk, self.name = obj._meta, obj.pk, name or str(obj)

    def __str__(self) -> str:
        return self.name


class StepPages(Base):
    """Of an admin whose objects people decide about."""

    def find_visible(self, request: HttpRequest, object_id: Any) -> Any:
        found = self.get_object(request, str(object_id))
        if found is None:
            raise Http404
        return found

    def find_editable(self, request: HttpRequest, object_id: Any) -> Any:
        """Also where the program alone changes the object, and people only decide about it."""
        found = self.find_visible(request, object_id)
        if not user_of(request).may_edit(self.account_id(found)):
            raise PermissionDenied
        return found

    def confirm(
        self,
        request: HttpRequest,
        obj: Model,
        title: str,
        text: list[str],
        take: Callable[[Form | None], str | HttpResponse],
        form: Form | None = None,
    ) -> HttpResponse:
        """The page of a step, and the step itself when it is posted.

        `take` returns what is then said on the object's page, or another page to go on with. What it raises as
        SettingsWrong or TryAgainLater is shown.
        """
        problem = ""
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                taken = take(form)
            except (SettingsWrong, TryAgainLater) as error:
                problem = str(error)
            else:
                if isinstance(taken, HttpResponse):
                    return taken
                messages.success(request, taken)
                return HttpResponseRedirect(page_of(obj))
        context = {"step": title, "button": title, "text": text, "form": form, "problem": problem}
        return self.show(request, obj, "imports/step.html", context)

    def show(self, request: HttpRequest, obj: Model, template: str, context: dict[str, Any]) -> HttpResponse:
        """A page about an object; `step` is what it says or does of it, and without one the context has a title."""
        return TemplateResponse(
            request,
            template,
            {
                "title": f"{context.get('step')} · {obj}",
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": Named(obj),
                "back": page_of(obj),
                **context,
            },
        )


def page_of(obj: Model) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link(url: str, text: object) -> str:
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)
