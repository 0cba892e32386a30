"""Ways back, on the page of a run: what it rejected is imported again, and what it changed is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from unfold.decorators import action

from accounts.users import user_of
from imports.admin.entries import describe_replays, find_named, form_of_entry
from imports.admin.feed_forms import DryRunForm, ReasonForm
from imports.admin.steps import StepPages, link, page_of
from imports.admin.workers import NO_WORKER
from imports.health import is_at_work
from imports.runs.awaiting import add_and_replay
from imports.runs.replaying import may_be_replayed, queue_replay
from imports.runs.undoing import find_problem, queue_undo

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

    from imports.models import Run


def ways_back(run: Run) -> set[str]:
    """What makes sense, as far as the run itself tells."""
    has_changed = bool(run.created or run.updated or run.deleted)
    possible = {"replay": may_be_replayed(run) and run.file_size > 0, "undo": has_changed and not find_problem(run)}
    return {name for name, is_possible in possible.items() if is_possible}


def _say_changed(run: Run) -> str:
    """Its customers, counted."""
    counts = {"created": run.created, "updated": run.updated, "deleted": run.deleted}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


class WayBackPages(StepPages):
    """Of the admin of runs. What is queued is gone on with on the page of its run."""

    @action(description="Replay", url_path="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        text = [
            "What this run rejected is imported again from the copy of its file, with the lists and the format as they "
            "are now. Customers that came again since are left as they are, and named.",
        ]
        if not is_at_work():
            text.append(NO_WORKER)

        def take(form: Form | None) -> str | HttpResponse:
            queued = queue_replay(run, user_of(request), reason=form.cleaned_data["reason"] if form else "")
            return redirect(page_of(queued))

        form = ReasonForm(request.POST if request.method == "POST" else None)
        return self.confirm(request, run, "Replay", text, take, form)

    @action(description="Add and replay", url_path="add-entry")
    def add_entry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add what customers wait for to its list, and import them again."""
        run: Run = self.find_editable(request, object_id)
        awaited = find_named(run, request.GET.get("list", ""), request.GET.get("value", ""))
        if awaited is None:
            text = ["No customer waits for that any more."]
            return self.show(request, run, "imports/step.html", {"step": "Add and replay", "text": text})
        others = tuple(pk for pk in awaited.runs if pk != run.pk)
        awaited = awaited if may_be_replayed(run) else awaited._replace(runs=others)
        form = form_of_entry(run.account, awaited, request.POST if request.method == "POST" else None)
        text = [f"{awaited} in {run.account}.", *describe_replays(run, awaited, form)]
        if awaited.runs and not is_at_work():
            text.append(NO_WORKER)

        def take(_: Form | None) -> str | HttpResponse:
            queued = add_and_replay(run.account, form and form.instance, awaited.runs, user_of(request))
            if len(queued) == 1 and run.pk in awaited.runs:
                return redirect(page_of(queued[0]))
            said = format_html("{} is in the list.", awaited.value)
            links = format_html_join(", ", "{}", [(link(page_of(replay), replay),) for replay in queued])
            return format_html("{} Queued as {}.", said, links) if queued else said

        if not (form or awaited.runs):
            return self.show(request, run, "imports/step.html", {"step": "Add", "text": text})
        title = "Add" if not awaited.runs else "Add and replay" if form else "Replay"
        return self.confirm(request, run, title, text, take, form)

    @action(description="Undo", url_path="undo")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        text = [
            f"What {run} changed is taken back: {_say_changed(run)}. Values become what they were, and what it made is "
            "deleted. What was changed again since, by whomever, is left as it is, and named.",
            "The undo is a run of its own, which can be undone.",
        ]
        if not is_at_work():
            text.append(NO_WORKER)
        form = DryRunForm(request.POST if request.method == "POST" else None)

        def take(form: Form | None) -> str | HttpResponse:
            queued = queue_undo(run, user_of(request), **(form.cleaned_data if form else {}))
            return redirect(page_of(queued))

        return self.confirm(request, run, "Undo", text, take, form)
