"""Further processes that examine batches of a large file: real ones."""

import logging
import os
import signal
import subprocess
import sys
from select import select

import pytest

from connections.models import Change, Connection
from imports.files import sources
from imports.formats.policies import UnknownLookup
from imports.formats.spec import Dialect
from imports.pipeline import resolving, sharing
from imports.pipeline.helping import Batch
from imports.pipeline.suggesting import Budget
from tests.builders import PRICE_TYPES, add_lookups, keep_values, make_account, make_user
from tests.imports.customer_files import NEW, SHIPPING, Sender, as_text
from tests.imports.formats.test_spec import column, spec

CUSTOMERS = 60
WRONG = [
    *({"website": "?"}, {"price_type_name": "None such"}, {"profile_name": ""}, {"profile_name": "CafÃ© Ä"}),
    *({}, {}, {}),
]


@pytest.fixture
def helpers(monkeypatch):
    """The processes that were started, for batches of ten; each is waited for, and its answers are counted."""
    started = []
    is_ready, answer = sharing.Helper.is_ready, sharing.Helper.answer

    def wait_until_ready(helper):
        if helper not in started:
            started.append(helper)
            helper.answered = 0
            select([helper.turns], [], [], 60)
        return is_ready(helper)

    def count_answer(helper):
        examined = answer(helper)
        helper.answered += examined is not None
        return examined

    monkeypatch.setattr(sharing.Helper, "is_ready", wait_until_ready)
    monkeypatch.setattr(sharing.Helper, "answer", count_answer)
    monkeypatch.setattr(sharing, "_processors", lambda: 8)
    monkeypatch.setattr(sharing, "MANY", 20)
    monkeypatch.setattr(sharing, "BATCH", 10)
    monkeypatch.setattr(sharing, "MOST", 1)
    yield started
    for helper in started:
        helper.process.wait(30)


@pytest.fixture
def alone(db, tmp_path, settings):
    """Sends into an account where one process does it all."""

    def send(data, file_spec=None):
        account = make_account("alone")
        add_lookups(account)
        processes, settings.IMPORT_PROCESSES = settings.IMPORT_PROCESSES, 1
        sender = Sender(account, tmp_path)
        run = sender.bytes(data, file_spec)
        settings.IMPORT_PROCESSES = processes
        return told_of(run), sender.customers()

    return send


def told_of(run):
    """All that a run says and logs, in order, but for what names it."""
    issues = run.issues.order_by("id").values_list("code", "severity", "message", "line", "field", "value", "more")
    changes = Change.objects.filter(run_id=run.pk).order_by("customer_code", "id")
    said = [run.status, run.message, run.held_for, *run.counts.items(), *issues]
    return [*said, *changes.values_list("customer_code", "line", "action", "record", "key", "values")]


def a_file(**last):
    rows = [
        NEW | SHIPPING | {"customer_code": f"C{number}", "shipping_code": f"S{number}"} | WRONG[number % len(WRONG)]
        for number in range(CUSTOMERS)
    ]
    rows[9]["profile_name"] = rows[23]["alternate_name"] = r"Rue\neuve \N \\ x"
    rows[7]["customer_code"], rows[41]["customer_code"] = "00123", "123"
    rows[-1] |= last
    return as_text(rows)


@pytest.mark.parametrize("processes", [2, 3])
def test_what_several_processes_make_of_a_file_is_what_one_makes(send, helpers, alone, settings, processes):
    settings.IMPORT_PROCESSES = processes
    run = send.text(a_file())
    assert (told_of(run), send.customers()) == alone(a_file().encode())
    assert {code for code, *_ in run.issues.values_list("code")} >= {"near_key", "invalid_website", "unknown_lookup"}
    assert [helper.answered for helper in helpers] == [3] if processes == 2 else [2, 2]


def test_of_a_file_in_another_encoding_too(send, helpers, alone):
    columns = [column(name, name) for name in NEW]
    latin = spec(*columns, dialect=Dialect(encoding="cp1252", delimiter="|"))
    rows = [NEW | {"customer_code": f"C{number}", "profile_name": f"Küche {number}"} for number in range(CUSTOMERS)]
    data = as_text(rows).encode("cp1252")
    run = send.bytes(data, latin)
    assert (told_of(run), send.customers()) == alone(data, latin)
    assert run.created == CUSTOMERS
    assert helpers[0].answered == 3


def test_what_is_suggested_does_not_depend_on_how_many_look_for_it(send, helpers, alone, monkeypatch):
    """Comparisons last for 17 of 25 values: for all of the first batch, and not for all of the helper's behind it."""
    monkeypatch.setattr(resolving, "Budget", lambda: Budget(17 * len(PRICE_TYPES)))
    rows = [
        NEW | {"customer_code": f"C{number}", "price_type_name": f"EU Wholesale {number % 25:02}"}
        for number in range(CUSTOMERS)
    ]
    data = as_text(rows).encode()
    run = send.bytes(data)
    assert (told_of(run), send.customers()) == alone(data)
    messages = [*run.issues.order_by("line").values_list("message", flat=True)]
    looked_for = ["Did you mean" in message for message in messages]
    assert looked_for == [number % 25 < 17 for number in range(CUSTOMERS)]
    assert all(
        ("So many unknown values" in message) != found for message, found in zip(messages, looked_for, strict=True)
    )
    assert helpers[0].answered == 2  # of rounds that began before the first came too dear; no later one lasted


@pytest.fixture
def foreseen(monkeypatch):
    """The processes that were started while the last file was being read, which is done in blocks of few rows."""
    foresee = sharing.Helpers.foresee
    started: list[sharing.Helper] = []

    def watch(helpers, scan):
        foresee(helpers, scan)
        started[:] = helpers.running

    monkeypatch.setattr(sources, "BLOCK", 200)
    monkeypatch.setattr(sharing.Helpers, "foresee", watch)
    return started


def test_processes_start_while_new_customers_are_being_read(send, helpers, foreseen):
    rows = [NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)]
    assert send(*rows).created == CUSTOMERS
    assert foreseen == helpers
    assert [helper.answered for helper in helpers] == [3]
    assert send(*(row | {"alternate_name": "x"} for row in rows)).updated == CUSTOMERS
    assert (foreseen, [helper.answered for helper in helpers]) == ([], [3, 3])


def test_one_that_is_not_needed_after_all_ends_at_once(send, helpers, foreseen, monkeypatch):
    rows = [NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)]
    monkeypatch.setattr(sharing, "MANY", 100)
    send(*rows[1:50])
    monkeypatch.setattr(sharing, "MANY", 20)
    monkeypatch.setattr(sharing, "SAMPLE", 1)  # the first one, which is new
    run = send(*rows)
    assert (run.created, helpers) == (11, [])
    assert [helper.process.returncode for helper in foreseen] == [-signal.SIGKILL]


def test_a_process_that_dies_loses_nothing(send, helpers, monkeypatch, caplog):
    ask = sharing.Helper.ask

    def ask_and_kill(helper, batch):
        helper.process.kill()
        helper.process.wait()
        ask(helper, batch)

    monkeypatch.setattr(sharing.Helper, "ask", ask_and_kill)
    rows = [NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)]
    with caplog.at_level(logging.WARNING):
        run = send(*rows)
    assert (run.status, run.created, helpers[0].answered) == ("succeeded", CUSTOMERS, 0)
    assert caplog.text.count("A process that helped with a large file has ended") == 1


STOPS = {
    "before it reads": "helping._examine = stop",
    "in the middle of an answer": (
        "helping.write_sheet = lambda sheet, what: (os.pwrite(sheet, pickle.dumps(what)[:-9], 0), stop())"
    ),
}


def stopping(how):
    """The start of a process that is stopped, as one is that waits for memory or a disk."""
    stop = "stop = lambda *_: os.kill(os.getpid(), signal.SIGSTOP)"
    start = "import os, pickle, signal, django; django.setup(); from imports.pipeline import helping"
    return f"{start}; {stop}; {how}; helping.serve()"


@pytest.mark.parametrize("where", STOPS)
def test_a_process_that_is_stopped_is_not_waited_for_for_ever(send, helpers, monkeypatch, caplog, where):
    monkeypatch.setattr(sharing, "START", stopping(STOPS[where]))
    monkeypatch.setattr(sharing, "PATIENCE", 0.1)
    run = send(*(NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)))
    assert (run.status, run.created, helpers[0].answered) == ("succeeded", CUSTOMERS, 0)
    assert caplog.text.count("A process that helped with a large file has ended") == 1
    assert helpers[0].process.wait(30) == -signal.SIGKILL


def test_nor_does_asking_one_wait_that_reads_nothing_nor_its_end(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sharing, "START", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    monkeypatch.setattr(sharing, "PATIENCE", 0.1)
    monkeypatch.setattr(subprocess.Popen, "kill", lambda process: None)  # as where it waits for a disk
    batch = Batch([("C" * 1_000_000, 1)], {}, [], 0)
    with (tmp_path / "file").open("wb") as file, sharing._running(file.fileno()) as helper:
        assert not helper.is_ready()
        helper.ask(batch)
        assert helper.answer() is None
    os.kill(helper.process.pid, signal.SIGKILL)
    assert helper.process.wait(30) == -signal.SIGKILL
    assert "has ended; the import goes on without it" in caplog.text
    assert f"The process {helper.process.pid}, which helped with a large file, does not end." in caplog.text


@pytest.mark.parametrize("start", ["raise SystemExit(3)", "print('no answer')"])
def test_a_process_that_cannot_start_loses_nothing(send, helpers, monkeypatch, caplog, start):
    monkeypatch.setattr(sharing, "START", start)
    run = send(*(NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)))
    assert (run.status, run.created) == ("succeeded", CUSTOMERS)
    assert caplog.text.count("A process that helped with a large file has ended") == 1


def test_where_no_process_can_be_started_one_does_it_all(send, helpers, monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    run = send(*(NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)))
    assert (run.status, run.created) == ("succeeded", CUSTOMERS)
    assert "No process can be started that helps with a large file: No such file or directory." in caplog.text


def test_a_byte_that_is_no_text_rejects_the_file_as_ever(send, helpers, alone):
    data = a_file().encode().replace(b"C15|Harbor", b"C15|H\xffrbor")
    run = send.bytes(data)
    assert (told_of(run), send.customers()) == alone(data)
    assert (run.status, run.issues.get().code) == ("rejected", "wrong_encoding")
    assert len(helpers) == 1


def test_a_customer_with_many_problems_is_left_to_the_run(send, helpers, alone):
    bad = [NEW | {"customer_code": "C15", "website": "?"}] * 1100
    rows = [NEW | {"customer_code": f"C{number}", "website": ""} for number in range(CUSTOMERS)]
    data = as_text([*rows[:15], *bad, *rows[16:]]).encode()
    run = send.bytes(data)
    assert (told_of(run), send.customers()) == alone(data)
    assert (run.created, run.rejected) == (CUSTOMERS - 1, 1)
    assert helpers[0].answered == 2


def test_known_customers_are_shared_with_all_that_is_stored_of_them(send, helpers, settings):
    """New ones among them, one that is kept, one that was rejected in review, and one that is wrong."""
    rows = [
        NEW | SHIPPING | {"customer_code": f"C{number}", "shipping_code": f"S{number}", "alternate_name": r"A \N"}
        for number in range(CUSTOMERS)
    ]
    now = {"shipping_city": "Lyon", "price_type_currency": "GBP", "price_type_name": "UK Wholesale"}
    changed = [row | now for row in rows]
    changed[12]["profile_name"] = "Quay Row"
    changed[33]["website"] = "?"
    changed[51]["shipping_code"] = "S 51"
    data = as_text(changed).encode()
    other, user = make_account("another"), make_user("kim")
    add_lookups(other)
    single = Sender(other, send.folder)
    for sender in (send, single):
        settings.IMPORT_PROCESSES = 1
        sender(*(row for number, row in enumerate(rows) if number not in (5, 15, 27)))
        kept = Connection.objects.get(account=sender.account, customer_code="C12")
        keep_values(kept, user, ("connection", "", "profile_name"), ("address", "S:S12", "city"))
        rejected = Connection.objects.filter(account=sender.account, customer_code="C14")
        rejected.update(status=Connection.Status.REJECTED)
    settings.IMPORT_PROCESSES = 2
    run = send.bytes(data)
    settings.IMPORT_PROCESSES = 1
    assert (told_of(run), send.customers()) == (told_of(single.bytes(data)), single.customers())
    assert (run.created, run.updated, run.skipped, run.rejected) == (3, 55, 1, 1)
    assert {*run.issues.values_list("code", flat=True)} >= {"kept", "rejected_connection", "near_address"}
    assert [helper.answered for helper in helpers] == [3]


def test_few_customers_are_not_shared_and_no_format_that_adds_to_lists(send, helpers, settings):
    rows = [NEW | {"customer_code": f"D{number}"} for number in range(CUSTOMERS)]
    assert send(*rows[:15]).created == 15
    assert send(*(row | {"alternate_name": "x"} for row in rows[5:19]), *rows[:5]).updated == 10
    send.account.connections.all().delete()
    columns = [column(name, name) for name in NEW]
    adding = spec(*columns, unknown_lookup={"price_types": UnknownLookup.CREATE})
    assert send(*rows, spec=adding).created == CUSTOMERS
    send.account.connections.all().delete()
    settings.IMPORT_PROCESSES = 1
    assert send(*rows).created == CUSTOMERS
    assert helpers == []


def test_a_process_ends_with_whoever_started_it(send, monkeypatch, helpers):
    """However that ended: its input is at an end then."""

    def ask(helper, batch):
        helper.turns.close()
        assert helper.process.wait(30) == 0
        raise KeyboardInterrupt

    monkeypatch.setattr(sharing.Helper, "ask", ask)
    with pytest.raises(KeyboardInterrupt):
        send(*(NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)))
    assert len(helpers) == 1


def test_ids_are_in_the_order_of_the_file(send, helpers):
    send(*(NEW | {"customer_code": f"C{number}"} for number in range(CUSTOMERS)))
    codes = send.account.connections.order_by("id").values_list("customer_code", flat=True)
    assert [*codes] == [f"C{number}" for number in range(CUSTOMERS)]
    assert helpers[0].answered == 3
