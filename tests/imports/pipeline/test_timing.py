"""The line that the log has of each run, and how long its steps took."""

from __future__ import annotations

import contextvars
import json
import logging

import pytest

from accounts.watching import doing
from customersync.logs import Json
from imports.pipeline import timing
from imports.pipeline.timing import Steps
from imports.runs.undoing import undo_run
from tests.imports.customer_files import NEW, SHIPPING


@pytest.fixture
def lines(monkeypatch, transactional_db):
    """The lines of runs, as JSON has them."""
    written, form = [], Json()
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: written.append(json.loads(form.format(record))))
    timing.logger.addHandler(handler)
    with doing("task", task="work"):
        yield written
    timing.logger.removeHandler(handler)


def test_a_run_leaves_one_line_with_its_counts_and_steps(send, lines):
    run = send(NEW | SHIPPING, NEW | SHIPPING | {"customer_code": "C2", "shipping_country": "Nowhere"})
    (line,) = lines
    assert (line["run"], line["account"], line["status"]) == (run.pk, "maison", "partial")
    assert line["counts"] == run.counts
    assert list(line["steps"]) == ["beginning", "reading", "checking", "writing", "ending"]
    assert 0 < sum(line["steps"].values()) <= line["seconds"] + 0.1
    assert line["message"].startswith("A run partial in ")
    assert "rejected=1" in line["message"]


def test_files_that_are_rejected_dry_runs_and_undos_leave_one_too(send, lines):
    send.text("")
    send(NEW | SHIPPING, dry_run=True)
    undo_run(send(NEW | SHIPPING))
    assert [(line["status"], line["dry_run"]) for line in lines] == [
        ("rejected", False),
        ("succeeded", True),
        ("succeeded", False),
        ("succeeded", False),
    ]
    assert list(lines[0]["steps"]) == ["beginning"]
    assert list(lines[3]["steps"]) == ["beginning", "writing"]


def test_a_command_says_itself_what_came_of_its_file(send, lines):
    contextvars.Context().run(send, NEW | SHIPPING)
    assert lines == []


def test_a_step_that_comes_again_is_added_to_what_it_took_before():
    steps = Steps()
    told = []
    progress = steps.follow(lambda *what: told.append(what))
    for stage in ("Reading", "Reading", "Writing", "Reading"):
        progress(stage, 0, 1)
    steps.enter("")
    assert list(steps.seconds) == ["Reading", "Writing"]
    assert len(told) == 4
