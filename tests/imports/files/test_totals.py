"""Rows that sum up a file are named as that."""

import pytest

from imports.files.totals import doubt_code, names_column, says_total
from imports.formats.spec import Dialect
from tests.imports.customer_files import issues_of
from tests.imports.formats.test_spec import column, spec

HEADER = "customer_code|profile_name|price_type_currency|price_type_name"
ROW = "C1|Harbor Row|EUR|EU Wholesale"


SAID = """
Total|TOTAL:|total: 2|Grand Total|Sub-total|Total customers: 19|19 records|Count = 8|*** End of report ***|EOF
Summe|Gesamtsumme (Kunden)|Anzahl Datensätze: 4|Zwischensumme|Insgesamt 12|Sous-total|Total général : 7|Somme
Totale clienti: 9|Totale generale|Suma|Total de clientes 5|Totaal|Aantal klanten: 3|Total geral|Soma
Summa|Totalt|Yhteensä|Razem|Ogółem: 3|Celkem|Összesen|Toplam|Итого: 5|合計|合计：3|총계|Total EUR 1.234,50
1 record(s)|(1 rows affected)|1 row selected.|Liczba rekordów: 1|Suma końcowa|Počet záznamů: 5|2 rows exported
"""


@pytest.mark.parametrize("text", SAID.strip().replace("\n", "|").split("|"))
def test_totals_are_known_by_their_words(text):
    assert says_total(text)


@pytest.mark.parametrize(
    "code",
    ["C1", "10017", "Totalenergies", "Summit 12", "SUM100", "Total Energies", "Account 7", "12 Main", "-", "Records"],
)
def test_codes_of_customers_are_no_totals(code):
    assert not says_total(code)


@pytest.mark.parametrize(
    "row", ["Total: 2|||", "TOTAL|2||", "Summe||2|1.234,50", "Total customers: 19", "Total|2 customers||"]
)
def test_a_totals_row_is_named_once(send, row):
    rejects = send.folder / "rejects.txt"
    run = send.text(f"{HEADER}\n{ROW}\n{row}\n", rejects=rejects)
    assert (run.status, run.created, run.rejected) == ("partial", 1, 1)
    assert issues_of(run) == [(3, "customer_code", "totals_row")]
    assert "seems to sum up or end the file" in run.issues.get().message
    again = send.bytes(rejects.read_bytes())
    assert [code for *_, code in issues_of(again)] == ["totals_row"]


@pytest.mark.parametrize("row", ["|Total|2|", "|Total customers: 19", "||| Totaal "])
def test_a_totals_row_without_a_code_is_named_too(send, row):
    run = send.text(f"{HEADER}\n{ROW}\n{row}\n")
    assert (run.created, run.rows_rejected, issues_of(run)) == (1, 1, [(3, "customer_code", "totals_row")])


@pytest.mark.parametrize("line", ["----------", "-------|------|---|-----", "=====|||", "___|_|_|_", "---+---|-----|"])
def test_a_line_that_is_drawn_becomes_no_customer(send, line):
    run = send.text(f"{HEADER}\n{line}\n{ROW}\n")
    assert (run.created, issues_of(run)) == (1, [(2, "customer_code", "totals_row")])
    assert "the row seems to draw a line: leave it out, or let the format name it" in run.issues.get().message


def test_a_totals_row_becomes_no_customer_where_constants_give_all_that_is_required(send):
    format_ = spec(column("customer_code", "Nr"), column("profile_name", "Name"), dialect=Dialect(delimiter=";"))
    run = send.text("Nr;Name\n1;Store No 1\nTotal;1\n", format_)
    assert (list(send.customers()), issues_of(run)) == (["1"], [(3, "customer_code", "totals_row")])


def test_a_customer_who_is_called_total_is_warned_of_while_it_is_new(send):
    row = ROW.replace("C1", "TOTAL")
    run = send.text(f"{HEADER}\n{row}\n")
    assert (run.status, run.created, issues_of(run)) == ("succeeded", 1, [(2, "customer_code", "totals_row")])
    assert "is new and reads like a total" in run.issues.get().message
    again = send.text(f"{HEADER}\n{row.replace('Harbor Row', 'Harbor')}\n")
    assert (again.updated, issues_of(again)) == (1, [])


def test_what_is_wrong_with_a_row_that_only_begins_like_a_total_is_said_too(send):
    run = send.text(f"{HEADER}\nTotal|Harbor Row|EUR|\n")
    assert [code for *_, code in issues_of(run)] == ["required", "totals_row"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("e.g. 10001", "the sample row of a template"),
        ("z.B. 1", "the sample row of a template"),
        ("p. ex. 12", "the sample row of a template"),
        ("SAMPLE", "the sample row of a template"),
        ("Exemple", "the sample row of a template"),
        ("10001 (example)", "the sample row of a template"),
        ("Text(100)", "describes the columns"),
        ("VARCHAR(10)", "describes the columns"),
        ("required", "describes the columns"),
        ("max. 100 characters", "describes the columns"),
        ("TBD", "a code that is yet to come"),
        ("Report date:", "reads like a label"),
        ("“D1”", "stands in quotes"),
        ("'D1'", "stands in quotes"),
        ("02-Jan", "reads like a date"),
        ("'00123", "begins with an apostrophe"),
    ],
)
def test_new_codes_that_look_like_none_are_told(send, code, words):
    run = send.text(f"{HEADER}\n{code}{ROW[2:]}\n{ROW}\n")
    assert (run.status, run.created) == ("succeeded", 2)
    (issue,) = run.issues.all()
    assert (issue.line, issue.field, issue.severity) == (2, "customer_code", "warning")
    assert words in issue.message


USUAL = (
    "C1|10017|EX-10|TEXT|CHARLOTTE|SAMPLER|O'NEIL|'S-MART|EG1|MAX-10|NEWTON|MAR-CO|ELM-00123|E.G.O|EX.IT|A_B|#12|1E+07"
)


@pytest.mark.parametrize("code", USUAL.split("|"))
def test_usual_codes_are_not_doubted(code):
    assert doubt_code(code) is None
    assert not names_column(code, "Kd.-Nr.")


@pytest.mark.parametrize("cells", ["Customer Code|Profile Name|USD|US Wholesale", "profile_name|A|USD|US Wholesale"])
def test_a_header_that_is_not_quite_that_of_the_file_becomes_no_customer(send, cells):
    run = send.text(f"{HEADER}\n{cells}\n{ROW}\n")
    assert (run.created, issues_of(run)) == (1, [(2, "customer_code", "totals_row")])
    assert "names a column and no customer; the row seems to be a header" in run.issues.get().message


def test_the_header_of_a_format_becomes_no_customer_either(send):
    columns = [column("customer_code", source="Kd-Nr"), column("profile_name", source="Name")]
    run = send.text("Kd-Nr|Name\nkd-nr|Bezeichnung\nC1|A\n", spec(*columns))
    assert (run.created, issues_of(run)) == (1, [(2, "customer_code", "totals_row")])
