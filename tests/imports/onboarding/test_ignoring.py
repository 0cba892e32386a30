"""Which lines among the rows of a sample are taken for none, and which must not be."""

import pytest

from imports.onboarding.proposing import onboard
from lookups.models import PriceType
from tests.builders import make_account
from tests.imports.customer_files import import_path

HEADER = "Customer No|Customer Name|Currency|Price List"
ROWS = [f"K{n}|Shop {'ABCDEFGHIJ'[n - 10]}|EUR|A" for n in range(10, 20)]
WIDE_RULE = "-----|-----|----|---"


@pytest.fixture
def account(db):
    account = make_account("erp")
    PriceType.objects.create(account=account, currency="EUR", label="A")
    return account


@pytest.fixture
def propose(tmp_path):
    def propose(*lines):
        path = tmp_path / "sample.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return onboard(path)

    return propose


def pages(title, rule):
    return [title.format(1), rule, HEADER, rule, *ROWS[:5], title.format(2), rule, HEADER, rule, *ROWS[5:], rule]


@pytest.mark.parametrize(
    ("lines", "masks"),
    [
        (pages("26.11.2026   Customer list   {}", "-" * 40), {"---*", "*Customer list*"}),
        (pages("Customer list {}|||", WIDE_RULE), {"---*", "Customer list *|||*"}),
        ([HEADER, "=" * 30, *ROWS[:4], "~~~~~", *ROWS[4:]], {"===*", "~~~*"}),
        ([HEADER, *ROWS[:4], "Page 3 of 9", *ROWS[4:]], {"Page * of *"}),
        ([HEADER, *ROWS[:4], "Seite: 2", *ROWS[4:7], "Seite: 3", *ROWS[7:]], {"Seite: *"}),
        ([HEADER, *ROWS[:2], "Region North", *ROWS[2:7], "Region North", *ROWS[7:]], {"Region North*"}),
    ],
    ids=["a list with pages", "rules and titles as wide as rows", "two rules", "one page", "pages", "a line twice"],
)
def test_lines_that_are_no_rows_are_ignored_and_the_sample_is_workable(propose, tmp_path, account, lines, masks):
    proposal = propose(*lines)
    assert set(proposal.dialect.ignore_lines) == masks
    assert proposal.rows == 10
    spec = proposal.to_draft().complete("erp")
    run = import_path(account, tmp_path / "sample.txt", spec)
    assert (run.rows, run.rows_rejected, run.customers, run.held_for) == (10, 0, 10, "")


@pytest.mark.parametrize(
    "lines",
    [
        [HEADER, *ROWS, "K20|Shop", "K21|Shop"],
        [HEADER, *ROWS[:5], "K98|---|EUR|A", "K99|-|-|-", *ROWS[5:]],
        [HEADER, *ROWS[:5], "K98|||", "K99|||", *ROWS[5:]],
        [HEADER, *ROWS[:5], "a row that lost its cells", *ROWS[5:]],
        [HEADER, *ROWS[:5], "4711", "4712", *ROWS[5:]],
        ["K10|Shop A||", HEADER, *ROWS],
        ["--- --- K|Shop|x", HEADER, *(f"---{row}" for row in ROWS[:5]), "-----", *ROWS[5:]],
    ],
    ids=[
        "short rows",
        "marks in cells",
        "codes alone",
        "one odd line",
        "numbers",
        "before the header",
        "rows like rules",
    ],
)
def test_no_row_is_taken_for_a_line_to_ignore(propose, lines):
    assert propose(*lines).dialect.ignore_lines == ()


@pytest.mark.parametrize(
    ("last", "mask"),
    [
        ("T|10", "T|{rows}"),
        ("TRAILER 000010 25.11.2026", "TRAILER {rows} *"),
        ("Total customers: 10", "Total customers: {customers}"),
        ("Total: 10 Datensätze, 26. November", "Total: {rows} Datensätze, *"),
        ("T|11", "T|*"),
        ("Total 10 of 10", "Total * of *"),
        ("Printed 10/12/2026", "Printed *"),
        ("Sum 10.50", "Sum *"),
        ("Exported at 3:10 PM GMT-05:00", "Exported at * GMT*"),
    ],
)
def test_a_footer_counts_where_its_number_is_that_of_the_rows(propose, tmp_path, account, last, mask):
    proposal = propose(HEADER, *ROWS, last)
    assert proposal.dialect.footer == mask
    run = import_path(account, tmp_path / "sample.txt", proposal.to_draft().complete("erp"))
    assert (run.rows, run.held_for) == (10, "")


def test_customers_are_counted_apart_from_rows(propose):
    rows = [f"K{n}|Shop {n}|EUR|A" for n in range(10, 15) for _ in range(2)]
    assert propose(HEADER, *rows, "Kunden: 5").dialect.footer == "Kunden: {customers}"
    assert propose(HEADER, *rows, "-" * 9, "Kunden: 10").dialect.footer == "Kunden: {rows}"


TYPED = "Cust|Cust. name|Curr.|Price group|Website"
TYPED_ROWS = [f"K{n}|Shop {n}|EUR|A|https://shop{n}.example" for n in range(10, 20)]


@pytest.mark.parametrize(
    "lines",
    [
        ["Code20|Text100|Code10|Code10|Text30"],
        ["VARCHAR(20)|VARCHAR(100)|CHAR(3)|VARCHAR(5)|VARCHAR(9)"],
        ["Debitor|Name 1|Währung|Preisgruppe|Webseite"],
        ["Mandatory|Mandatory|Optional|Optional|Optional", "Text|Text|Text|Link|Text", "start below this line||||"],
    ],
    ids=["types", "types of a database", "names in a language", "needed, types and a hint"],
)
def test_lines_below_the_header_that_say_what_columns_are_are_no_rows(propose, tmp_path, account, lines):
    proposal = propose(TYPED, *lines, *TYPED_ROWS)
    assert (len(proposal.dialect.ignore_lines), proposal.rows) == (len(lines), 10)
    assert {"customer_code", "profile_name"} <= {str(column.target) for column in proposal.columns}
    run = import_path(account, tmp_path / "sample.txt", proposal.to_draft().complete("erp"))
    assert (run.rows, run.rows_rejected, run.held_for) == (10, 0, "")


@pytest.mark.parametrize(
    "line",
    [
        "TEST|Text|ABC|Code|Number",
        "K09|Name|EUR|A|https://name.example",
        "Boutique|Web|EUR|A|",
        "New York|Place|USD|B|ABC",
    ],
)
def test_a_first_row_of_odd_words_is_a_row_still(propose, line):
    assert propose(TYPED, line, *TYPED_ROWS[:2]).dialect.ignore_lines == ()
