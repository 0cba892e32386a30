"""The pages of the review: one new connection after the other, and all that are like nothing at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html

from accounts.models import Account
from accounts.searching import MOST_LISTED
from accounts.users import user_of
from connections import review
from connections.admin.queue import Queue, find_likeliest, like_nothing, read_queue
from connections.admin.review import read_note
from connections.models import LONGEST_NOTE, Connection
from connections.review.deciding import Decision, Outcome, Verdict, decide_waiting, say_decided
from connections.review.evidence import compare_values, find_origins

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from accounts.admin.owned import AccountOwnedAdmin as Base
else:
    Base = object

SHOWN_BESIDE = 3
"""How many others stand beside a connection; its own page has all of them."""
MOST_AT_ONCE = 5000
"""How many are approved with one click, so that nobody waits for long."""
NAMED = 20
"""How many of them are named before."""
DUPLICATE = "duplicate"
SHOWN_AT = "when the number was shown"


class Asked(NamedTuple):
    """The accounts that the review is about: one, or all production accounts that one may see."""

    account: Account | None
    accounts: QuerySet[Account]

    def page(self, name: str = "review", **query: int | None) -> str:
        query["account"] = self.account.pk if self.account else None
        text = urlencode({key: value for key, value in query.items() if value})
        return f"{reverse(f'admin:connections_connection_{name}')}{'?' * bool(text)}{text}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0  # of the size of an id


def _read_asked(request: HttpRequest) -> Asked:
    visible = Account.objects.visible_to(user_of(request))
    chosen = visible.filter(pk=_number(request.GET.get("account"))).first()
    return Asked(chosen, visible.filter(pk=chosen.pk) if chosen else visible.filter(sandbox_of=None))


class ReviewPages(Base):
    """Of the admin of connections."""

    def get_urls(self) -> list[Any]:
        pages = [
            ("review/", self.review_view, "connections_connection_review"),
            ("review/unlike/", self.unlike_view, "connections_connection_review_unlike"),
        ]
        return [
            *(path(at, self.admin_site.admin_view(view), name=name) for at, view, name in pages),
            *super().get_urls(),
        ]

    # -- one after the other

    def review_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = _read_asked(request)
        queue = read_queue(asked.accounts)
        if request.method == "POST":
            return self._take(request, asked, queue)
        found = self._find(request, queue)
        context = {
            **self._context(request, asked, "Review"),
            "queue": queue,
            "may_approve": Account.objects.editable_by(user_of(request)).filter(pk__in=asked.accounts).exists(),
        }
        if found is not None:
            context |= self._show(request, asked, queue, found)
        return TemplateResponse(request, "connections/review_queue.html", context)

    def _find(self, request: HttpRequest, queue: Queue) -> Connection | None:
        """The connection asked for, as long as it waits, or else the first of the queue."""
        known = self.get_queryset(request).select_related("account", "reviewed_by")
        wanted = known.filter(pk=_number(request.GET.get("at"))).first()
        if wanted is not None and wanted.status != Connection.Status.PENDING:
            messages.warning(request, say_decided(wanted, user_of(request)))
            wanted = None
        return wanted or known.filter(pk=queue.ids[0] if queue.ids else None).first()

    def _show(self, request: HttpRequest, asked: Asked, queue: Queue, found: Connection) -> dict[str, Any]:
        is_compared, similar = find_likeliest(found)
        beside = similar[:SHOWN_BESIDE]
        stand = [
            other.pk for _, other in similar if other.status != Connection.Status.REJECTED or other.duplicate_of_id
        ]
        position = queue.position(found.pk)
        before, after = queue.before(found.pk), queue.after(found.pk)
        due_at = review.due_at(found)
        return {
            "title": f"Review {position} of {queue.length}" if position else "Review",
            "found": found,
            "object": found,  # for the breadcrumbs
            "origin": find_origins([found]).get(found.pk),
            "due_at": due_at,
            "is_overdue": due_at <= timezone.now(),
            "is_compared": is_compared,
            "beside": [
                {
                    "other": other,
                    "percent": round(match.score * 100),
                    "reasons": match.reasons,
                    "may_stand": other.pk in stand,
                    "is_first": other.pk == next(iter(stand), None),
                }
                for match, other in beside
            ],
            "more": len(similar) - len(beside),
            "rows": compare_values(found, [other for _, other in beside]),
            "seen": found.updated_at.isoformat(),
            "may_review": self.has_change_permission(request, found),
            "longest_note": LONGEST_NOTE,
            "previous_page": asked.page(at=before) if before else "",
            "next_page": asked.page(at=after) if after else "",
            "only_page": asked._replace(account=found.account).page(),
        }

    def _take(self, request: HttpRequest, asked: Asked, queue: Queue) -> HttpResponse:
        """Decide as it was posted, and go on with the next one, or with the same one where it was refused."""
        pk = _number(request.POST.get("connection"))
        found = self.get_queryset(request).select_related("account").filter(pk=pk).first()
        if found is None:
            messages.warning(request, "That connection was deleted meanwhile.")
            return HttpResponseRedirect(asked.page(at=queue.next_without(pk)))
        if not self.has_change_permission(request, found):
            raise PermissionDenied
        decision = self._read_decision(request, found)
        seen = _read_time(request.POST.get("seen", ""))
        if decision is None or seen is None:
            messages.error(request, f"Choose what {found} is a duplicate of, and then say so.")
            return HttpResponseRedirect(asked.page(at=pk))
        decided = decide_waiting(found, decision, seen, user_of(request))
        found.refresh_from_db()
        if decided.outcome == Outcome.REFUSED:
            messages.warning(request, decided.problem)
        else:
            of = f" as a duplicate of {found.duplicate_of}" if found.duplicate_of else ""
            text = 'You {} <a class="underline" href="{}">{}</a>{}.'
            url = reverse("admin:connections_connection_change", args=[pk])
            messages.success(request, format_html(text, found.get_status_display(), url, found, of))
        waits = found.status == Connection.Status.PENDING
        return HttpResponseRedirect(asked.page(at=pk if waits else queue.next_without(pk)))

    def _read_decision(self, request: HttpRequest, found: Connection) -> Decision | None:
        """What was posted; nothing where it is no decision."""
        verdict, note = request.POST.get("decision"), read_note(request)
        if verdict in (Verdict.APPROVE, Verdict.REJECT):
            return Decision(found.customer_code, verdict, note=note)
        original = _number(request.POST.get("duplicate_of")) if verdict == DUPLICATE else 0
        code = Connection.objects.filter(account=found.account_id, pk=original).values_list("customer_code", flat=True)
        return Decision(found.customer_code, Verdict.REJECT, code[0], note) if code else None

    # -- all that are like nothing

    def unlike_view(self, request: HttpRequest) -> HttpResponse:
        """Say how many they are, and approve them once that is confirmed: only what was there when it was said."""
        asked = _read_asked(request)
        editable = Account.objects.editable_by(user_of(request)).filter(pk__in=asked.accounts.values("pk"))
        ids = list(editable.order_by().values_list("pk", flat=True)[: MOST_LISTED + 1])
        accounts = ids if len(ids) <= MOST_LISTED else editable  # the planner knows how few ids are, and stops early
        unlike = like_nothing(Connection.objects.awaiting_review().filter(account__in=accounts)).order_by("pk")
        if request.method == "POST":
            return self._approve(request, asked, unlike)
        count = unlike[: MOST_AT_ONCE + 1].count()
        context = {
            **self._context(request, asked, "Approve what is like nothing else"),
            "count": min(count, MOST_AT_ONCE),
            "has_more": count > MOST_AT_ONCE,
            "named": unlike.select_related("account")[:NAMED],
            "not_named": max(min(count, MOST_AT_ONCE) - NAMED, 0),
            "shown_at": signing.dumps(timezone.now().isoformat(), salt=SHOWN_AT),
            "note": review.UNLIKE,
            "longest_note": LONGEST_NOTE,
        }
        return TemplateResponse(request, "connections/review_unlike.html", context)

    def _approve(self, request: HttpRequest, asked: Asked, unlike: QuerySet[Connection]) -> HttpResponse:
        try:
            shown_at = parse_datetime(signing.loads(request.POST.get("shown_at", ""), salt=SHOWN_AT))
        except signing.BadSignature:
            return HttpResponseRedirect(asked.page("review_unlike"))
        chosen = unlike.filter(updated_at__lte=shown_at)[:MOST_AT_ONCE]
        note = read_note(request)
        count = review.approve_waiting(chosen, user_of(request), note)
        if count:
            messages.success(request, f"{count:,} connection{'s' * (count != 1)} approved.")
        else:
            messages.warning(
                request, "Nothing was approved: none of them waits any more, or all were changed meanwhile."
            )
        return HttpResponseRedirect(asked.page())

    def _context(self, request: HttpRequest, asked: Asked, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "asked": asked,
            "queue_page": asked.page(),
            "unlike_page": asked.page("review_unlike"),
            "all_page": reverse("admin:connections_connection_review"),
            "list_page": reverse("admin:connections_connection_changelist"),
        }


def _read_time(text: str) -> datetime | None:
    """None for what is none, also where it only looks like one."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None
