"""Ways back, on the page of a run: what it rejected is imported again, and what it changed is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join
from unfold.decorators import action, display

from accounts.users import user_of
from imports.admin.entries import describe_replays, find_named, form_of_entry, offer
from imports.admin.feed_forms import DryRunForm
from imports.admin.feeds import NO_WORKER, warn_without_worker
from imports.admin.steps import StepPages, link, page_of
from imports.health import is_at_work
from imports.queueing import enqueue_run
from imports.runs.awaiting import add_and_replay, find_awaited
from imports.runs.replaying import may_be_replayed, queue_replay
from imports.runs.undoing import find_problem, queue_undo

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

    from imports.models import Run


def ways_back(run: Run) -> set[str]:
    """What makes sense, as far as the run itself tells."""
    possible = {"replay": may_be_replayed(run), "undo": not find_problem(run)}
    return {name for name, is_possible in possible.items() if is_possible}


class WayBackPages(StepPages):
    """Of the admin of runs."""

    @action(description="Replay", url_path="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        text = [
            "What this run rejected is imported again from the copy of its file, with the lists and the format as they "
            "are now. Customers that came again since are left as they are, and named.",
        ]
        if not is_at_work():
            text.append(NO_WORKER)

        def take(_: Form | None) -> str:
            queued = queue_replay(run, user_of(request))
            enqueue_run(queued.pk)
            warn_without_worker(request)
            return format_html("Queued as {}.", link(page_of(queued), queued))

        return self.confirm(request, run, "Replay", text, take)

    @action(description="Add and replay", url_path="add-entry")
    def add_entry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add what customers wait for to its list, and import them again."""
        run: Run = self.find_editable(request, object_id)
        awaited = find_named(run, request.GET.get("list", ""), request.GET.get("value", ""))
        if awaited is None:
            text = ["No customer waits for that any more."]
            return self.show(request, run, "imports/step.html", {"title": f"Add and replay: {run}", "text": text})
        form = form_of_entry(run.account, awaited, request.POST if request.method == "POST" else None)
        text = [f"{awaited} in {run.account}.", *describe_replays(awaited, form)]
        if not is_at_work():
            text.append(NO_WORKER)

        def take(_: Form | None) -> str:
            queued = add_and_replay(run.account, form and form.instance, awaited.runs, user_of(request))
            for replay in queued:
                enqueue_run(replay.pk)
            warn_without_worker(request)
            links = format_html_join(", ", "{}", [(link(page_of(replay), replay),) for replay in queued])
            return format_html("Queued as {}.", links)

        return self.confirm(request, run, "Add and replay" if form else "Replay", text, take, form)

    @action(description="Undo", url_path="undo")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        text = [
            f"What {run} changed is taken back: {run.created + run.updated:,} customers. Values are what they were, "
            "and what it made is deleted. What was changed again since, by whomever, is left as it is, and named.",
            "The undo is a run of its own, which can be undone.",
        ]
        if not is_at_work():
            text.append(NO_WORKER)
        form = DryRunForm(request.POST if request.method == "POST" else None)

        def take(form: Form | None) -> str:
            queued = queue_undo(run, user_of(request), dry_run=bool(form and form.cleaned_data["dry_run"]))
            enqueue_run(queued.pk)
            warn_without_worker(request)
            return format_html("Queued as {}.", link(page_of(queued), queued))

        return self.confirm(request, run, "Undo", text, take, form)

    @display(description="waits for lists", empty_value="nothing")
    def waiting(self, run: Run) -> str:
        """What customers were rejected for that a list lacks, each with the step that mends it."""
        return offer(run.account, find_awaited(run.account, [run.pk])) if may_be_replayed(run) else ""

    @display(description="belongs to")
    def related(self, run: Run) -> str:
        """The run that this one replays or undoes, and those that do so with this one."""
        of = [("replays", run.replays), ("undoes", run.undoes)]
        said = [format_html("{} {}", word, link(page_of(other), other)) for word, other in of if other is not None]
        by = [("replayed by", run.replayed_as.all()), ("undone by", run.undone_by.all())]
        said += [
            format_html("{} {}", word, link(page_of(other), f"{other}, {other.status}"))
            for word, others in by
            for other in others
        ]
        return format_html_join(", ", "{}", [(text,) for text in said]) if said else "no other run"
