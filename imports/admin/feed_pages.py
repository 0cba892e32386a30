"""Pages about a feed: how it is doing, a pull while it is at work and what came of the last ones, and its check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import action

from accounts.counting import counted
from accounts.suspending import is_suspended, say_suspended
from accounts.users import user_of
from accounts.zones import short_time
from imports.admin.masks import MaskForm, MaskPages, remember_listing
from imports.admin.run_page import describe_progress
from imports.admin.steps import page_of
from imports.admin.workers import NO_WORKER
from imports.describing import say_outcome
from imports.feeds.inspecting import inspect_feed
from imports.filesystems import find_transport, find_transports
from imports.filesystems.masks import DEFAULT
from imports.health import is_at_work
from imports.models import Feed, Pull, Run
from imports.queueing import request_pull

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User
    from imports.feeds.inspecting import Inspection

SHOWN = 10
"""Pulls and runs of the feed's history."""


def describe_feed(feed: Feed, user: User) -> dict[str, Any]:
    """What the panel above the form says: state, the pull at work, the last ones, and what can be done."""
    pulls = list(feed.pulls.order_by("-pk")[:SHOWN])
    runs = list(feed.runs.select_related("account").order_by("-pk")[:SHOWN])
    progress = _describe_pull(feed, pulls, runs)
    waits_its_turn = progress is not None and progress["step"] == "Waiting" and not feed.pull_asked
    transport = find_transports().get(feed.protocol)
    query = f"?feed__id__exact={feed.pk}"
    return {
        "feed": feed,
        "state": feed.state,
        "times": list(_find_times(feed)),
        "progress": progress,
        "last": _say_pull(pulls[0]) if pulls and not progress else "",
        "may_pull": feed.enabled and (not progress or waits_its_turn) and user.may_edit(feed.account_id),
        "pull": reverse("admin:imports_feed_pull", args=[feed.pk]),
        "refresh": reverse("admin:imports_feed_progress", args=[feed.pk]),
        "guide": reverse(transport.page, args=[feed.pk]) if transport and transport.page else "",
        "pulls": [(page_of(pull), short_time(pull.started_at), pull, _say_pull(pull)) for pull in pulls],
        "runs": [(page_of(run), short_time(run.started_at), run, say_outcome(run)) for run in runs],
        "all_pulls": reverse("admin:imports_pull_changelist") + query,
        "all_runs": reverse("admin:imports_run_changelist") + query,
    }


def _find_times(feed: Feed) -> list[tuple[str, str]]:
    times = [("Last good pull", feed.pulled_at), ("Last file", feed.file_at)]
    if feed.enabled:
        times.append(("Next pull", feed.next_pull_at))
    return [(name, short_time(moment) or "none yet") for name, moment in times]


def _describe_pull(feed: Feed, pulls: list[Pull], runs: list[Run]) -> dict[str, Any] | None:
    """Where the pull stands that is at work or was asked for; none where there is none."""
    if pulls and pulls[0].status == Pull.Status.RUNNING:
        pull = pulls[0]
        run = next((run for run in runs if run.status == Run.Status.RUNNING), None)
        if run is not None:
            return {"run": run, "page": page_of(run), **describe_progress(run)}
        files = counted(pull.listed, "file")
        listed = f" {files} to be looked at, {pull.imported:,} imported so far." if pull.listed else ""
        where = f"{feed.folder or 'the folder'} on {feed.server_name}"
        return {"step": "Looking", "said": f"into {where}, since {short_time(pull.started_at)}.{listed}"}
    if feed.enabled and feed.is_queued:
        return {"step": "Waiting", "said": "for a worker.", "problem": _find_obstacle()}
    if feed.enabled and feed.is_looked_at_again:
        return {"step": "Waiting", "said": f"for a second look. {pulls[0].message if pulls else ''}".strip()}
    if feed.enabled and feed.waits_for_account and feed.next_pull_at and feed.next_pull_at <= timezone.now():
        return {"step": "Waiting", "said": f"until another file has gone into {feed.account}."}
    return None


def _find_obstacle() -> str:
    """Why a feed may wait for long."""
    if is_suspended():
        return say_suspended()
    return "" if is_at_work() else NO_WORKER


def _say_pull(pull: Pull) -> str:
    """What came of it, in a sentence and what it says itself."""
    if pull.status == Pull.Status.RUNNING:
        return "It is at work."
    if pull.status != Pull.Status.SUCCEEDED:
        return pull.message
    said = f"{counted(pull.imported, 'file')} imported." if pull.imported else "There was nothing new."
    if pull.times > 1:
        said = f"There was nothing new, {pull.times:,} times since {short_time(pull.since)}."
    return f"{said} {pull.message}".strip()


class FeedPages(MaskPages):
    """Of the admin of feeds."""

    change_form_outer_before_template = "imports/feed_panel.html"

    def get_urls(self) -> list[Any]:
        pull = path("<int:object_id>/pull/", self.admin_site.admin_view(self.pull_view), name="imports_feed_pull")
        progress = path(
            "<int:object_id>/progress/", self.admin_site.admin_view(self.progress_view), name="imports_feed_progress"
        )
        return [pull, progress, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Feed | None = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context["panel"] = describe_feed(obj, user_of(request))
        answer: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return answer

    def progress_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What moves on the page, asked for by the page itself."""
        feed: Feed = self.find_visible(request, object_id)
        return TemplateResponse(request, "imports/feed_panel.html", {"panel": describe_feed(feed, user_of(request))})

    def pull_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Queue a pull, of a disabled feed too where it is to be enabled; the feed's page shows how far it is.

        Whoever only opens the address is led there too.
        """
        feed: Feed = self.find_editable(request, object_id)
        if request.method == "POST":
            if problem := self._take_mask(request, feed):
                self.message_user(request, problem, messages.ERROR)
                return HttpResponseRedirect(page_of(feed))
            if "enable" in request.POST and not (feed.enabled or lacks_pin(feed)):
                feed.enabled = True
                feed.save(update_fields=["enabled"])
                self.log_change(request, feed, "Enabled it.")
            if not feed.enabled:
                self.message_user(request, "The feed is disabled, so it is not pulled. Enable it first.", "warning")
            else:
                request_pull(feed)
        return HttpResponseRedirect(page_of(feed))

    def _take_mask(self, request: HttpRequest, feed: Feed) -> str:
        """What was decided beside the list of the folder; what is wrong with it."""
        form = MaskForm(request.POST, instance=feed) if "mask" in request.POST else None
        if form is None or "mask" not in form.changed_data:
            return ""
        if not form.is_valid():
            return " ".join(f"Mask: {error}" for error in form.errors["mask"])
        feed.save(update_fields=["mask"])
        self.log_change(request, feed, f"Takes {feed.mask or DEFAULT}.")
        return ""

    @action(description="Check", url_path="check")
    def inspect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the server presents of itself, what would be pulled and why not the rest, and what pulls may do.

        Nobody logs in where no key is trusted yet, so that is asked as soon as the page is opened.
        """
        feed: Feed = self.find_editable(request, object_id)
        posted, lacking = request.method == "POST", lacks_pin(feed)
        probe = not posted or "probe" in request.POST
        found = None
        if pin := request.POST.get("trust"):
            self._trust(request, feed, pin)
        if posted or lacking:
            found = inspect_feed(feed, probe=probe and not lacking)
            if not found.problem:
                remember_listing(request, feed, (one.file.name for one in found.files))
        context = {
            "step": "Check",
            "feed": feed,
            "found": found,
            "probe": probe,
            "pins_in": find_transport(feed.protocol).pins_in if found and not _is_trusted(found) else "",
            "lacks_pin": lacks_pin(feed),
            "pull": reverse("admin:imports_feed_pull", args=[feed.pk]) if found and found.is_well else "",
            "mask": MaskForm(instance=feed),
        }
        return self.show(request, feed, "imports/check_feed.html", context)

    def _trust(self, request: HttpRequest, feed: Feed, pin: str) -> None:
        """Pin what the page has shown, if the server still presents it; it alone is trusted from then on."""
        field = find_transport(feed.protocol).pins_in
        chosen = [identity for identity in inspect_feed(feed, probe=False).identities if identity.pin == pin]
        if not (field and chosen):
            self.message_user(request, "The server presents another key by now. Compare again what it shows.", "error")
            return
        setattr(feed, field, pin)
        feed.save(update_fields=[field])
        self.log_change(request, feed, f"Trusts {chosen[0].fingerprint}.")


def lacks_pin(feed: Feed) -> bool:
    """Whether nobody may log in because it is not known by what the server is recognised."""
    transport = find_transports().get(feed.protocol)
    return bool(transport and transport.pinned_by and not getattr(feed, transport.pinned_by).strip())


def _is_trusted(found: Inspection) -> bool:
    return any(identity.matches for identity in found.identities)
