"""Quotes behind spaces, and spaces behind quotes: read where the dialect says so, else never part of a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.errors import FileRejected
from imports.files.quoting import SPACES_AROUND_QUOTES
from imports.files.records import RecordReader
from imports.formats.spec import Dialect
from tests.imports.customer_files import issues_of
from tests.imports.files.test_sources import scan_bytes
from tests.imports.formats.test_spec import column, spec

SPACED = Dialect(spaces_around_quotes=True)
HEADER = "customer_code|profile_name|customer_alias"


def read(text, dialect=SPACED):
    return list(RecordReader(dialect, 0, text.encode().splitlines(keepends=True), 1))


SPACED_ROWS = [
    (' "C1"|"A"|x', ["C1", "A", "x"]),
    ('C1| "A"|x', ["C1", "A", "x"]),
    ('C1|"A" |x', ["C1", "A", "x"]),
    ('C1|\t"A" \t|x', ["C1", "A", "x"]),
    ('C1|\xa0"A"\u2003|x', ["C1", "A", "x"]),
    ('C1| "A | Co" |x', ["C1", "A | Co", "x"]),
    ('C1| "the ""Oak""" | "x" ', ["C1", 'the "Oak"', "x"]),
    ('C1| "" |x', ["C1", "", "x"]),
    ('C1|  " A "|x', ["C1", " A ", "x"]),
    (' "C1" | "A" | "x" ', ["C1", "A", "x"]),
    ('\u200b"C1"|"A"|x', ["C1", "A", "x"]),
    ('C1|\u200b"A"|"x"', ["C1", "A", "x"]),
    ('C1|"A"\u200e|x', ["C1", "A", "x"]),
    ('C1|\xad \u2060"A | Co" \ufeff|x', ["C1", "A | Co", "x"]),
    ('"C1"\ufeff|\ufeff"A"|x', ["C1", "A", "x"]),
]
PLAIN_ROWS = [
    ('C1|Box 24" Shoes|x', ["C1", 'Box 24" Shoes', "x"]),
    ('C1| the "Oak" | x', ["C1", ' the "Oak" ', " x"]),
    ('C1|" ""A"""|x', ["C1", ' "A"', "x"]),
    ('C1|"a | ""b"" | c"|x', ["C1", 'a | "b" | c', "x"]),
    ('C1|5 "|x', ["C1", '5 "', "x"]),
    ('C1|"A"|x', ["C1", "A", "x"]),
    ('C1|\u200bA "Oak"\u200b|x', ["C1", '\u200bA "Oak"\u200b', "x"]),
    ('C1|"\u200bA"|x', ["C1", "\u200bA", "x"]),
]


@pytest.mark.parametrize(("row", "cells"), [*SPACED_ROWS, *PLAIN_ROWS])
def test_spaces_around_quotes_are_no_part_of_a_cell_where_the_dialect_says_so(row, cells):
    for end in ("", "\n", "\r\n", "\r"):
        assert [(found.cells, found.fault) for found in read(row + end)] == [(cells, "")], repr(end)


@pytest.mark.parametrize(("row", "cells"), SPACED_ROWS)
def test_spaces_around_quotes_are_a_fault_else_and_the_row_keeps_its_cells(row, cells):
    rows = [(found.cells, found.fault) for found in read(f"C0|{row}\nC2|b|y\n", Dialect())]
    assert rows == [(["C0", *cells], SPACES_AROUND_QUOTES), (["C2", "b", "y"], "")]


@pytest.mark.parametrize(("row", "cells"), PLAIN_ROWS)
def test_quotes_within_a_cell_are_no_fault(row, cells):
    assert [(found.cells, found.fault) for found in read(row, Dialect())] == [(cells, "")]


@pytest.mark.parametrize(
    ("row", "code"),
    [('C1| "A" x|y', "C1"), ('"C1"|"A"x|y', "C1"), (' "C1"|"A"x|y', "C1"), ('"C1"| \'A\'|"x"y', "C1")],
)
@pytest.mark.parametrize("dialect", [Dialect(), SPACED])
def test_text_behind_a_closing_quote_is_a_fault_either_way_and_the_customer_is_named(dialect, row, code):
    (found,) = read(row, dialect)
    assert found.fault
    assert found.cells[0] == code


def test_a_backslash_before_a_quote_is_named_with_the_setting_that_reads_it():
    row = 'C1|"A \\"B\\" C"|x'
    assert "escapechar" in read(row, Dialect())[0].fault
    assert read(row, Dialect(escapechar="\\"))[0].cells == ["C1", 'A "B" C', "x"]


def test_a_cell_of_several_lines_may_stand_behind_spaces():
    rows = read('C1| "two\n  "" lines"" \n"  |x\nC2|b|y\n')
    assert [(row.line, row.cells) for row in rows] == [(1, ["C1", 'two\n  " lines" \n', "x"]), (4, ["C2", "b", "y"])]


@pytest.mark.parametrize("row", ['C1|"two\nlines" |x', 'C1|"two\nlines"| "x"'])
def test_a_faulty_row_of_several_lines_is_one_row_in_both_reads(tmp_path, row):
    result = scan_bytes(tmp_path / "f", f"h|i|j\n{row}\n\nC2|b|y\n".encode())
    assert result["C1"][1] == [(2, ["C1", "two\nlines", "x"], SPACES_AROUND_QUOTES)]
    assert result["C2"][1] == [(5, ["C2", "b", "y"], "")]


def test_a_stray_quote_with_a_space_behind_the_next_one_takes_in_no_rows():
    rows = read('C1|"a|x\nC2|b|x\nC3|c" |x\nC4|d|x\n', Dialect())
    assert [(row.line, bool(row.fault)) for row in rows] == [(1, True), (2, False), (3, False), (4, False)]


@pytest.mark.parametrize("dialect", [SPACED, Dialect(spaces_around_quotes=True, escapechar="\\")])
def test_a_quote_behind_spaces_that_never_closes_is_named_by_its_line(dialect):
    with pytest.raises(FileRejected) as rejection:
        read('A| "two\nlines" | "open\nB|b|\n', dialect)
    assert (rejection.value.code, rejection.value.line) == ("unterminated_quote", 2)


def test_escapes_are_read_as_ever():
    dialect = Dialect(escapechar="\\", spaces_around_quotes=True)
    rows = read('C1\\| "A"| "the \\"Oak\\" | Co" |two\\\nlines| "x"\nC2\n', dialect)
    assert [row.cells for row in rows] == [['C1| "A"', 'the "Oak" | Co', "two\nlines", "x"], ["C2"]]


def test_where_a_space_is_the_delimiter_it_is_no_space():
    assert [row.cells for row in read('C1 "A B" \t"x"\n', Dialect(delimiter=" "))] == [["C1", "A B", "x"]]
    assert [row.cells for row in read('C1 "A B" \t"x"\t\n', Dialect(delimiter=" ", spaces_around_quotes=True))] == [
        ["C1", "A B", "x"]
    ]


CELLS = st.lists(st.text(st.sampled_from('ab |"\n\r\t\xa0'), max_size=6), min_size=1, max_size=4)


@given(
    st.lists(CELLS, min_size=1, max_size=3), st.lists(st.sampled_from(["", " ", "\t ", "\xa0", "\u200b"]), min_size=8)
)
def test_records_read_the_same_whatever_spaces_stand_around_their_quotes(records, spaces):
    lines = [
        "|".join(
            spaces[number % len(spaces)] + '"' + cell.replace('"', '""') + '"' + spaces[(number * 3 + 1) % len(spaces)]
            for number, cell in enumerate(cells)
        )
        for cells in records
    ]
    assert [(row.cells, row.fault) for row in read("\n".join(lines) + "\n")] == [(cells, "") for cells in records]


def test_a_customer_is_created_with_what_stands_in_quotes(send):
    text = f'{HEADER}\n "C1" | "Ash | Co" |x\nC2 |Oak| "y"\n'
    run = send.text(text, spec(column("customer_alias"), dialect=SPACED))
    assert (run.status, run.created) == ("succeeded", 2)
    assert {code: customer["profile_name"] for code, customer in send.customers().items()} == {
        "C1": "Ash | Co",
        "C2": "Oak",
    }


def test_a_customer_whose_quotes_stand_behind_spaces_is_rejected_whole(send, tmp_path):
    rejects = tmp_path / "rejects.txt"
    rows = ["C1|Ash|x", ' "C1"| "Ash | Co"|y', "C2|Oak|z"]
    run = send.text("\n".join([HEADER, *rows, ""]), spec(column("customer_alias")), rejects=rejects)
    assert (run.created, run.rejected) == (1, 1)
    assert issues_of(run) == [(3, "", "malformed_quote")]
    issue = run.issues.get()
    assert issue.customer_code == "C1"
    assert "spaces_around_quotes" in issue.message
    again = send.bytes(rejects.read_bytes(), spec(column("customer_alias")))
    assert issues_of(again) == [(3, "", "malformed_quote")]


def test_a_header_whose_quotes_stand_behind_spaces_is_read_or_refused(send):
    text = 'customer_code| "profile_name" |customer_alias\nC1|Ash|x\n'
    run = send.text(text, spec(column("customer_alias")))
    assert (run.status, issues_of(run)) == ("rejected", [(1, "", "malformed_quote")])
    assert "spaces_around_quotes" in run.issues.get().message
    assert send.text(text, spec(column("customer_alias"), dialect=SPACED)).status == "succeeded"
