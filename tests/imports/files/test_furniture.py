"""Lines that belong to the pages of a file: the header again, lines for spreadsheets, titles and rules."""

from dataclasses import replace

import pytest

from imports.formats.spec import Dialect
from tests.imports.customer_files import issues_of
from tests.imports.files.test_sources import lines_of, scan_bytes
from tests.imports.formats.test_spec import column, spec

HEADER = "customer_code|profile_name|price_type_currency|price_type_name"


def row(code):
    return f"{code}|Harbor Row|EUR|EU Wholesale"


@pytest.mark.parametrize(
    "again",
    [
        HEADER,
        HEADER.upper(),
        "Customer Code|Profile Name|Price Type Currency|Price Type Name",
        " customer_code | profile_name|price_type_currency |price_type_name",
        HEADER.replace("profile_name", '"profile_name"'),
        f'"{HEADER.replace("|", chr(34) + "|" + chr(34))}"',
        f"{HEADER}\n{HEADER}",
    ],
)
def test_the_header_again_is_no_row(send, again):
    run = send.text("\n".join([HEADER, row("C1"), again, row("C1"), row("C2"), again, again, ""]))
    assert (run.status, run.rows, list(send.customers())) == ("succeeded", 3, ["C1", "C2"])
    assert issues_of(run) == [(3, "", "repeated_header")]
    times = 3 * len(again.splitlines()) - 1
    assert f"on line 3 and {times} more times below" in run.issues.get().message
    assert send.text("\n".join([HEADER, row("C1"), row("C1"), row("C2"), ""])).unchanged == 2


def test_a_header_that_stands_again_once_is_told_once(send):
    run = send.text(f"{HEADER}\n{row('C1')}\n{HEADER}\n")
    assert run.issues.get().message == "The header stands again on line 3; as no row is one, this is left out."


@pytest.mark.parametrize("quote", ["", '"'])
def test_the_header_of_a_format_is_no_row_wherever_its_code_stands(tmp_path, quote):
    again = f"Ort|{quote}Kd Nr{quote}|"
    data = f"Ort|Kd Nr|\nx|1|\n{again}\n{again}\ny|1|\n{again.upper()}\nz|2|\n".encode()
    for forced in (False, True):
        assert lines_of(scan_bytes(tmp_path / "f", data, code_index=1, forced=forced)) == {"1": [2, 5], "2": [7]}


def test_a_header_without_a_name_for_the_code_is_no_row_either(tmp_path):
    data = b"|Name|Ort\n|a|b\n|Name|Ort\n1|x|y\n|NAME|ort\n"
    assert lines_of(scan_bytes(tmp_path / "f", data)) == {"": [2], "1": [4]}


def test_a_customer_may_be_called_like_a_column(tmp_path):
    data = b"code|name|city\nname|x|y\nCity|x|y\ncode|y|y\n"
    assert lines_of(scan_bytes(tmp_path / "f", data)) == {"name": [2], "City": [3], "code": [4]}


@pytest.mark.parametrize(
    "other",
    [
        "profile_name|customer_code|price_type_currency|price_type_name",
        "Customer Code|Profile Name|Buyer Email|Price Type Name",
        f"{HEADER}|website",
        "customer_code|profile_name",
    ],
)
def test_another_header_among_the_rows_rejects_the_file(send, other):
    run = send.text(f"{HEADER}\n{row('C1')}\n{other}\n{row('C2')}\n")
    assert (run.status, issues_of(run)) == ("rejected", [(3, "", "other_header")])
    assert "two files seem to be put together" in run.message


# -- sep=


@pytest.mark.parametrize("line", ["sep=;", "SEP=;\r", '"sep=;"', "sep=;;;;"])
def test_a_line_for_spreadsheets_is_passed_over(send, line):
    semicolons = spec(dialect=Dialect(delimiter=";"))
    rows = "customer_code;profile_name\nC1;A\n"
    run = send.text(f"{line}\n{rows}{line}\n{rows.replace('C1', 'C2')}", semicolons)
    assert (run.status, run.rows, list(send.customers())) == ("succeeded", 2, ["C1", "C2"])
    assert [code for _, _, code in issues_of(run)] == ["repeated_header"]


def test_a_line_for_spreadsheets_is_passed_over_without_a_header_too(send):
    dialect = Dialect(delimiter="\t", has_header=False, width=2)
    run = send.text("sep=\t\nC1\tA\n", spec(column("customer_code", 1), column("profile_name", 2), dialect=dialect))
    assert (run.status, run.rows, issues_of(run)) == ("succeeded", 1, [])


def test_rejects_keep_the_line_for_spreadsheets(send):
    rejects = send.folder / "rejects.txt"
    run = send.text(f"sep=|\n{HEADER}\n{row('C1')}\n{row('C2')}|x\n", rejects=rejects)
    assert (run.created, run.rejected) == (1, 1)
    assert rejects.read_text().startswith(f"sep=|\n{HEADER}|_line")
    assert send.bytes(rejects.read_bytes()).rejected == 1


def test_a_line_that_names_another_delimiter_is_told_of(send):
    run = send.text(f"sep=;\n{HEADER}\n{row('C1')}\n")
    assert (run.status, issues_of(run)) == ("succeeded", [(1, "", "separator")])
    assert run.issues.get().message == ("Line 1 says that the delimiter is ';' (sep=); the file is read with '|'.")
    wrong = send.text(f"sep=;\n{HEADER}\n".replace("|", ";"))
    assert (wrong.status, issues_of(wrong)) == ("rejected", [(2, "", "missing_column")])
    assert "Line 1 says that the delimiter is ';'" in wrong.message


# -- masks

LISTED = replace(
    spec(
        column("customer_code", "Customer"),
        column("profile_name", "Name 1"),
        dialect=Dialect(ignore_lines=("---*", "*Page ?*", "[end]", "# *")),
    ),
    header=("", "Customer", "Name 1", ""),
)
LIST = """Customers as of today   Page 1

-----------------------
|Customer  |Name 1    |
-----------------------
|0000010017|Ash & Sons|
# a "word
|0000010018|Oak       |
-----------------------
Customers as of today   Page 2

-----------------------
|Customer  |Name 1    |
-----------------------
|0000010018|Oak       |
|0000010020|Fir       |
-----------------------
[end]
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_list_with_pages_is_read(send, newline, quote):
    text = LIST.replace("Fir       ", f"{quote}Fir       {quote}").replace("\n", newline)
    run = send.text(text, LISTED)
    assert (run.status, run.rows, issues_of(run)) == ("succeeded", 4, [(13, "", "repeated_header")])
    names = {code: customer["profile_name"] for code, customer in send.customers().items()}
    assert names == {"0000010017": "Ash & Sons", "0000010018": "Oak", "0000010020": "Fir"}


@pytest.mark.parametrize("forced", [False, True])
def test_ignored_lines_change_no_digest_and_move_no_line(tmp_path, forced):
    dialect = Dialect(ignore_lines=("--*",))
    plain = scan_bytes(tmp_path / "f", b"h|i\nA|1\nA|2\nB|1\n", dialect)
    data = b'--\nh|i\n--|x\n--"x\nA|1\n--\nA|2\n -- x\nB|1\n--'
    result = scan_bytes(tmp_path / "f", data, dialect, forced=forced)
    assert lines_of(result) == {"A": [5, 7], "B": [9]}
    assert {code: digest for code, (digest, _) in result.items()} == {
        code: digest for code, (digest, _) in plain.items()
    }


def test_a_line_within_a_cell_is_not_ignored(tmp_path):
    data = b'h|i\nA|"one\n-- two\nthree"\n-- four "\nB|1\n'
    result = scan_bytes(tmp_path / "f", data, Dialect(ignore_lines=("--*",)))
    assert [cells for _, cells, _ in result["A"][1]] == [["A", "one\n-- two\nthree"]]
    assert lines_of(result) == {"A": [2], "B": [6]}


def test_comments_of_a_file_without_a_header_are_ignored(send):
    dialect = Dialect(has_header=False, width=2, ignore_lines=("#*",))
    format_ = spec(column("customer_code", 1), column("profile_name", 2), dialect=dialect)
    run = send.text("# exported today\nC1|A\n#C2|B\nC3|C\n# 2 rows\n", format_)
    assert (run.status, run.rows, list(send.customers())) == ("succeeded", 2, ["C1", "C3"])


def test_rows_that_come_back_are_not_ignored_for_their_reasons(send):
    rejects = send.folder / "rejects.txt"
    format_ = spec(column("website"), dialect=Dialect(ignore_lines=("*must be*",)))
    run = send.text("customer_code|profile_name|website\nC1|A|?\nC2|B|must be\n", format_, rejects=rejects)
    assert (run.rows, run.rejected) == (1, 1)
    assert "C1|A|?|2|invalid_website|website|\n" in rejects.read_text()
    assert send.bytes(rejects.read_bytes(), format_).rejected == 1


# -- a header that nobody expects

PLACES = ["customer_code", "profile_name", "website", "address_type", "address_code", "address_city", "address_country"]
HEADLESS = spec(
    *(column(name, place) for place, name in enumerate(PLACES, 1)),
    dialect=Dialect(has_header=False, width=len(PLACES)),
)


@pytest.mark.parametrize(
    "line",
    [
        "|".join(PLACES),
        "|".join(PLACES).upper(),
        "Customer Code|Profile Name|Website|Address Type|Shipping Code 1|Shipping City|Shipping Country",
        "Customer Code|Name|Website|Address Type|shipping_code_1|Ort|Shipping Country",
        '"Customer Code"|"Profile Name"|"Website"|"Address Type"|"Address Code"|"Address City"|"Address Country"',
        "\ufeffcustomer_code|profile_name|website||||",
    ],
)
def test_a_header_of_a_file_that_has_none_is_no_row(send, line):
    run = send.text(f"{line}\nC1|A||S|S1|Lyon|FR\n{line}\nC2|B|||||\n", HEADLESS)
    assert (run.status, run.rows, list(send.customers())) == ("succeeded", 2, ["C1", "C2"])
    assert issues_of(run) == [(1, "", "repeated_header")]
    assert run.issues.get().message.startswith("A header, where the format expects none, stands on line 1 and 1 more")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("profile_name|customer_code|website|address_type|address_code|address_city|address_country", 1),
        ("customer_code|website|profile_name||||", 2),
        ("Customer Code|Profile Name|Website|Address Type|Address Code|Address Country|Address City", 6),
    ],
)
def test_a_header_that_names_other_columns_holds_a_file_that_has_none(send, line, column):
    run = send.text(f"{line}\nC1|A|||||\n", HEADLESS)
    assert (run.status, run.held_for, issues_of(run)) == ("held", "header", [(1, "", "other_header")])
    assert f"it names other columns than the format reads: column {column} is" in run.message


@pytest.mark.parametrize("line", ["Website|Website Ltd|||||", "discount|Discount Store|||||"])
def test_a_customer_with_the_code_of_a_field_is_one(send, line):
    assert send.text(f"{line}\n", HEADLESS).created == 1
