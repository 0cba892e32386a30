"""Answers: what a draft's questions are decided by, posted from the draft's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path

from imports.admin.steps import StepPages, page_of
from imports.asking import answer_question, do_without, find_questions
from imports.errors import SettingsWrong
from imports.versioning import lock_draft

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, QueryDict

    from imports.models import FormatVersion


class AnswerPages(StepPages):
    """Of the admin of versions."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.answer_view)
        return [path("<path:object_id>/answer/", view, name="imports_formatversion_answer"), *super().get_urls()]

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


def _take(draft: FormatVersion, posted: QueryDict) -> str:
    name = posted.get("field", "")
    if posted.get("all"):
        suggested = [question for question in find_questions(draft) if question.is_needed and question.suggestion]
        return " ".join(
            answer_question(draft, str(question.target), value=question.suggestion) for question in suggested
        )
    if posted.get("without"):
        return do_without(draft, name)
    return answer_question(draft, name, value=posted.get("value", ""), column=posted.get("column", ""))
