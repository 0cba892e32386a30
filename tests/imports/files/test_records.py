"""Quotes and escapes: which lines are one record, and which line is to blame."""

import csv
import runpy

import pytest

from imports.errors import FileRejected
from imports.files import records
from imports.files.records import RecordReader, read_cells
from imports.formats.policies import Policies, Swallowed
from imports.formats.spec import Dialect, FormatSpec
from tests.imports.customer_files import issues_of
from tests.imports.files.test_sources import scan_bytes
from tests.imports.formats.test_spec import column, spec

HEADER = "customer_code|profile_name|customer_alias"


def read(text, dialect=None, width=0):
    return list(RecordReader(dialect or Dialect(), width, text.encode().splitlines(keepends=True), 1))


def test_a_stray_quote_faults_its_own_line_and_no_other_customer(send):
    run = send.text(
        f'{HEADER}\nC1|One|\nC4|"Four|USD\nC5|Five|\nC6|Six 6" pipe|\nC7|Seven|\n', spec(column("customer_alias"))
    )
    assert (run.rows, run.customers, run.created, run.rejected) == (5, 5, 4, 1)
    assert issues_of(run) == [(3, "", "malformed_quote")]
    assert send.customer("C6")["profile_name"] == 'Six 6" pipe'


@pytest.mark.parametrize(
    ("lines", "faulty"),
    [
        (['A|"a', "B|b", 'C|"c'], [1, 3]),
        (['A|"a', 'B|"b', 'C|c" d'], [1, 2]),
        (['A|"a', 'B"|"', 'C"|"', 'D|d"x', "E|e"], [1, 2, 3]),
        (['A|"a"x', "B|b"], [1]),
    ],
)
def test_each_line_of_a_failed_record_is_judged_by_itself(lines, faulty):
    rows = read("\n".join([*lines, 'Y|"y"', "Z|z"]) + "\n")
    assert [row.line for row in rows if row.fault] == faulty
    assert [row.line for row in rows] == list(range(1, len(lines) + 3))


def test_the_second_read_gives_the_faulty_rows_again(tmp_path):
    result = scan_bytes(tmp_path / "f", b'h|i\nA|a\nA|"b\nA|c" d\nA|e\nB|"x\ny"\n')
    assert [(line, bool(fault)) for line, _, fault in result["A"][1]] == [(2, False), (3, True), (4, False), (5, False)]
    assert result["B"][1] == [(6, ["B", "x\ny"], "")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('A|"two\nlines"|"open\nB|b\n', 2),
        ('A|a\nB|"open', 2),
        ('A|"a"|"b ""c"" \nd"|"open\nx\n', 2),
        ('A|"' + "x\n" * 600_000, 1),
    ],
)
def test_a_quote_that_never_closes_is_named_by_the_line_in_which_it_opens(text, line):
    with pytest.raises(FileRejected) as rejection:
        read(text)
    assert (rejection.value.code, rejection.value.line) == ("unterminated_quote", line)


def test_an_escape_at_the_end_of_a_file_is_no_quote():
    with pytest.raises(FileRejected, match="The escape"):
        read("A|a\\", Dialect(quotechar=None, escapechar="\\"))


SWALLOWED = f'{HEADER}\nC4|"Four|x\nC5|Five|x\nC6|Six"|x\nC7|Seven|x\n'


def test_a_cell_that_takes_in_rows_warns_and_says_how_many(send):
    run = send.text(SWALLOWED)
    (issue,) = run.issues.filter(code="swallowed_lines")
    assert (issue.line, issue.severity, issue.customer_code) == (2, "warning", "C4")
    assert "takes in 2 more lines" in issue.message


@pytest.mark.parametrize(
    ("policy", "status"), [(Swallowed.HOLD, "held"), (Swallowed.WARN, "succeeded")], ids=["hold", "warn"]
)
def test_a_file_whose_cells_take_in_rows_is_held_where_the_format_says_so(send, policy, status):
    run = send.text(SWALLOWED, spec(column("customer_alias"), swallowed_lines=policy))
    assert (run.status, run.held_for) == (status, "swallowed_lines" if status == "held" else "")
    assert list(run.issues.values_list("code", flat=True)) == ["swallowed_lines"]
    assert not run.held_for or "2 lines that look like rows" in run.message


def test_rows_taken_in_by_a_row_of_the_wrong_width_are_told_too(send):
    run = send.text(f'{HEADER}\nC4|"Four|x\nC5|Five|x\nC6|Six|x"\n', spec(column("customer_alias")))
    assert run.status == "held"
    assert {code for _, _, code in issues_of(run)} == {"swallowed_lines", "wrong_number_of_cells"}


def test_an_address_of_several_lines_holds_no_file(send):
    text = 'customer_code,profile_name,customer_alias\nC1,A,"12, rue X,\nBât. B, 2e"\n'
    assert send.text(text, spec(column("customer_alias"), dialect=Dialect(delimiter=","))).status == "succeeded"


@pytest.mark.parametrize("cell", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_other_breaks_of_unicode_are_part_of_a_cell(tmp_path, cell, quote):
    text = f"h{cell}h|i\nA|{quote}a{cell}b{quote}|c\nB|b\n"
    result = scan_bytes(tmp_path / "f", text.encode(), Dialect(skip_lines=0))
    assert result["A"][1] == [(2, ["A", f"a{cell}b", "c"], "")]
    skipped = scan_bytes(tmp_path / "f", f"pre{cell}amble\n{text}".encode(), Dialect(skip_lines=1))
    assert skipped["A"][1] == [(3, ["A", f"a{cell}b", "c"], "")]


def test_a_spaced_delimiter_beside_a_nul_names_no_customer(tmp_path):
    dialect = Dialect(delimiter=",", quotechar=None, allow_spaced_delimiter=True)
    result = scan_bytes(tmp_path / "f", b"h,i\nA, x,y\nC\x003, x,y\n", dialect)
    assert result["A, x"][1] == [(2, ["A, x", "y"], "")]
    assert set(result) == {"A, x", ""}


def test_without_a_header_the_width_belongs_to_the_format(send):
    dialect = Dialect(has_header=False, width=4)
    format_ = spec(column("customer_code", 1), column("profile_name", 2), column("customer_alias", 3), dialect=dialect)
    run = send.text("C1|A|x|surplus|one\nC2|B|y|\nC3|C|z\n", format_)
    assert (run.status, run.created, run.rejected) == ("partial", 1, 2)
    assert [(line, code) for line, _, code in issues_of(run)] == [
        (1, "wrong_number_of_cells"),
        (3, "wrong_number_of_cells"),
    ]
    assert list(send.customers()) == ["C2"]


def test_a_format_that_says_no_width_ends_with_its_last_mapped_column(send):
    format_ = spec(column("customer_code", 1), column("profile_name", 2), dialect=Dialect(has_header=False))
    run = send.text("C1|A|surplus\nC2|B\n", format_)
    assert (run.created, run.rejected) == (1, 1)
    assert "since it says no width" in run.issues.get().message


def test_the_width_is_part_of_what_rows_mean_and_its_default_is_not():
    columns = (column("customer_code", 1), column("profile_name", 2))
    digests = {
        FormatSpec("x", Dialect(has_header=False, width=width), columns, policies).digest
        for width in (0, 2, 3)
        for policies in (Policies(), Policies(swallowed_lines=Swallowed.WARN))
    }
    assert len(digests) == 6


def test_a_long_cell_is_read_whatever_limit_the_csv_module_has():
    limit = csv.field_size_limit(1000)
    try:
        assert [row.cells for row in read(f'"{"x" * 5000}"|y\n')] == [["x" * 5000, "y"]]
        csv.field_size_limit(1000)
        assert next(read_cells([f"{'x' * 5000}|y"], delimiter="|", quotechar=None))[1] == "y"
    finally:
        csv.field_size_limit(max(limit, csv.field_size_limit()))


def test_an_import_of_the_module_leaves_the_limit_of_the_csv_module_alone():
    limit = csv.field_size_limit(1000)
    try:
        runpy.run_path(records.__file__)
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(limit)
