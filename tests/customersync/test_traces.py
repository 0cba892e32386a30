"""Traces: what spans there are, how they belong together, and that they tell nothing of customers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.urls import path
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from accounts.watching import doing, names_of_work
from customersync import traces, urls
from imports.pipeline import ImportRequest, import_file
from tests.builders import add_lookups, make_account, make_user
from tests.imports.customer_files import NEW, SHIPPING, as_text

JANE = "Jane Doe"


def fail(request):
    raise ValueError(JANE)


urlpatterns = [path("broken/<int:number>/", fail), *urls.urlpatterns]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500


@pytest.fixture
def spans():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    connection.close()
    traces.trace_with(provider)
    yield exporter.get_finished_spans
    traces.stop_traces()
    connection.execute_wrappers.clear()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW | SHIPPING | {"profile_name": JANE}]))
    return path


@pytest.fixture
def account(transactional_db):
    account = make_account("maison")
    add_lookups(account)
    return account


def test_a_run_with_its_steps_and_their_statements(account, file, spans):
    run = import_file(ImportRequest(account=account, path=file))
    made = spans()
    (whole,) = [span for span in made if span.name == "run"]
    assert (whole.attributes["customersync.run"], whole.attributes["customersync.account"]) == (run.pk, "maison")
    steps = {
        span.context.span_id: span.name for span in made if span.parent and span.parent.span_id == whole.context.span_id
    }
    assert {"run: reading", "run: checking", "run: writing", "run: ending"} <= set(steps.values())
    parents = {steps.get(span.parent.span_id) for span in made if span.attributes.get("db.operation.name") == "INSERT"}
    assert {"run: writing", "run: ending"} <= parents
    assert {span.context.trace_id for span in made if span.parent} <= {span.context.trace_id for span in made}
    assert JANE not in json.dumps([json.loads(span.to_json()) for span in made])


def test_a_request_is_named_by_its_route_and_an_error_by_its_kind(client, settings, spans, account):
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    client.force_login(make_user("rosa"))
    client.post(f"/broken/7/?q={JANE}", {"name": JANE}, HTTP_X_REQUEST_ID="abc")
    (request,) = [span for span in spans() if span.kind.name == "SERVER"]
    assert request.name == "POST broken/<int:number>/"
    assert request.attributes["customersync.request"] == "abc"
    assert request.attributes["http.response.status_code"] == 500
    assert all(span.parent.span_id == request.context.span_id for span in spans() if span is not request)
    assert any(span.attributes.get("db.query.text", "").startswith("SELECT") for span in spans())
    assert JANE not in "".join(span.to_json() for span in spans())


def test_what_fails_says_by_what_kind_of_error_and_lines_of_the_log_name_the_trace(spans):
    with pytest.raises(KeyError), doing("pull", pull=7):
        traced = names_of_work()["trace"]
        raise KeyError(JANE)
    (span,) = spans()
    assert f"{span.context.trace_id:032x}" == traced
    assert (span.attributes["error.type"], span.status.status_code.name) == ("KeyError", "ERROR")
    assert JANE not in span.to_json()


def test_nothing_is_traced_unless_it_is_asked_for(settings, monkeypatch):
    settings.TRACES = False
    monkeypatch.setattr(traces, "trace_with", lambda provider: pytest.fail("it traces"))
    traces.start_traces()


def test_traces_without_their_packages_are_refused_with_what_to_install(settings, monkeypatch):
    settings.TRACES = True
    monkeypatch.setattr(traces, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements/traces\.txt"):
        traces.start_traces()


def test_they_arrive_where_they_are_sent(settings, monkeypatch):
    received: list[tuple[str, bytes]] = []
    providers: list[TracerProvider] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(traces, "register_after_fork", lambda provider, function: providers.append(provider))
        settings.TRACES = True
        try:
            traces.start_traces()
            with doing("pull", account="maison", pull=7):
                pass
            providers[0].shutdown()
        finally:
            traces.stop_traces()
            server.shutdown()
    ((place, sent),) = received
    assert place == "/v1/traces"
    assert b"customersync" in sent
    assert b"maison" in sent
