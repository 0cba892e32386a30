"""Figures for Prometheus: who may ask, what is counted wherever it happens, and what is asked from the database."""

from __future__ import annotations

import json
import multiprocessing
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db import OperationalError, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts import figures, tallies
from accounts.models import Tally
from accounts.tallies import add_counted, count
from dropbox.models import Login, Session, StoredFile
from dropbox.serving import HEARTBEAT
from imports.lanes import Lane
from imports.messages.delivering import Outcome
from imports.models import Feed, Heartbeat, KeptFile, Message, Run
from imports.models.messages import list_kinds
from imports.pipeline import ImportRequest, import_file
from imports.queueing import enqueue_task
from tests.builders import add_lookups, make_account, make_connection
from tests.imports.customer_files import NEW, SHIPPING, as_text
from tests.processes import ROOT, free_port, start_command

OPERATIONS = ROOT / "docs" / "operations"
ASKED = {"HTTP_AUTHORIZATION": "Bearer m3trics"}


@pytest.fixture(autouse=True)
def _anew(settings):
    """Nothing is known or counted yet."""
    settings.METRICS_TOKEN = "m3trics"
    tallies._counted.clear()
    figures.ours.known_at = -figures.KEPT
    yield
    tallies._counted.clear()
    figures.ours.known_at = -figures.KEPT


@pytest.fixture
def ask(client):
    """Asks for all figures: name → value by the values of its labels."""

    def get():
        figures.ours.known_at = -figures.KEPT
        answer = client.get("/metrics", **ASKED)
        assert answer.status_code == 200
        found: dict[str, dict[Any, float]] = {}
        for family in text_string_to_metric_families(answer.content.decode()):
            for sample in family.samples:
                labels = tuple(sample.labels.values())
                found.setdefault(sample.name.removeprefix("customersync_"), {})[
                    labels[0] if len(labels) == 1 else labels
                ] = sample.value
        return found

    return get


@pytest.mark.django_db
def test_only_whoever_has_the_token_is_told(client, settings):
    settings.ALLOWED_HOSTS = ["sync.example.com"]
    assert client.get("/metrics", HTTP_HOST="10.0.0.7", **ASKED).status_code == 200
    for sent in ({}, {"HTTP_AUTHORIZATION": "Bearer other"}, {"HTTP_AUTHORIZATION": "m3trics"}):
        answer = client.get("/metrics", **sent)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert b"customersync_" not in answer.content
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.django_db
def test_they_are_asked_for_once_in_some_seconds_with_few_statements(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(35):
        first = client.get("/metrics", **ASKED).content
    with django_assert_max_num_queries(0):
        assert client.get("/metrics", **ASKED).content == first


def test_a_database_that_is_away_is_told_and_nothing_else(client, monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("refused")

    monkeypatch.setattr(connection, "ensure_connection", refuse)
    answer = client.get("/metrics", **ASKED)
    said = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    assert (answer.status_code, said) == (200, ["customersync_database_up 0.0"])


def read_described():
    """The labels of each figure, as the table of the document has them."""
    document = (OPERATIONS / "watching.md").read_text()
    rows = re.findall(r"^\| ((?:`customersync_\w+`(?:, )?)+) \|([^|]*)\|", document, re.MULTILINE)
    return {
        name: set(re.findall(r"`(\w+)`", labels)) for names, labels in rows for name in re.findall(r"`(\w+)`", names)
    }


@pytest.mark.django_db
def test_each_is_described_with_its_labels_and_what_is_described_is_there(client):
    described = read_described()
    answer = client.get("/metrics", **ASKED).content.decode()
    assert set(re.findall(r"^# TYPE (\w+)", answer, re.MULTILINE)) == set(described)
    for family in text_string_to_metric_families(answer):
        for sample in family.samples:
            assert set(sample.labels) == described[sample.name], sample.name


def names_in(expressions):
    return {name for text in expressions for name in re.findall(r"customersync_\w+", text)}


def read_alerts():
    (group,) = yaml.safe_load((OPERATIONS / "alerts.yaml").read_text())["groups"]
    return group["rules"]


def read_panels():
    board = json.loads((OPERATIONS / "board.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


@pytest.mark.django_db
@pytest.mark.parametrize("find", [read_alerts, read_panels])
def test_alerts_and_the_board_ask_for_what_there_is(client, find):
    expressions = [one["expr"] for part in find() for one in part.get("targets", [part])]
    told = set(re.findall(r"^# TYPE (\w+)", client.get("/metrics", **ASKED).content.decode(), re.MULTILINE))
    assert names_in(expressions) <= told
    if find is read_panels:
        assert told - names_in(expressions) == set()


def test_they_choose_group_and_show_by_labels_that_there_are():
    """A label that is none would group by nothing, or show a blank, without a word."""
    described = read_described()
    asked = [(one["expr"], json.dumps(one["annotations"])) for one in read_alerts()]
    asked += [(one["expr"], one["legendFormat"]) for panel in read_panels() for one in panel["targets"]]
    for expression, text in asked:
        for name, chosen in re.findall(r"(customersync_\w+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)(?:=|!)", chosen)) <= described[name], expression
        grouped = {
            label for part in re.findall(r"(?:by|without) \(([^)]*)\)", expression) for label in part.split(", ")
        }
        assert grouped <= set().union(*(described[name] for name in names_in([expression]))), expression
        assert set(re.findall(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}", text)) <= grouped, text


@pytest.mark.django_db
def test_the_values_of_labels_that_they_choose_can_come(ask):
    """A misspelt one would be silent for ever."""
    found = ask()
    can = {
        "of": set(found["errors_total"]),
        "state": {*found["feeds"], *found["reviews"]},
        "lane": set(found["queue_depth"]),
        "status": {*Run.Status.values, *found["runs_active"]},
        "channel": {kind for kind, _ in list_kinds()},
        "outcome": set(Outcome),
        "name": {HEARTBEAT, *(lane.heartbeat for lane in Lane)},
        "job": {"customersync"},
    }
    texts = [one["expr"] for one in read_alerts()] + [one["expr"] for part in read_panels() for one in part["targets"]]
    chosen = [pair for text in texts for pair in re.findall(r'(\w+)(=~|!=|=)"([^"]+)"', text)]
    assert len(chosen) > 12
    for label, how, value in chosen:
        assert any(re.fullmatch(value, one) for one in can[label]) if how == "=~" else value in can[label], value


def test_every_alert_says_what_is_wrong_and_what_to_do():
    for rule in read_alerts():
        assert {"alert", "expr", "labels", "annotations"} <= set(rule)
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert all(text.endswith(".") for text in rule["annotations"].values()), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}


def test_the_board_can_be_imported_and_its_panels_lie_side_by_side():
    """As Grafana 11 writes one: whoever imports it chooses the source, which every panel and question then has."""
    board = json.loads((OPERATIONS / "board.json").read_text())
    assert (board["uid"], board["title"], board["schemaVersion"]) == ("customersync", "Customer Sync", 39)
    (variable,) = board["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    source = {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
    panels = read_panels()
    assert all(one["datasource"] == source for panel in panels for one in (panel, *panel["targets"]))
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


# -- what is counted


@pytest.mark.django_db(transaction=True)
def test_runs_are_counted_with_their_rows_customers_and_steps(tmp_path, ask):
    account, path = make_account("maison"), tmp_path / "customers.txt"
    add_lookups(account)
    wrong = NEW | SHIPPING | {"customer_code": "C2", "shipping_country": "Nowhere"}
    path.write_text(as_text([NEW | SHIPPING, wrong]))
    for dry_run in (True, False):
        import_file(ImportRequest(account=account, path=path, dry_run=dry_run))
    found = ask()
    assert found["runs_total"] == {("dry run", "partial"): 1, ("file", "partial"): 1}
    assert found["run_rows_total"] == {(): 2}
    assert found["run_customers_total"] == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1, "skipped": 0}
    assert set(found["run_step_seconds_total"]) == {"beginning", "reading", "checking", "writing", "ending"}
    Run.objects.all().delete()  # as pruning does
    assert ask()["runs_total"] == found["runs_total"]


@pytest.mark.django_db(transaction=True)
def test_what_commands_and_pulls_without_a_file_come_to_is_counted_too():
    where = {"protocol": "ftp", "host": "127.0.0.1", "port": free_port()}
    feed = Feed.objects.create(account=make_account("maison"), name="erp", **where)
    process = start_command("pull_feeds", "erp")
    assert process.communicate(timeout=60)[1] is not None
    assert process.returncode == 1, "nobody serves there"
    assert feed.pulls.get().status == "failed"
    assert Tally.objects.get(name="pulls_total").labels == ["failed"]


@pytest.mark.django_db(transaction=True)
def test_adding_costs_one_statement_and_none_where_nothing_was_counted(django_assert_num_queries):
    count("pulls_total", "succeeded")
    count("pull_seconds_total", amount=0.5)
    with django_assert_num_queries(1):
        add_counted()
    with django_assert_num_queries(0):
        add_counted()


@pytest.mark.django_db(transaction=True)
def test_what_others_count_is_added_and_what_cannot_be_added_waits(monkeypatch):
    count("errors_total", "storage")
    child = multiprocessing.get_context("fork").Process(target=lambda: None)
    connection.close()
    child.start()
    child.join()
    with monkeypatch.context() as away:
        away.setattr(connection, "ensure_connection", lambda: (_ for _ in ()).throw(OperationalError("refused")))
        add_counted()
    count("errors_total", "storage")
    add_counted()
    Tally.objects.create(name="runs_total", labels=["file", "held"], amount=4)
    count("runs_total", "file", "held", amount=0.5)
    add_counted()
    add_counted()
    assert set(Tally.objects.values_list("name", "amount")) == {("errors_total", 2), ("runs_total", 4.5)}


def test_a_process_that_is_forked_counts_from_nothing():
    count("errors_total", "database")
    reading, writing = multiprocessing.Pipe(duplex=False)

    def work():
        count("errors_total", "storage")
        writing.send(dict(tallies._counted))

    child = multiprocessing.get_context("fork").Process(target=work)
    with tallies._lock:  # as another thread may do just then
        child.start()
    assert reading.poll(20)
    assert reading.recv() == {("errors_total", ("storage",)): 1}
    child.join()
    assert dict(tallies._counted) == {("errors_total", ("database",)): 1}


# -- what is asked


@pytest.mark.django_db
def test_the_queue_feeds_and_runs(ask):
    now = timezone.now()
    account, sandbox = make_account("maison"), make_account("studio")
    make = {"account": account, "protocol": "ftp", "host": "ftp.example.com", "interval_minutes": 60}
    later = {"next_pull_at": now + timedelta(minutes=10)}
    Feed.objects.create(name="works", **make, **later)
    Feed.objects.create(name="fails", failures=3, alert_after=3, **make, **later)
    Feed.objects.create(name="off", enabled=False, next_pull_at=now - timedelta(hours=9), **make)
    Feed.objects.create(
        name="due", next_pull_at=now - timedelta(minutes=5), queued_at=now - timedelta(minutes=4), **make
    )
    Feed.objects.create(name="late", next_pull_at=now - timedelta(minutes=50), silent_after_hours=1, **make)
    Feed.objects.filter(name="late").update(created_at=now - timedelta(days=1))
    details = {"account": account, "format_name": "standard template"}
    Run.objects.create(file_name="a", status="queued", queued_at=now - timedelta(minutes=2), **details)
    Run.objects.create(
        file_name="b", status="queued", queued_at=now, file_size=50_000_000, **details | {"account": sandbox}
    )
    Run.objects.create(file_name="c", status="held", finished_at=now - timedelta(hours=2), **details)
    Run.objects.create(file_name="d", status="running", heartbeat_at=now - timedelta(hours=1), **details)
    enqueue_task("imports.tasks.deliver")
    found = ask()
    assert found["queue_depth"] == {"prompt": 2, "feeds": 1, "bulk": 1}
    assert {lane: round(age / 60) for lane, age in found["queue_oldest_seconds"].items()} == {
        "prompt": 2,
        "feeds": 4,
        "bulk": 0,
    }
    assert found["feeds"] == {"enabled": 4, "due": 2, "late": 1, "failing": 1, "silent": 1, "unmoved": 0}
    assert round(found["feeds_latest_seconds"][()] / 60) == 50
    assert found["runs_active"] == {"queued": 2, "running": 1, "held": 1}
    assert round(found["held_oldest_seconds"][()] / 3600) == 2
    assert found["runs_silent"] == {(): 1}


@pytest.mark.django_db
def test_reviews_messages_workers_and_the_drop_box(ask):
    now = timezone.now()
    account = make_account("maison")
    for code, hours in (("A", 1), ("B", 72)):
        one = make_connection(account, code)
        type(one).objects.filter(pk=one.pk).update(status="pending", created_at=now - timedelta(hours=hours))
    details = {"account": account, "event": "feed.failing"}
    Message.objects.create(kind="email", key="1", **details)
    Message.objects.create(kind="webhook", key="2", delivered_at=now, **details)
    Heartbeat.objects.create(name="workers.prompt", at=now - timedelta(minutes=7), worker="machine:7")
    Heartbeat.objects.create(name="clock.machine", at=now, worker="machine:7", skew=-4.5)
    feed = Feed.objects.create(account=account, name="box", protocol="dropbox")
    login = Login.objects.create(feed=feed, user_name="erp")
    session = {"account": account, "login": login, "user_name": "erp", "server": "machine:8", "address": "::1"}
    Session.objects.create(protocol="SFTP", **session)
    Session.objects.create(protocol="FTPS", ended_at=now, **session)
    kept = KeptFile.objects.create(account=account, key="x")
    StoredFile.objects.create(feed=feed, folder="in", name="a.txt", size=7, modified_at=now, content=kept)
    found = ask()
    assert found["reviews"] == {"waiting": 2, "overdue": 1}
    assert round(found["reviews_oldest_seconds"][()] / 3600) == 72
    assert found["messages_pending"] == {"email": 1}
    assert round(found["seen_seconds"]["workers.prompt"] / 60) == 7
    assert found["clock_skew_seconds"] == {"machine": -4.5}
    assert found["dropbox_sessions"] == {"SFTP": 1, "FTPS": 0, "FTP": 0}
    assert (found["dropbox_files"], found["dropbox_bytes"]) == ({(): 1}, {(): 7})
