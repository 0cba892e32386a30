"""What the search box finds of imports: why a customer was rejected, runs, feeds and formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.http import urlencode

from accounts.searching import Found, Rank
from accounts.zones import short_time
from imports.models import Feed, Format, Run
from imports.runs.explaining import find_runs_of, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from accounts.searching import Question

RUNS_LOOKED_AT = 20_000
"""Of how many of the newest runs the names of files are looked at."""
MOST_EXPLAINED = 3
LARGEST_NUMBER = 2**62


def find(question: Question) -> Iterator[Found]:
    yield from find_reasons(question)
    yield from find_runs(question)
    feeds = Feed.objects.filter(account__in=question.accounts, name__icontains=question.text).select_related("account")
    for feed in feeds.order_by("name", "pk")[: question.most]:
        link = reverse("admin:imports_feed_change", args=[feed.pk])
        yield Found(feed.name, f"{feed.account} · feed", link, "cloud_download", question.rank(feed.name))
    formats = Format.objects.filter(account__in=question.accounts, name__icontains=question.text)
    for each in formats.select_related("account").order_by("name", "pk")[: question.most]:
        link = reverse("admin:imports_format_change", args=[each.pk])
        yield Found(each.name, f"{each.account} · format", link, "schema", question.rank(each.name))


def find_reasons(question: Question) -> Iterator[Found]:
    """What the newest files that had something to say of a customer code said of it, and the page with all of it."""
    for code in spellings(question.text):
        for of_run in find_runs_of(code, question.accounts, MOST_EXPLAINED):
            yield Found(
                title=f"{code} {of_run.outcome} in run {of_run.run.pk} · {of_run.run.file_name}",
                description=f"{of_run.run.account}, {short_time(of_run.run.started_at)} · {of_run.summary}",
                link=f"{reverse('admin:imports_issue_customer')}?{urlencode({'code': code})}",
                icon="help",
                rank=Rank.EXACT if code == question.text else Rank.NEAR,
            )


def find_runs(question: Question) -> Iterator[Found]:
    """By their number, or by the name of their file: the newest first."""
    runs = Run.objects.filter(account__in=question.accounts).select_related("account")
    number = question.text.lower().removeprefix("run").strip(" #")
    if number.isdecimal() and int(number) <= LARGEST_NUMBER:
        yield from _describe(runs.filter(pk=int(number)), question, Rank.EXACT)
    newest = Run.objects.filter(account__in=question.accounts).order_by("-pk").values("pk")[:RUNS_LOOKED_AT]
    named = runs.filter(pk__in=newest, file_name__icontains=question.text).order_by("-pk")
    yield from _describe(named[: question.most], question)


def _describe(runs: QuerySet[Run], question: Question, rank: Rank | None = None) -> Iterator[Found]:
    for run in runs:
        yield Found(
            title=f"Run {run.pk} · {run.file_name}",
            description=f"{run.account}, {short_time(run.started_at)} · {run.get_status_display()}",
            link=reverse("admin:imports_run_change", args=[run.pk]),
            icon="upload_file",
            rank=question.rank(run.file_name) if rank is None else rank,
        )
