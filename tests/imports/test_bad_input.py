"""Bad input gets an answer and never a traceback."""

import json
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.models import Connection
from imports.models import Run
from tests.imports.customer_files import NEW, SAMPLES, as_text, issues_of

DEFECTS = SAMPLES / "defects"
WARNINGS = {"unknown_column", "name_differs", "repeated_address", "header_only"}


def import_json(path: Path, account: str = "maison") -> tuple[int, dict]:
    """Exit code and the one JSON object of the command."""
    output = StringIO()
    code = 0
    try:
        call_command("import_customers", str(path), "--account", account, "--json", stdout=output)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(output.getvalue())


@pytest.mark.parametrize("path", sorted(DEFECTS.glob("*")), ids=lambda path: path.stem)
def test_every_defect_is_answered(account, path):
    code, answer = import_json(path)
    if path.stem in WARNINGS:
        assert (code, answer["status"]) == (0, "succeeded")
        assert all(issue["severity"] == "warning" for issue in answer["issues"])
    else:
        assert code == 1
        assert answer["status"] in ("rejected", "partial")
        errors = [issue for issue in answer["issues"] if issue["severity"] == "error"]
        assert errors
        assert all(issue["message"] and issue["code"] for issue in errors)
    assert Connection.objects.count() == answer["counts"]["created"]
    assert answer["counts"]["rejected"] + answer["counts"]["created"] == answer["counts"]["customers"]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty_file", None),
        (b"\n \n||\n", "empty_file", None),
        (bytes(range(256)), "not_text", 1),
        (b"PK\x03\x04 and so on", "not_text", None),
        (b"\x89PNG\r\n", "not_text", None),
        ("customer_code|profile_name\nC1|Caf\u00e9\n".encode("latin-1"), "wrong_encoding", 2),
        (b'customer_code|profile_name\nC1|x\nC2|"y\nC3|z\n', "unterminated_quote", 3),
        (b'customer_code|"profile_name\nC1|x\n', "unterminated_quote", 1),
        (b"x" * 10_000_000, "line_too_long", 1),
        (b"customer_code|profile_name\nC1|" + b"x" * 10_000_000 + b"\n", "line_too_long", 2),
        (b"profile_name|website\nx|y\n", "missing_column", 1),
        (b"customer_code,profile_name\nC1,x\n", "missing_column", 1),
        (b"customer_code|buyer_email|Buyer Email 1\n", "doubled_column", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_as_a_whole(send, data, code, line):
    run = send.bytes(data)
    assert run.status == Run.Status.REJECTED
    assert issues_of(run) == [(line, "", code)]
    assert run.message
    assert not any(run.counts.values())


def test_a_header_without_rows_is_a_success_of_no_rows(send):
    run = send.text("customer_code|profile_name\n")
    assert (run.status, run.rows, run.issues.count()) == ("succeeded", 0, 0)


def test_a_10_mb_cell_in_quotes_over_many_lines_names_where_it_opens(send):
    run = send.text('customer_code|profile_name\nC1|x\nC2|"' + "long line\n" * 1_000_000)
    assert issues_of(run) == [(3, "", "unterminated_quote")]


def test_no_cell_keeps_a_worker_busy(send):
    """What the cells hold is tried in every way by the rules for what programs make of values, if at all."""
    long = [sign * 200_000 for sign in ("a", "1", " (", "+", "1,", "\u3000x", "a@")]
    cells = [
        ("profile_name", "website", "shipping_country", "buyer_email", "discount")[n % 5] for n in range(len(long))
    ]
    rows = [NEW | {"customer_code": f"C{n}", cells[n]: text} for n, text in enumerate(long)]
    rows += [NEW | {"customer_code": code} for code in (f"a{'*' * 60}!", "x" * 200_000)]
    run = send.text(as_text(rows))
    assert (run.status, run.created, run.rejected) == ("partial", 1, len(long) + 1)
    assert set(run.issues.filter(severity="error").values_list("code", flat=True)) == {"too_long"}


def test_no_header_keeps_a_worker_busy(send):
    run = send.text(f"customer_code|a{'*' * 60}!|{'_1' * 100_000}\nC1||\n")
    assert (run.status, run.issues.filter(code="unknown_column").count()) == ("rejected", 2)


def test_ragged_rows_reject_the_customer_at_the_codes_position(send):
    text = as_text([NEW, NEW | {"customer_code": "C2"}])
    run = send.text(text + "C3|too short\nC2|Harbor Row|EUR|EU Wholesale|surplus\n|no|code\n")
    assert (run.status, run.created, run.rejected, run.rows_rejected, run.rows) == ("partial", 1, 2, 1, 5)
    assert issues_of(run) == [
        (4, "", "wrong_number_of_cells"),
        (5, "", "wrong_number_of_cells"),
        (6, "", "wrong_number_of_cells"),
    ]


def test_nul_is_an_error_of_its_row(send):
    run = send.text(
        as_text([NEW, NEW | {"customer_code": "C2", "profile_name": "a\0b"}]) + "C\x003|x|EUR|EU Wholesale\n"
    )
    assert (run.status, run.created, run.rejected, run.rows_rejected) == ("partial", 1, 1, 1)
    assert issues_of(run) == [(3, "", "nul"), (4, "", "nul")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["manage.py", "--rejects", "nowhere/rejects.txt"], "cannot be written: give a file name in a folder"),
        (["manage.py", "--rejects", "manage.py/rejects.txt"], "cannot be written: give a file name in a folder"),
        (["manage.py", "--rejects", "x" * 300], "cannot be written: File name too long"),
        (["manage.py", "--rejects", "manage.py"], "would overwrite"),
        (["manage.py", "--account", "nobody"], "There is no account 'nobody'"),
    ],
)
def test_wrong_usage_ends_with_2(account, arguments, message):
    with pytest.raises(CommandError, match=message) as error:
        call_command("import_customers", *["--account", "maison", *arguments])
    assert error.value.returncode == 2
    assert not Run.objects.exists()


@pytest.mark.parametrize("command", ["import_customers", "onboard_format", "load_format", "load_lookups"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.txt", "No such file or directory"),
        ("manage.py/x", "Not a directory"),
        ("x" * 300, "File name too long"),
        (".", "(it is not a file|Is a directory)"),
    ],
)
def test_a_path_that_is_no_file_to_read_is_refused_with_the_reason(account, command, path, reason):
    with pytest.raises(CommandError, match=rf"{path} cannot be read: {reason}\.") as error:
        call_command(command, path, "--account", "maison")
    assert error.value.returncode == 2


def test_who_may_not_write_the_rejects_is_told_before_the_import(account, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(CommandError, match=r"rejects\.txt cannot be written: Permission denied") as error:
        call_command("import_customers", "manage.py", "--account", "maison", "--rejects", "rejects.txt")
    assert (error.value.returncode, Run.objects.exists()) == (2, False)


HEADERS = st.sampled_from(
    ["customer_code|profile_name|discount", "customer_code", "a|customer_code|\x00", '"customer_code"|x']
)
TEXT = st.text(alphabet=st.sampled_from('C1x|"\n\r\0\\ é💎\x0b\x1c\u2028'), max_size=60)


@settings(max_examples=80)
@given(
    data=st.one_of(st.binary(max_size=200), st.builds(lambda header, text: f"{header}\n{text}".encode(), HEADERS, TEXT))
)
def test_any_bytes_are_answered(send, data):
    run = send.bytes(data, rejects=send.folder / "rejects.txt")
    assert run.status in ("succeeded", "partial", "rejected")
    accepted = run.created + run.updated + run.unchanged
    assert run.customers == accepted + run.rejected + run.skipped
    assert (run.status == "succeeded") == (not run.issues.filter(severity="error").exists())
