"""What people decide about a draft: the answers to its questions, and where the columns of its sample go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path

from imports.admin.steps import StepPages, page_of
from imports.asking import answer_question, do_without, find_questions
from imports.errors import SettingsWrong
from imports.mapping import describe_field, list_sections, map_columns
from imports.template import FIELDS, Target
from imports.versioning import PromotionRefused, lock_draft

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, QueryDict

    from imports.models import FormatVersion


class AnswerPages(StepPages):
    """Of the admin of versions."""

    def get_urls(self) -> list[Any]:
        pages = {"answer": self.answer_view, "mapping": self.mapping_view}
        return [
            *(
                path(
                    f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"imports_formatversion_{name}"
                )
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def answer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the answer to one question, or all suggestions, and go back to the draft."""
        version: FormatVersion = self.find_editable(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            with transaction.atomic():
                said = _take(lock_draft(version), request.POST)
        except SettingsWrong as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said)
        return HttpResponseRedirect(page_of(version))

    def mapping_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The columns of the sample, what is unsure first, each with its field in a list that can be searched."""
        version: FormatVersion = self.find_editable(request, object_id)
        context: dict[str, Any] = {
            "step": "Columns",
            "proposal": version.proposal,
            "template_fields": TEMPLATE_FIELDS,
        }
        try:
            with transaction.atomic():
                draft = lock_draft(version)
                sections = list_sections(draft)
                if request.method == "POST":
                    changed = map_columns(draft, _read_fields(request.POST))
                    said = (
                        f"{changed} column{'s' * (changed != 1)} of {version} changed."
                        if changed
                        else "Nothing changed."
                    )
                    messages.success(request, said)
                    return HttpResponseRedirect(page_of(version))
        except PromotionRefused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(page_of(version))
        except SettingsWrong as error:
            given = _read_fields(request.POST)
            sections = [
                (name, [replace(column, target=given.get(column.position, column.target)) for column in columns])
                for name, columns in sections
            ]
            context["problem"] = str(error)
        return self.show(request, version, "imports/mapping.html", context | {"sections": sections})


TEMPLATE_FIELDS = [(field.numbered(1), describe_field(Target(name))) for name, field in FIELDS.items()]
"""What a column may go to, as forms offer it."""


def _read_fields(posted: QueryDict) -> dict[int, str]:
    """By the position of the column."""
    names = {name.removeprefix("column-"): value for name, value in posted.items() if name.startswith("column-")}
    return {int(name): str(value) for name, value in names.items() if name.isdecimal() and len(name) < 6}


def _take(draft: FormatVersion, posted: QueryDict) -> str:
    name = posted.get("field", "")
    if posted.get("all"):
        suggested = [question for question in find_questions(draft) if question.is_needed and question.suggestion]
        return " ".join(answer_question(draft, question.name, value=question.suggestion) for question in suggested)
    if posted.get("without"):
        return do_without(draft, name)
    return answer_question(draft, name, value=posted.get("value", ""), column=posted.get("column", ""))
