"""Waiting: what a person writes waits some seconds for others who write the same, and then says what goes on.

Every writer takes locks in one order: the account's claim, its lists, its connections by id. So nobody waits for
each other; where something else (a statement by hand, another program) makes the database end one of two, nothing of
it was done, and it is done once more before whoever asked is told so in the same way.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.apps import apps
from django.contrib import admin, messages
from django.db import Error, OperationalError, connection, transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from django.http import HttpRequest, HttpResponse, QueryDict

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

PATIENCE = "4s"
"""How long each lock is waited for."""
LOCK_TIMEOUT, DEADLOCK = "55P03", "40P01"


class Busy(Exception):
    """Others write the same at this moment. Nothing was done; the message says what goes on and what to do."""


@contextmanager
def some_patience(accounts: Callable[[], Collection[int]]) -> Iterator[None]:
    """A transaction that waits for no lock longer than PATIENCE, and raises Busy then.

    `accounts` tells the ids of those that it writes to, when somebody has to be told.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            yield
    except OperationalError as error:
        if not waited_for_lock(error):
            raise
        raise Busy(explain(accounts())) from error


def done_again(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Work in one transaction that is done once more where the database ended it for a deadlock.

    So it is what raises Busy, and takes nothing that can be read only once.
    """

    @wraps(work)
    def do(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return work(*args, **kwargs)
        except Busy as busy:
            if not isinstance(busy.__cause__, Error) or sqlstate_of(busy.__cause__) != DEADLOCK:
                raise
        return work(*args, **kwargs)

    return do


def sqlstate_of(error: Error) -> str:
    """PostgreSQL's code of an error; blank for one that it did not send."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def waited_for_lock(error: Error) -> bool:
    """Whether the error is that others hold what was asked for: for too long, or while they wait for the same."""
    return sqlstate_of(error) in (LOCK_TIMEOUT, DEADLOCK)


def explain(accounts: Collection[int] = ()) -> str:
    """What goes on in these accounts, as the apps tell it, and what to do."""
    for config in apps.get_app_configs():
        describe = getattr(config, "describe_work", None)
        if describe and (work := describe(accounts)):
            return f"Nothing was saved: {work}. Try again in a moment."
    return "Nothing was saved: somebody else is changing the same. Try again in a moment."


def tell_of_waiting(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: on pages, whoever waited in vain gets the reason. (The API answers by itself.)

    What they sent can be sent again as it was; of a file, which no page can keep, they get the form again.
    """

    class Teller:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
            if not isinstance(error, Busy) and not (isinstance(error, OperationalError) and waited_for_lock(error)):
                return None
            why = str(error) if isinstance(error, Busy) else explain()
            if request.method == "POST" and not request.FILES:
                return offer_again(request, "Not now", why, request.get_full_path(), request.POST, status=503)
            messages.error(request, why)
            return HttpResponseRedirect(request.get_full_path())

    return Teller()


def offer_again(
    request: HttpRequest, title: str, why: str, page: str, sent: QueryDict, *, status: int = 200
) -> HttpResponse:
    """A page that keeps what was sent to another one, where nothing became of it, and sends it once more when asked."""
    kept = [(name, text) for name, texts in sent.lists() for text in texts if name != "csrfmiddlewaretoken"]
    context = {**admin.site.each_context(request), "title": title, "why": why, "page": page, "sent": kept}
    return render(request, "accounts/try_again.html", context, status=status)
