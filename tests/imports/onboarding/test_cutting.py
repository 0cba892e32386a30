"""What a sample shows of quotes behind spaces, and of cells that are left out or too many at the end of lines."""

import csv
from io import StringIO

import pytest

from imports.onboarding.proposing import onboard
from tests.imports.customer_files import import_path

HEADER = "Customer No|Customer Name|Currency|Price List|Ship To Code|Ship To City|Ship To Country|Phone|Fax"
TARGETS = ["customer_code", "profile_name", "price_type_currency_1", "price_type_name_1"]
FULL = ["{0}|Shop {0}|EUR|EU Wholesale|S{0}|Lyon|FR|+33 4 5555 01{0:02}|+33 4 5555 02{0:02}"]


def propose(tmp_path, lines):
    path = tmp_path / "sample.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return onboard(path)


def rows(*masks, count=12):
    return [masks[number % len(masks)].format(number + 10) for number in range(count)]


SPACED = {
    "before": '{0}| "Shop | {0}"| EUR|"EU Wholesale"|S{0}|Lyon|FR|+33 4 5555 01{0:02}|',
    "behind": '{0}|"Shop | {0}" |EUR|"EU Wholesale"|S{0}|Lyon|FR|+33 4 5555 01{0:02}|',
    "padded": ' "{0}" | "Shop {0}" | "EUR" | "EU Wholesale" | "S{0}" | "Lyon" | "FR" | "+33 4 5555 01{0:02}" | ""',
    "without a delimiter": '{0}| "Shop {0}"|EUR|EU Wholesale|S{0}|Lyon|FR|+33 4 5555 01{0:02}|',
}


@pytest.mark.parametrize("name", SPACED)
def test_spaces_around_quotes_are_proposed_where_the_sample_has_some(tmp_path, account, name):
    spec = propose(tmp_path, [HEADER, *rows(SPACED[name])]).to_draft().complete("erp")
    assert spec.dialect.spaces_around_quotes
    assert [str(column.target) for column in spec.columns][:4] == TARGETS
    run = import_path(account, tmp_path / "sample.txt", spec)
    assert (run.status, run.created) == ("succeeded", 12)
    assert set(account.connections.values_list("profile_name", flat=True)) == {
        f"Shop {'| ' * (name in ('before', 'behind'))}{number}" for number in range(10, 22)
    }


@pytest.mark.parametrize(
    "mask",
    [
        *FULL,
        '{0}|Box 24" Shop {0}|EUR|EU Wholesale|S{0}|Lyon|FR|+33|',
        '{0}|"Shop {0}"|EUR|EU Wholesale|S{0}|Lyon|FR|+33|',
        '{0}|The "Shop" {0}|EUR|EU Wholesale|S{0}|Lyon|FR|+33|',
    ],
)
def test_no_setting_is_proposed_for_what_the_sample_does_not_show(tmp_path, mask):
    spec = propose(tmp_path, [HEADER, *rows(mask)]).to_draft().complete("erp")
    assert not spec.dialect.spaces_around_quotes
    assert not spec.policies.allow_short_rows
    assert not spec.policies.allow_trailing_delimiter


SHORT = [
    *FULL,
    "{0}|Shop {0}|EUR|EU Wholesale|S{0}|Lyon|FR|+33 4 5555 01{0:02}",
    "{0}|Shop {0}|EUR|EU Wholesale|S{0}|Lyon|FR",
]


@pytest.mark.parametrize("masks", [SHORT, SHORT[1:], [SHORT[2], *SHORT[:1] * 6]])
@pytest.mark.parametrize("end", [[], ["TRAILER|12"]])
def test_short_rows_are_proposed_where_blank_cells_at_the_end_are_left_out(tmp_path, account, masks, end):
    proposal = propose(tmp_path, [HEADER, *rows(*masks), *end])
    spec = proposal.to_draft().complete("erp")
    assert spec.policies.allow_short_rows
    assert proposal.rows == 12
    assert [str(column.target) for column in spec.columns][:4] == TARGETS
    run = import_path(account, tmp_path / "sample.txt", spec)
    assert (run.status, run.created) == ("succeeded", 12)


@pytest.mark.parametrize(
    "lines",
    [
        [HEADER, *rows(*FULL), "99|Shop 99|EUR|EU Wholesale"],
        [HEADER, *rows(*FULL, count=30), *rows(*FULL, count=1)[0].replace(" ", "\n", 1).splitlines()],
        [HEADER, *rows(FULL[0], "{0}|Shop {0}|EUR|EU Wholesale|S{0}|Lyon|FR||"), *rows(SHORT[2], count=4)],
    ],
    ids=["one short row", "a line break in a cell", "blank cells that are not left out"],
)
def test_short_rows_are_not_proposed_for_faulty_ones(tmp_path, lines):
    assert not propose(tmp_path, lines).to_draft().complete("erp").policies.allow_short_rows


@pytest.mark.parametrize(
    ("header", "row"), [(f"{HEADER}|", FULL[0]), (HEADER, f"{FULL[0]}|")], ids=["the header", "the rows"]
)
def test_a_delimiter_too_many_behind_one_of_them_is_allowed(tmp_path, account, header, row):
    spec = propose(tmp_path, [header, *rows(row)]).to_draft().complete("erp")
    assert spec.policies.allow_trailing_delimiter
    assert spec.dialect.has_header
    assert len(spec.header) == 9
    run = import_path(account, tmp_path / "sample.txt", spec)
    assert (run.status, run.created, run.issues.count()) == ("succeeded", 12, 0)


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL], ids=["all", "where needed"])
@pytest.mark.parametrize(("delimiter", "quote"), [(",", "'"), (";", "~"), ("\t", "^"), (",", "|"), ("|", "`")])
def test_any_mark_that_wraps_cells_is_their_quote(tmp_path, quote, delimiter, quoting):
    written = StringIO()
    names = [f'O\u2019Shop{delimiter} {n}; the "{n}"' if n % 3 else "Plain" for n in range(8)]
    table = [["Cust No", "Name", "City", "Currency"], *([f"C{n}", name, "Lyon", "EUR"] for n, name in enumerate(names))]
    csv.writer(written, delimiter=delimiter, quotechar=quote, quoting=quoting).writerows(table)
    proposal = propose(tmp_path, written.getvalue().splitlines())
    assert (proposal.dialect.delimiter, proposal.dialect.quotechar) == (delimiter, quote)
    assert proposal.columns[1].samples == names[:3]


def test_an_apostrophe_within_names_is_no_quote(tmp_path):
    names = ["'t Huis", "'s-Gravenhage", "Joe's", "'n'"]
    lines = ["Cust No;Name;City", *(f"C{n};{name};Lyon" for n, name in enumerate(names * 3))]
    proposal = propose(tmp_path, lines)
    assert (proposal.dialect.quotechar, proposal.columns[1].samples) == ('"', names[:3])
