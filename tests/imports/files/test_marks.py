"""Rows that are marked: those that a format leaves out, and those of which nobody has said what they are."""

from dataclasses import replace
from io import StringIO

import pytest

from imports.files.exporting import export_file
from imports.formats.policies import BlankCode, FormatError, Policies, RowMark
from imports.formats.spec import Dialect, FormatSpec
from imports.runs.releasing import release_run
from tests.imports.customer_files import NEW, as_text, issues_of
from tests.imports.formats.test_spec import column

LEAVE_OUT, TAKE = RowMark.LEAVE_OUT, RowMark.TAKE
NAMES = ("customer_code", "profile_name", "price_type_currency_1", "price_type_name_1")
HEADER = "customer_code|profile_name|price_type_currency|price_type_name|status"
COLUMNS = tuple(column(name, name.removesuffix("_1")) for name in NAMES)


def erp(marks, *, dialect=None, **others):
    policies = Policies(row_marks=marks, **others)
    return FormatSpec("erp", dialect or Dialect(), COLUMNS, policies, tuple(HEADER.split("|")))


def rows(*statuses, quote=""):
    """A file of a customer for each status, C1 and on, of which the name of one may be in quotes."""
    lines = [f"C{n}|{quote}Shop {n}{quote}|EUR|EU Wholesale|{status}" for n, status in enumerate(statuses, 1)]
    return "\n".join([HEADER, *lines, ""])


@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_are_left_out_as_the_format_says(send, quote):
    spec = erp({"Status": {"d": LEAVE_OUT}})
    run = send.text(rows("A", "D", "A", " d ", "", quote=quote), spec)
    assert (run.status, run.rows, run.customers) == ("succeeded", 3, 3)
    assert [*send.customers()] == ["C1", "C3", "C5"]
    assert [(issue.line, issue.code, issue.severity) for issue in run.issues.all()] == [
        (3, "left_out", "info"), (5, "left_out", "info"),
    ]  # fmt: skip
    again = send.text(rows("D", "D", "A", "D", "", quote=quote), spec)
    assert (again.status, again.unchanged, [*send.customers()]) == ("succeeded", 2, ["C1", "C3", "C5"])


def test_rows_of_one_customer_are_told_apart_and_so_are_those_that_continue_them(send):
    spec = erp({"status": {"D": LEAVE_OUT}}, blank_code=BlankCode.CONTINUE)
    usd = "||USD|US Wholesale|\n"
    run = send.text(f"{rows('A', 'D')}||EUR|EU Wholesale|\n{usd}{rows('A').partition(chr(10))[2]}{usd}", spec)
    assert (run.status, run.rows, run.customers) == ("succeeded", 3, 1)
    assert send.customer()["price_types"] == [["EUR", "EU Wholesale"], ["USD", "US Wholesale"]]


def test_a_row_in_which_cells_have_moved_is_not_left_out(send):
    run = send.text(f"{rows('A')}C2|Oak|Ash|EUR|D|A\n", erp({"status": {"D": LEAVE_OUT}}))
    assert (run.status, run.rejected, run.created) == ("partial", 1, 1)
    assert (3, "", "wrong_number_of_cells") in issues_of(run)


@pytest.mark.parametrize("footer", ["T|3|3", "T|2|2"])
def test_a_footer_may_count_what_is_left_out(send, footer):
    dialect = Dialect(footer="T|{rows}|{customers}")
    run = send.text(f"{rows('A', 'D', 'A')}{footer}\n", erp({"status": {"D": LEAVE_OUT}}, dialect=dialect))
    assert (run.status, run.customers) == ("succeeded", 2)


def test_a_file_without_the_column_is_held(send):
    text = rows("A", "D").replace("|status", "").replace("|A\n", "\n").replace("|D\n", "\n")
    run = send.text(text, erp({"status": {"D": LEAVE_OUT}}))
    assert (run.status, run.held_for) == ("held", "header")
    assert "'status', by which the format leaves rows out, is missing" in run.message


def test_without_a_header_the_column_is_a_position(send):
    columns = tuple(column(name, place) for place, name in enumerate(NAMES, 1))
    dialect = Dialect(has_header=False, width=5)
    spec = FormatSpec("erp", dialect, columns, Policies(row_marks={"5": {"X": LEAVE_OUT}}))
    assert send.text(rows("", "X").partition("\n")[2], spec).created == 1
    with pytest.raises(FormatError, match="no position of a row"):
        replace(spec, policies=Policies(row_marks={"status": {"X": LEAVE_OUT}}))


@pytest.mark.parametrize("spec", [None, erp({}), erp({"status": {"X": LEAVE_OUT}})])
@pytest.mark.parametrize("quote", ["", '"'])
def test_marks_of_which_nothing_is_said_hold_the_file(send, spec, quote):
    run = send.text(rows("A", "D", "A", "D", quote=quote), spec)
    assert (run.status, run.held_for, send.customers()) == ("held", "row_marks", {})
    assert run.message.startswith("2 rows with 'D' in 'status' (from line 3 on) are marked as deleted or inactive")
    assert [issue for issue in issues_of(run) if issue[2] == "row_mark"] == [(3, "", "row_mark")]
    assert run.evidence


def test_a_file_that_is_released_goes_in_as_it_is(send):
    run = send.text(rows("A", "D", "A", "D"))
    released = release_run(run, by="eve")
    assert (released.status, released.created) == ("succeeded", 4)


@pytest.mark.parametrize(
    ("spec", "statuses"),
    [(None, ["A", "ACTIVE"]), (erp({}), ["A", "B", "D"]), (erp({"status": {"D": TAKE}}), ["A", "D"])],
)
def test_other_values_hold_nothing(send, spec, statuses):
    run = send.text(rows(*statuses), spec)
    assert (run.status, run.created) == ("succeeded", len(statuses))


def test_a_column_that_a_field_is_read_from_marks_nothing_and_the_header_again_is_no_mark(send):
    group = column("customer_alias", "status")
    spec = FormatSpec("erp", Dialect(), (*COLUMNS, group), Policies(), tuple(HEADER.split("|")))
    assert send.text(rows("A", "D"), spec).status == "succeeded"
    text = as_text([NEW | {"deleted": "0"}])
    assert send.text(text + text).status == "succeeded"


def test_what_is_exported_is_not_left_out(send, account):
    spec = erp({"status": {"": LEAVE_OUT, "Y": TAKE}})
    assert send.text(rows("Y", ""), spec).created == 1
    export_file(account, out := StringIO(), spec)
    again = send.text(out.getvalue(), spec)
    assert (again.status, again.customers) == ("succeeded", 1)
    with pytest.raises(FormatError, match="say which value is taken"):
        Policies(row_marks={"status": {"": LEAVE_OUT}})
