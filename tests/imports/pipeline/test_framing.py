"""What stands around the rows: footers that count, headers that have moved."""

from dataclasses import replace

import pytest

from imports.formats.documents import read_format
from imports.formats.spec import Dialect
from imports.pipeline.ending import Release
from tests.imports.customer_files import NEW, issues_of
from tests.imports.formats.test_spec import column, spec

HEADER = "customer_code|profile_name\n"
ROWS = "C1|A\nC2|B\nC2|B\n"


def counting(footer, **dialect):
    return spec(dialect=Dialect(footer=footer, **dialect))


@pytest.mark.parametrize(
    ("footer", "line"),
    [
        ("T|{rows}", "T|3"),
        ("T|{rows}", "T|000003"),
        ("Total: {customers}", "Total: 2"),
        ("*customers: {customers}*rows: {rows}", "-- customers: 2, rows: 3"),
        ("T|{rows}|*", "T|3|20261126"),
        ("T|{rows}|{customers}", "T|3|2\n\n"),
        ("Total: {customers}", '"Total: 2"'),
        ("T|{rows}|*", '"T"|"3"|""'),
    ],
)
def test_a_footer_that_counts_right_is_silent(send, footer, line):
    run = send.text(f"{HEADER}C1|A\n\nC2|B\n--\nC2|B\n{line}\n", counting(footer, ignore_lines=("--",)))
    assert (run.status, run.rows, issues_of(run)) == ("succeeded", 3, [])


@pytest.mark.parametrize(
    ("footer", "line", "said"),
    [
        ("T|{rows}", "T|000019", "says 19 rows, and the file has 3: it may have been cut off on its way."),
        ("Total: {customers}", "Total: 1,200", "says 1,200 customers, and the file has 2: it may have been cut off"),
        ("T|{rows}", "T|2", "says 2 rows, and the file has 3: there may be rows of another file in it."),
        ("T|{rows}", "T|0", "says 0 rows"),
    ],
)
def test_a_footer_that_counts_otherwise_holds_the_file(send, footer, line, said):
    run = send.text(f"{HEADER}{ROWS}{line}\n", counting(footer))
    assert (run.status, run.held_for, issues_of(run)) == ("held", "footer", [(5, "", "wrong_count")])
    assert said in run.message
    assert not any(run.counts.values())
    assert send.customers() == {}


def test_every_number_of_the_footer_is_compared(send):
    run = send.text(f"{HEADER}{ROWS}T|9|9\nT|3|2\n", counting("T|{rows}|{customers}"))
    assert issues_of(run) == [(5, "", "wrong_count"), (5, "", "wrong_count")]


def test_a_footer_whose_number_is_none_is_missing(send):
    for mask, line in (("T|{rows}", "T|three"), ("Total: {rows}", '"Total: x"'), ("* {customers} *", "about  all")):
        run = send.text(f"{HEADER}{ROWS}{line}\n", counting(mask))
        assert issues_of(run) == [(None, "", "missing_footer")]
        assert run.message == f"The footer {line!r} counts nothing that can be read; {mask!r} asks for a number there."


def test_what_stands_in_the_place_of_a_footer_is_said(send):
    run = send.text(f"{HEADER}{ROWS}END\n\n", counting("T|{rows}"))
    assert run.message.startswith("The file ends with 'END', not with the footer 'T|{rows}' that its format asks for;")


def test_a_quoted_row_that_reads_like_the_footer_before_it_is_a_row(send):
    run = send.text(f'{HEADER}"C1"|"A"\n"T2"|"B"\nTRAILER\n', counting("T*"))
    assert (run.status, run.created) == ("succeeded", 2)


def test_a_file_that_its_footer_held_goes_in_when_it_is_released(send):
    text, format_ = f"{HEADER}{ROWS}T|9\n", counting("T|{rows}")
    held = send.text(text, format_)
    run = send.text(text, format_, release=Release(held, "pia"))
    assert (run.status, run.created, issues_of(run)) == ("succeeded", 2, [(5, "", "wrong_count")])
    assert run.issues.get().severity == "warning"


@pytest.mark.parametrize(
    ("footer", "line", "counted"), [("T|{rows}*", "T|0003|x", "T|0001|x"), ("{customers} -", "2 -", "1 -")]
)
@pytest.mark.parametrize("has_header", [True, False])
def test_rejects_count_anew_in_their_footer(send, footer, line, counted, has_header):
    rejects = send.folder / "rejects.txt"
    columns = [column(name, place) for place, name in enumerate(("customer_code", "profile_name", "website"), 1)]
    format_ = spec(*columns, dialect=Dialect(footer=footer, has_header=has_header, width=0 if has_header else 3))
    text = f"{HEADER[:-1]}|website\n" * has_header + f"C1|A|\nC2|B|?\nC1|A|\n{line}\n"
    run = send.text(text, format_, rejects=rejects)
    assert (run.status, run.rejected) == ("partial", 1)
    assert rejects.read_text().splitlines()[-1] == counted
    again = send.bytes(rejects.read_bytes(), format_)
    assert (again.status, again.rejected) == ("rejected", 1)


# -- headers that have moved

MOVING = """
name: erp@1
dialect: {delimiter: ";", skip_lines: SKIP}
header: [Nr, Name, Ort]
columns:
  - {source: Nr, target: customer_code}
  - {source: PLACE, target: profile_name}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""


def moving(skip=0, place="Name"):
    return read_format(MOVING.replace("SKIP", str(skip)).replace("PLACE", place))


TABLE = "Nr;Name;Ort\n1;A;x\n2;B;y\n"


@pytest.mark.parametrize(
    ("before", "skip", "stands", "expected"),
    [
        ("Customers\n", 0, 2, 1),
        ("Customers of;26.11.2026\n\nby;Ms;Lee\n", 0, 4, 1),
        ("", 1, 1, 2),
        ("Customers\n", 3, 2, 4),
        ("sep=;\nCustomers\n", 0, 3, 2),
        ("Customers\nsep=;\n", 0, 3, 1),
        ("sep=;\nCustomers\n", 1, 3, 2),
    ],
)
def test_a_header_that_has_moved_is_one_sentence(send, before, skip, stands, expected):
    run = send.text(before + TABLE, moving(skip))
    assert (run.status, run.held_for, issues_of(run)) == ("held", "header", [(stands, "", "moved_header")])
    assert run.message == f"The header stands on line {stands} of this file, erp expects it on line {expected}."


@pytest.mark.parametrize(
    ("text", "skip", "stands"),
    [("Nr;Name;Ort\n1;A;x\n", 2, 1), ("Nr;Name;Ort\n", 1, 1), ("Customers\nNr;Name;Ort\n1;A;x\n\n", 3, 2)],
)
def test_a_short_file_without_its_title_lines_is_not_called_empty(send, text, skip, stands):
    run = send.text(text, moving(skip))
    assert (run.status, run.held_for, issues_of(run)) == ("held", "header", [(stands, "", "moved_header")])
    assert run.message == f"The header stands on line {stands} of this file, erp expects it on line {skip + 1}."


def test_a_file_that_is_over_before_its_header_is_held(send):
    run = send.text("Customers\nof today\n", moving(2))
    assert (run.status, run.held_for) == ("held", "header")


HEADLESS = """
name: erp
dialect: {delimiter: ";", has_header: false, skip_lines: 2}
columns:
  - {source: 1, target: customer_code}
  - {source: 2, target: profile_name}
  - {source: 3, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""
TITLES = ["Customers of today\n;;\n", "Nr;Name;Cur\n;;\n", "Customers;;\nby;Ms Lee;\n", "\n\n"]


@pytest.mark.parametrize(
    ("text", "line"), [("C1;A;EUR\nC2;B;EUR\nC3;C;EUR\n", 1), ("Customers\nC2;B;EUR\nC3;C;EUR\n", 2)]
)
def test_rows_where_title_lines_were_agreed_are_not_passed_over(send, text, line):
    run = send.text(text, read_format(HEADLESS))
    assert (run.status, run.held_for, issues_of(run)) == ("held", "header", [(line, "", "skipped_row")])
    assert f"Line {line} is a row, where erp skips 2 lines before the first one" in run.issues.get().message
    assert not send.account.connections.exists()


@pytest.mark.parametrize("titles", TITLES)
def test_title_lines_of_a_file_without_a_header_are_skipped(send, titles):
    run = send.text(titles + "C1;A;EUR\nC2;B;EUR\n", read_format(HEADLESS))
    assert (run.status, run.created) == ("succeeded", 2)


@pytest.mark.parametrize("skip", [0, 1])
def test_a_line_for_spreadsheets_moves_no_header(send, skip):
    assert send.text("sep=;\n" + TABLE, moving(skip)).status == "succeeded"


def test_a_header_of_several_lines_and_of_positions_is_found_too(send):
    by_place = moving(place="2")
    assert send.text(f"Customers\n{TABLE}", by_place).message.startswith("The header stands on line 2 ")
    broken = replace(moving(), header=("Nr", "Name\nof it", "Ort"))
    run = send.text(f"Customers\n{TABLE}".replace("Name", '"Name\nof it"'), replace(broken, columns=by_place.columns))
    assert run.message.startswith("The header stands on line 2 ")


def test_the_standard_template_says_where_a_header_stands(send):
    run = send.text(f"Customers of today\n{HEADER}")
    assert (run.status, issues_of(run)) == ("rejected", [(1, "", "missing_column")])
    assert run.message.endswith("A header stands on line 2; send the file without the lines above it.")


# -- a header that nobody expects, and lines that are lost

UNASKED = """
name: erp@1
dialect: {delimiter: ";", has_header: false}
columns:
  - {source: 1, target: customer_code}
  - {source: 2, target: profile_name}
  - {source: 3, target: customer_alias}
  - {source: 4, target: shipping_code}
  - {source: 5, target: shipping_country, value_map: {D: DE}}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""


@pytest.mark.parametrize(
    "line",
    [
        "Kundennr;Name;Suchbegriff;Adressnr;Land",
        "Customer No;Name;Alias;Ship To;Country",
        '"Code client";"Raison sociale";"";"";"Pays"',
        "\n\nKUNNR;NAME1;SORTL;;LAND1",
        'Customer No;Name;"Search\nterm";"Address\nno";Country',
    ],
)
def test_a_header_in_words_of_erps_holds_a_file_that_has_none(send, line):
    run = send.text(f"{line}\nC1;A;;S1;FR\n", read_format(UNASKED))
    assert (run.status, run.held_for, run.issues.get().code) == ("held", "header", "unexpected_header")
    assert "reads like a header (" in run.message
    assert "where erp expects none" in run.message


@pytest.mark.parametrize(
    "line",
    ["C1;Name;;S1;FR", "Name;Elm Street;;S1;D", "Street;City Shoes;;;", "Alias;Mode;;S1;France", "Ash;Oak;Fir;;"],
)
def test_a_customer_that_sounds_like_a_header_is_one(send, line):
    assert send.text(f"{line}\n", read_format(UNASKED)).created == 1


@pytest.mark.parametrize("end", ["", " ", "\x85", "\u2028", "\x1e"])
def test_a_file_whose_line_ends_are_lost_is_no_success(send, end):
    rows = [HEADER.strip(), "C1|A", "C2|B", ""]
    for format_, header in ((spec(), HEADER.strip()), (None, f"{HEADER.strip()}|price_type_currency|price_type_name")):
        run = send.text(
            end.join([header, *(row + "|EUR|EU Wholesale" * (format_ is None) for row in rows[1:-1]), ""]), format_
        )
        assert (run.status, issues_of(run)) in [("rejected", [(1, "", "lost_line_ends")]), ("held", issues_of(run))]
        assert not send.customers()


@pytest.mark.parametrize("unread", ["fax|notes", "fax|loading dock"])
def test_a_header_alone_with_columns_that_are_not_read_is_a_success(send, unread):
    assert send.text(f"{HEADER.strip()}|{unread}\n", spec()).status == "succeeded"


# -- the end of the file


def test_a_file_that_ends_within_its_last_row_says_so(send):
    header = "customer_code|profile_name|price_type_currency|price_type_name|customer_alias\n"
    rows = f"{header}C1|A|EUR|EU Wholesale|Ash\nC2|B|EUR|EU Wholesale|Bir"
    run = send.text(rows)
    assert (run.status, issues_of(run)) == ("succeeded", [(3, "customer_alias", "open_end")])
    assert "its last cell (customer_alias) is 'Bir'" in run.issues.get().message
    assert issues_of(send.text(rows.replace("C1|A", "C1|C"))) == [], "its customer is unchanged"
    assert issues_of(send.text(f"{rows}\n")) == []
    for whole in ('"Birch"', "Birch\x1a", "Birch\r", "Bi\n  "):
        assert issues_of(send.text(rows[:-3] + whole)) == [], whole
    ended = spec(column("price_type_currency"), column("price_type_name"), dialect=Dialect(footer="T|*"))
    assert issues_of(send.text(f"{header.replace('|customer_alias', '')}C3|B|EUR|EU Wholesale\nT|1", ended)) == []


def test_a_row_that_was_cut_with_its_file_is_no_row(send):
    run = send.text("customer_code|profile_name|price_type_currency|price_type_name\nC1|A|EUR|EU Wholesale\nC2|B|EU")
    assert (run.status, run.created, issues_of(run)) == ("partial", 1, [(3, "", "wrong_number_of_cells")])
    assert "the file ends here without a line end: it was cut off on its way" in run.issues.get().message


# -- rows and columns that are none


def test_codes_that_nobody_gave_and_rows_of_nothing_but_a_code_are_doubted(send):
    columns = "customer_code|profile_name|price_type_currency|price_type_name|custmer_alias\n"
    rest = "|A|EUR|EU Wholesale|\n"
    run = send.text(f"{columns}TBD{rest}000{rest}?{rest}C1{rest}Page 1 of 2||||\n")
    told = {(issue.line, issue.code): issue.message for issue in run.issues.exclude(line=6, field__startswith="price")}
    doubted = {*((line, "placeholder") for line in (2, 3, 4)), (4, "lost_character")}
    assert set(told) == {(1, "unknown_column"), *doubted, (6, "required")}
    assert told[1, "unknown_column"].endswith("it is not read. Did you mean customer_alias?")
    assert "'Page 1 of 2' is new, and all the row says; if it is no customer, leave it out" in told[6, "required"]
    assert issues_of(send.text(f"{columns.replace('|custmer_alias', '')}TBD{rest.replace('||', '|')[:-2]}\n")) == [], (
        "known"
    )


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('"customer_code|profile_name"', "stands in quotes as a whole"),
        ("#customer_code|profile_name", "'#customer_code' has signs that are no part of the name"),
        ("ï»¿customer_code|profile_name", "begins with a byte order mark that was encoded twice ('ï»¿')"),
        ("customer_code¦profile_name", "This file uses '¦'."),
        ("CustomerCode|ProfileName", "'CustomerCode' may be meant; write customer_code"),
    ],
)
def test_a_header_that_only_looks_otherwise_is_explained(send, header, said):
    run = send.text(f"{header}\nC1|A\n")
    assert (run.status, run.issues.get().code) == ("rejected", "missing_column")
    assert said in run.message
    known = "Customer Code*|Profile Name (required)|price_type_currency|price_type_name\nC1|A|EUR|EU Wholesale\n"
    assert send.text(known).created == 1


def test_very_many_columns_that_are_not_read_are_told_together(send):
    run = send(NEW | {f"x{number}": "" for number in range(150)})
    assert (run.status, run.issues.count()) == ("succeeded", 101)
    assert "50 more, from column 105 ('x100') on, are no field of the template" in run.issues.last().message
