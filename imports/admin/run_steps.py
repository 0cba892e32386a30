"""Steps of runs: what people can do about a file. Each says what it means, and is taken once it is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.shortcuts import get_object_or_404, redirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.users import user_of
from imports.admin.feed_forms import ForceForm, ReasonForm
from imports.admin.steps import StepPages, page_of
from imports.admin.workers import NO_WORKER
from imports.choosing import find_version_of
from imports.errors import SettingsWrong
from imports.health import is_at_work
from imports.pipeline.deciding import say_settled
from imports.queueing import request_release
from imports.runs.releasing import check_release, find_advice, find_newer, reject_run
from imports.versioning import map_value

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

    from imports.models import Run


class MeaningForm(forms.Form):
    """What a cell means, as the field would take it."""

    cell = forms.CharField(label="The file says", widget=UnfoldAdminTextInputWidget)
    value = forms.CharField(
        label="It means", widget=UnfoldAdminTextInputWidget, help_text="As the field takes it: FR, EUR, yes, N30 …"
    )


class RunSteps(StepPages):
    """Of the admin of runs."""

    @action(description="Release", url_path="release")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        if advice := find_advice(run) if run.awaits_decision else say_settled(run):
            return self.show(request, run, "imports/step.html", {"step": "Release", "text": [advice]})
        newer = find_newer(run)
        form = (ForceForm if newer else ReasonForm)(request.POST if request.method == "POST" else None)
        text = [
            f"{run.file_name} is held: {run.message}",
            "Releasing it tries the copy that was kept once more; the limits hold as ever."
            if run.has_failed
            else "Releasing it imports the copy that was kept, whatever the limits say.",
        ]
        if newer:
            text.append(f"A newer file went in since: {newer}. Releasing this one would bring older values back.")
        if not is_at_work():
            text.append(NO_WORKER)

        def take(form: Form | None) -> str | HttpResponse:
            asked = form.cleaned_data if form else {}
            force = bool(asked.get("force"))
            check_release(run, force=force)
            request_release(run, user_of(request), force=force, reason=asked.get("reason", ""))
            return redirect(page_of(run))

        return self.confirm(request, run, "Release", text, take, form)

    @action(description="Reject", url_path="reject")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        if not run.awaits_decision:
            return self.show(request, run, "imports/step.html", {"step": "Reject", "text": [say_settled(run)]})
        text = [f"{run.file_name} is held: {run.message}", "Rejected, nothing of it is applied; its sender is told."]

        def take(form: Form | None) -> str:
            reject_run(run, by=user_of(request).get_username(), reason=form.cleaned_data["reason"] if form else "")
            return f"Rejected {run}."

        form = ReasonForm(request.POST if request.method == "POST" else None)
        return self.confirm(request, run, "Reject", text, take, form)

    @action(description="Say what a value means", url_path="map-value")
    def map_value(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write into the draft of the run's format what a cell means that the file has."""
        run: Run = self.find_editable(request, object_id)
        issue_id = request.GET.get("issue", "")
        issue = get_object_or_404(run.issues, pk=issue_id if issue_id.isdecimal() else 0)
        form = MeaningForm(request.POST if request.method == "POST" else None, initial={"cell": issue.value})
        text = [
            f"{issue.column or issue.field}: {issue.message}",
            "It is written into the draft of the format's next version. Nothing changes before that version is tested "
            "and approved; what this run rejected can be replayed then.",
        ]

        def take(_: Form | None) -> HttpResponse:
            version = find_version_of(run)
            if version is None:
                raise SettingsWrong("The standard template has no versions. Onboard a format from the file instead.")
            if not user_of(request).may_edit(version.format.account_id):
                raise SettingsWrong(f"Only editors of {version.format.account} may change its formats.")
            places = (issue.field, issue.column)
            draft = map_value(version.format, places, form.cleaned_data["cell"], form.cleaned_data["value"])
            return redirect(page_of(draft))

        return self.confirm(request, run, "Say what a value means", text, take, form)
