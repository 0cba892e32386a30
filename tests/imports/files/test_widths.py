"""How many cells rows have: what is said of those with others, and which of them a format allows."""

from collections import Counter

import pytest

from imports.files.near_lines import NearLines
from imports.files.opening import open_source
from imports.files.scanning import read_rows, scan_customers
from imports.formats.spec import Dialect
from tests.imports.customer_files import NEW, issues_of
from tests.imports.files.test_sources import SEED
from tests.imports.formats.test_spec import column, spec

NAMES = ("customer_alias", "alternate_name", "website", "discount", "discount_line_item_level")
HEADER = "|".join(["customer_code", "profile_name", *NAMES])


def wide(**policies):
    return spec(*map(column, NAMES), **policies)


def said(run):
    """What is said of each line's width."""
    return dict(run.issues.filter(code="wrong_number_of_cells").values_list("line", "message"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("C1|A||||||", "7 are expected: a delimiter too many stands at its end"),
        ("C1|A||||0|no| ", "let the format allow it (allow_trailing_delimiter)"),
        ("C1|A|||||||", "2 blank cells too many stand at its end"),
        ("C1|A|b|c||||x", "has 8 cells; 7 are expected. A cell that holds the delimiter must be in quotes."),
        ("C1|A||||0", "If the last one (discount_line_item_level) was left out as blank"),
        ("C1|A||", "If the last 3 (website, discount, discount_line_item_level) were left out as blank"),
        ("C1|A||", "let the format allow it (allow_short_rows)"),
        (
            "C1|A \\| B|b||||0|no",
            "A backslash stands before the delimiter behind cell 2. Put that cell in quotes instead",
        ),
        ('"C2|B|||||"', "It stands in quotes as a whole; put cells in quotes, or none."),
        ("C1;A;;;;;", "7 are expected: it uses semicolons, and the file pipes."),
        ("C1", "The row has 1 cell; 7 are expected. If the line is no row, leave it out, or let the format name it"),
    ],
)
def test_a_row_of_another_width_is_said_to_be_what_it_is(send, row, words):
    run = send.text(f"{HEADER}\n{row}\nC2|B|||||\n", wide())
    assert words in said(run)[2]
    assert (run.created, run.rejected) == (1, 1)


def test_blank_cells_that_are_left_out_are_read_where_the_format_allows_it(send):
    format_ = wide(allow_short_rows=True)
    run = send.text(f"{HEADER}\nC1|A|x||||\nC2|B|y\nC3|C\nC4\n", format_)
    assert issues_of(run) == [(5, "profile_name", "required")]
    assert {code: customer["customer_alias"] for code, customer in send.customers().items()} == {
        "C1": "x",
        "C2": "y",
        "C3": "",
    }
    assert send.text(f"{HEADER}\nC1|A|x|||||surplus\n", format_).status == "rejected"


def test_a_row_is_not_short_where_a_backslash_stands_before_a_delimiter(send):
    format_ = wide(allow_short_rows=True)
    run = send.text(f"{HEADER}\nC1|A \\| B|x|y\nC2|B|y\\\nC3|C\n", format_)
    assert issues_of(run)[0] == (2, "", "wrong_number_of_cells")
    assert "A backslash stands before the delimiter behind cell 2." in said(run)[2]
    assert (run.created, run.rejected, send.customer("C2")["customer_alias"]) == (2, 1, "y\\")
    assert [code for *_, code in issues_of(run)[1:]] == ["short_row", "mangled_value"]


def test_rejects_of_short_rows_come_back_as_sound_rows(send, tmp_path):
    format_, rejects = wide(allow_short_rows=True), tmp_path / "rejects.txt"
    send.text(f"{HEADER}\nC1|A|||?\nC2|\n", format_, rejects=rejects)
    again = send.bytes(rejects.read_bytes(), format_)
    assert issues_of(again) == [(2, "website", "invalid_website"), (3, "profile_name", "required")]


BROKEN = {
    "in a name": ["C1|Harbor", "Row|a|b|shop.example||"],
    "before a delimiter": ["C1|Harbor Row", "|a|b|||"],
    "in the last cell": ["C1|A|a|b||10|y", "es"],
    "twice": ["C1|Har", "bor", "Row|a|b|shop.example||"],
    "with a blank line": ["C1|Har", "", "bor|a|b|shop.example||"],
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_row_that_a_line_break_cut_is_named_as_one(send, name, newline):
    lines = [HEADER, "C8|Before|||||", *BROKEN[name], "C9|Behind|||||"]
    run = send.text(newline.join([*lines, ""]), wide())
    if name == "in the last cell":  # it lost nothing that shows
        assert said(run)[4].startswith("The row has 1 cell")
        return
    last = len(BROKEN[name]) + 2
    assert "a line break seems to stand inside a cell. Put that cell in quotes" in said(run)[3]
    assert f"{last}" in said(run)[3]
    assert "Together with line" in said(run)[last]
    assert list(send.customers()) == ["C8", "C9"]


def test_a_line_break_is_named_where_the_customer_has_more_rows(send):
    rows = [f"C1|A|||{number}||" for number in range(300)]
    rows[150:150] = ["C1|Har", "bor|||||", "C1|Har", "C1|||||"]
    for policies in ({}, {"allow_short_rows": True}):
        run = send.text("\n".join([HEADER, *rows, ""]), wide(**policies))
        assert [line for line, message in sorted(said(run).items()) if "line break" in message] == [152, 153, 154, 155]


def test_two_short_rows_of_few_columns_may_be_either(send):
    run = send.text("customer_code|profile_name|customer_alias\nC1|A\nC2|B\n", spec(column("customer_alias")))
    assert all("line break" in message and "left out" in message for message in said(run).values())


@pytest.mark.parametrize(
    "lines",
    [
        ["C1|Harbor", "Row|a|b|||"],
        ["C1|Harbor", "R1|a|b|||"],
        ["C1|Harbor Row|a|b||1", "0|y"],
        ["C1|Harbor Row", "|a|b||10|y"],
        ["C1|Harbor Row", " 12 (back)|a|b||10|y"],
        ["C1|Har", "bor", "Row|a|b|||y"],
        ["C1|Har", "", "bor|a|b|||y"],
        ['"C1"|"A"|Har', 'bor|"b|c"|||y'],
        ["C1|A|a|b||1", "C2000|y"],
    ],
)
def test_rows_that_are_one_are_refused_where_short_rows_are_allowed_too(send, lines):
    run = send.text("\n".join([HEADER, "C8|Before|x", *lines, "C9|Behind|||||", ""]), wide(allow_short_rows=True))
    errors = dict(run.issues.filter(severity="error").values_list("line", "message"))
    assert "a line break seems to stand inside a cell." in errors[3]
    assert "a line break seems to stand inside a cell." in errors[len(lines) + 2]
    assert "left out" not in errors[3]
    assert list(send.customers()) == ["C8", "C9"]


def test_a_short_row_beside_two_that_are_one_is_none_of_them(send):
    lines = [HEADER, "C8|A|x", "C1|Harbor", "Row|a|b|||", "C9|B", "C10|C|x|y", "C2|Harbor Row|a|b", "Main|yes||"]
    run = send.text("\n".join([*lines, ""]), wide(allow_short_rows=True))
    assert [*said(run)] == [3, 4, 7, 8]
    assert sorted(send.customers()) == ["C10", "C8", "C9"]


def test_short_rows_with_codes_of_one_form_are_rows_however_many_cells_they_have(send):
    rows = [f"C{number}|A|x|y" for number in range(10, 16)]
    rows += ["D1|A|x", "D2|A|x|y|shop.example", "D3|A|x", "D4|A|x|y", "D5|A|x|y"]
    run = send.text("\n".join([HEADER, *rows, ""]), wide(allow_short_rows=True))
    assert (run.status, run.created) == ("succeeded", 11)
    assert {issue.code for issue in run.issues.all()} == {"short_row"}


@pytest.mark.parametrize(
    "line",
    [
        "C2|B|||||customer_code|profile_name|CUSTOMER ALIAS|alternate_name|website|discount|discount_line_item_level",
        f"C2|B|||||no{HEADER}",
        f"C2|B|||||no\ufeff{HEADER}",
        f"C2|B|x{HEADER}",
        f'"C2"|"B"|""|""|""|""|"no"\ufeff"{HEADER.replace("|", chr(34) + "|" + chr(34))}"',
        f'"C2"|"B"|""|""|""|""|"no""{HEADER.replace("|", chr(34) + "|" + chr(34))}"',
        "C2|B|||||no\ufeffC3|C|||||",
    ],
)
def test_a_line_on_which_a_second_file_begins_is_named_as_that(send, line):
    run = send.text(f"{HEADER}\nC1|A|||||\n{line}\nC4|D|||||\n", wide())
    assert (run.created, run.rejected) == (2, 1)
    assert "Two files seem to be joined on this line" in run.issues.get().message
    assert run.issues.get().customer_code == "C2"


@pytest.mark.parametrize(
    "header",
    [
        "profile_name|customer_code|customer_alias|alternate_name|website|discount|discount_line_item_level",
        "customer_code|profile_name|website",
        "Customer Code|Notes|Website|Buyer Email",
        "\ufeffwebsite|customer_code|profile_name",
    ],
)
def test_a_header_with_other_columns_at_the_end_of_a_row_rejects_the_file(send, header):
    run = send.text(f"{HEADER}\nC1|A|||||\nC2|B|||||no{header}\nHarbor|C4|||||\n", wide())
    assert send.customers() == {}
    assert (run.status, issues_of(run)) == ("rejected", [(3, "", "other_header")])


def test_two_rows_on_one_line_are_named_as_that(send):
    run = send.text(f"{HEADER}\nC1|A|||||xC2|B|||||\n", wide())
    assert (
        said(run)[2]
        == "The row has 13 cells; 7 are expected: two rows seem to stand on one line. End each with a line end."
    )


def test_lines_around_a_row_are_found_in_any_order_and_behind_long_ones(tmp_path):
    rows = ["A|1|2|3", "A|1", "B|2|3", "A|1|2|3", "x" * 40_000 + "|1|2|3", "A|9", "C|2|3", "A|1|2|3"]
    (tmp_path / "f").write_text("\n".join(["a|b|c|d", *rows, ""]))
    with open_source(tmp_path / "f", Dialect()) as source:
        scan = scan_customers(source, 0, SEED, lambda size: None)
        lines = NearLines(source, scan)
        short = [
            row
            for number in range(len(scan.customers))
            for row in read_rows(source, scan, scan.spans(number))
            if len(row.cells) < 4
        ]
        parts = {row.line: [part.line for part in next(lines.find_parts(row, 4))] for row in [*short, *reversed(short)]}
    assert parts == {3: [3, 4], 4: [3, 4], 7: [7, 8], 8: [7, 8]}


@pytest.mark.parametrize(
    ("behind", "rows", "errors"),
    [
        ("|", ["C1|A|x", "C2|B|"], {}),
        ("||", ["C1|A|x", "C2|B|"], {}),
        ("||", ["C1|A|x|", "C2|B|y|z"], {}),
        ("|", ["C1|A|x|", "C2|B|y|"], {}),
        ("|", ["C1|A|x|", "C2|B|y"], {3: "wrong_number_of_cells"}),
        ("|", ["C1|A|", "C2|B|"], {2: "wrong_number_of_cells", 3: "wrong_number_of_cells"}),
        ("|", ["C1|A|x", "C2|B|y|z"], {2: "wrong_number_of_cells"}),
        ("|", ["C1|A"], {2: "wrong_number_of_cells"}),
    ],
)
def test_a_nameless_last_header_cell_is_no_column_where_nothing_stands_below(send, behind, rows, errors):
    text = "\n".join([f"customer_code|profile_name|customer_alias{behind}", *rows, ""])
    run = send.text(text, spec(column("customer_alias")))
    assert {line: code for line, _, code in issues_of(run) if code != "unknown_column"} == errors


def test_a_nameless_last_header_cell_of_the_standard_template_is_no_column_either(send, tmp_path):
    rejects = tmp_path / "rejects.txt"
    header, values = "|".join(NEW), "|".join(NEW.values())
    run = send.text(f"{header}|\n{values}\n{values.replace('C1', 'C2').replace('EUR', 'Q')}\n", rejects=rejects)
    assert Counter(code for _, _, code in issues_of(run)) == {"invalid_currency": 1}
    assert rejects.read_text().splitlines()[0] == f"{header}|_line|_code|_field|_message"
    assert send.text(f'{header}|\n{values}\n"C3').status == "rejected"


def test_columns_without_a_name_are_one_warning(send):
    header, values = "|".join(NEW), "|".join(NEW.values())
    run = send.text(f"{header}|fax||||\n{values}||||x|\n")
    assert list(run.issues.order_by("id").values_list("column", "message")) == [
        ("fax", "Column 5 ('fax') is no field of the template; it is not read."),
        ("6", "Columns 6, 7, 8 and 9 have no name; they are not read."),
    ]
    run = send.text(f"{header}|\n{values}|\n")
    assert run.issues.get().message == "Column 5 has no name; it is not read."
