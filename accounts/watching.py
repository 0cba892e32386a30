"""Watching: what is being done just now, as the lines of the log and the traces of this thread or task name it.

Whoever begins something that people look for later (a request, a pull, a run, a message) opens `doing`; what is
logged meanwhile names it. `customersync.logs` writes the names down, and `customersync.traces` makes spans of them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Names = dict[str, str | int]

_names: ContextVar[Names | None] = ContextVar("names", default=None)


class Spans(Protocol):
    """Opens a span of a trace for what is given. It may name more in what is known, and finds there what was named
    until its end.
    """

    def __call__(self, what: str, given: Names, known: Names) -> AbstractContextManager[object]: ...


def _no_spans(what: str, given: Names, known: Names) -> AbstractContextManager[object]:
    return nullcontext()


_open_span: Spans = _no_spans


def make_spans(opener: Spans | None) -> None:
    """From now on, let `doing` open spans; None for none any more."""
    global _open_span
    _open_span = opener or _no_spans


@contextmanager
def doing(what: str, **names: str | int | None) -> Iterator[None]:
    """Do something under a name, such as `doing("run", account="maison", run=17)`. What is None is not named.

    Threads do not know what the one that starts them does: they run in a copy of its context.
    """
    given = {name: value for name, value in names.items() if value is not None}
    known = {**(_names.get() or {}), **given}
    with _open_span(what, given, known):
        token = _names.set(known)
        try:
            yield
        finally:
            _names.reset(token)


def name_also(**names: str | int) -> None:
    """Name more of what is being done, once it is known."""
    known = _names.get()
    if known is not None:
        known.update(names)


def names_of_work() -> Mapping[str, str | int]:
    """What is being done just now."""
    return _names.get() or {}
