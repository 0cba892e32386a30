"""Traces by OpenTelemetry: spans of requests, tasks, pulls, messages, runs with their steps, and statements.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names where they go; the other variables of
OpenTelemetry hold too. The packages are those of requirements/traces.txt. No span has values of statements, queries or
bodies of requests, or texts of errors.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from multiprocessing.util import Finalize, register_after_fork
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

from accounts.watching import make_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

    from accounts.watching import Names

ATTRIBUTES = {
    "method": "http.request.method",
    "path": "url.path",
    "route": "http.route",
    "status": "http.response.status_code",
}
"""What OpenTelemetry calls the names of the log; the others have ours."""


def start_traces() -> None:
    """Trace this process and those that it forks, where the operator wants it. Raises ImproperlyConfigured."""
    if not settings.TRACES:
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and their packages are not installed: "
            "pip install --require-hashes -r requirements/production.txt -r requirements/traces.txt"
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", "customersync")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    register_after_fork(provider, _flush_at_end)
    trace_with(provider)


def _flush_at_end(provider: TracerProvider) -> None:
    """Of a worker, which ends without the farewells of an ordinary process."""
    Finalize(None, provider.force_flush, exitpriority=1)


def trace_with(provider: TracerProvider) -> None:
    """Make spans by this provider from now on."""
    tracer = provider.get_tracer("customersync")
    make_spans(partial(_open_span, tracer))
    connection_created.connect(partial(_watch_statements, tracer), weak=False, dispatch_uid="traces")


def stop_traces() -> None:
    """Make no spans any more; sessions of the database that are open still do."""
    make_spans(None)
    connection_created.disconnect(dispatch_uid="traces")


@contextmanager
def _open_span(tracer: Tracer, what: str, given: Names, known: Names) -> Iterator[None]:
    is_request = "request" in given
    title = str(given["method"]) if is_request else what
    with _span(tracer, title, _describe(given), is_server=is_request) as span:
        known["trace"] = f"{span.get_span_context().trace_id:032x}"
        try:
            yield
        finally:
            span.set_attributes(_describe(known))
            if "route" in known and is_request:
                span.update_name(f"{title} {known['route']}")


def _describe(names: Names) -> dict[str, str | int]:
    return {ATTRIBUTES.get(name, f"customersync.{name}"): value for name, value in names.items() if name != "trace"}


@contextmanager
def _span(tracer: Tracer, title: str, given: Mapping[str, Any], *, is_server: bool = False) -> Iterator[Span]:
    """Of an error, its kind is told."""
    from opentelemetry.trace import SpanKind, StatusCode

    kind = SpanKind.SERVER if is_server else SpanKind.INTERNAL
    with tracer.start_as_current_span(
        title, kind=kind, attributes=given, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise


def _watch_statements(tracer: Tracer, connection: BaseDatabaseWrapper, **_: object) -> None:
    wrap = partial(_trace_statement, tracer)
    if not any(getattr(one, "func", None) is _trace_statement for one in connection.execute_wrappers):
        connection.execute_wrappers.append(wrap)


def _trace_statement(
    tracer: Tracer, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """A statement with places for its values. Outside of anything that is traced, none is."""
    from opentelemetry.trace import get_current_span

    if not get_current_span().get_span_context().is_valid:
        return execute(sql, params, many, context)
    text = str(sql)
    verb = (text.split(None, 1) or ["statement"])[0].upper()
    given = {"db.system.name": "postgresql", "db.operation.name": verb, "db.query.text": text}
    with _span(tracer, verb, given):
        return execute(sql, params, many, context)
