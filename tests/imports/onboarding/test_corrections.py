"""What a person decides about a sample is kept, and the rest is proposed around it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from imports.formats.policies import FormatError
from imports.models import FormatVersion
from imports.onboarding.corrections import Corrections
from imports.onboarding.proposing import onboard
from imports.template import Target
from tests.builders import make_account

HEADER = "Customer No,Customer Name,Street,City,Zip,Country,Remark,Mail"
ROWS = [f"C{n},Shop {n},{n} Pier St,Elgin,{60120 + n},US,Remark {n},shop{n}@shop.example" for n in range(1, 9)]


@pytest.fixture
def sample(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "sample.csv"
        path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
        return path

    return write


def targets(path, **corrections):
    proposal = onboard(path, corrections=Corrections(**corrections))
    return {column.source or str(column.position): str(column.target or "") for column in proposal.columns}


@pytest.mark.parametrize("name", ["Remark", "remark", "7"], ids=["header", "other case", "position"])
def test_a_column_is_the_field_that_was_decided(sample, name):
    found = targets(sample(HEADER, *ROWS), fields={name: Target("customer_alias")})
    assert found["Remark"] == "customer_alias"
    assert found["Customer Name"] == "profile_name"


def test_a_field_goes_from_the_column_that_had_it(sample):
    found = targets(sample(HEADER, *ROWS), fields={"Remark": Target("profile_name")})
    assert found["Remark"] == "profile_name"
    assert found["Customer Name"] != "profile_name"


def test_columns_beside_a_decided_one_are_read_with_it(sample):
    lines = "Customer No,Customer Name,Anything,City,Zip,Country,Remark,Mail", *ROWS
    found = targets(sample(*lines), fields={"Anything": Target("billing_address_1")})
    assert found["Anything"] == "billing_address_1_1"
    assert found["City"] in ("billing_city_1", "address_city_1")


def test_a_column_is_left_out(sample):
    path = sample(HEADER, *ROWS)
    proposal = onboard(path, corrections=Corrections(fields={"Mail": None}))
    assert proposal.columns[7].target is None
    assert proposal.columns[7].evidence == ["left out, as decided"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Fax": None}, "no column 'Fax'; give a header, or a position from 1 to 8"),
        ({"9": None}, "no column '9'"),
        ({"0": None}, "no column '0'"),
    ],
)
def test_a_column_that_is_not_there_is_refused(sample, fields, message):
    with pytest.raises(FormatError, match=message):
        onboard(sample(HEADER, *ROWS), corrections=Corrections(fields=fields))


def test_of_doubled_headers_the_position_is_asked_for(sample):
    path = sample(HEADER.replace("Remark", "Mail"), *ROWS)
    with pytest.raises(FormatError, match=r"several columns 'Mail'.*7 or 8"):
        onboard(path, corrections=Corrections(fields={"Mail": None}))
    assert targets(path, fields={"8": Target("buyer_email")})["Mail"] == "buyer_email_1"


def test_the_line_of_the_header_can_be_said(sample):
    path = sample("A,B,C,D,E,F,G,H", HEADER, *ROWS)
    proposal = onboard(path, corrections=Corrections(header_line=2))
    assert (proposal.header_line, proposal.dialect.skip_lines, proposal.rows) == (2, 1, 8)
    assert str(proposal.columns[0].target) == "customer_code"


def test_that_there_is_no_header_can_be_said(sample):
    proposal = onboard(sample(*ROWS), corrections=Corrections(header_line=0))
    assert not proposal.dialect.has_header
    assert proposal.rows == 8


def test_delimiter_and_encoding_can_be_said(sample):
    path = sample("Customer No;Customer Name;City", *(f"C{n};Père, {n};Lyon" for n in range(8)), encoding="cp1252")
    proposal = onboard(path, corrections=Corrections(encoding="cp1250", delimiter=";"))
    assert (proposal.dialect.encoding, proposal.dialect.delimiter) == ("cp1250", ";")
    assert proposal.columns[1].samples[0] == "Pčre, 0"


@pytest.mark.parametrize(("quote", "name"), [("~", "A 0"), ("", "~A 0~"), ('"', "~A 0~")])
def test_the_quote_can_be_said(sample, quote, name):
    path = sample("Customer No;Customer Name;City", *(f"C{n};~A {n}~;Lyon" for n in range(8)))
    proposal = onboard(path, corrections=Corrections(delimiter=";", quotechar=quote))
    assert (proposal.dialect.quotechar or "") == quote
    assert proposal.columns[1].samples[0] == name


# -- the command


def onboard_format(path, *arguments):
    output = StringIO()
    call_command("onboard_format", str(path), "--account", "erp", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_the_table_shows_values_and_what_was_decided(sample):
    make_account("erp")
    arguments = ("--map", "Remark=customer_alias", "--unmap", "Mail", "--quote", "none")
    shown = onboard_format(sample(HEADER, *ROWS), *arguments)
    assert "no quote" in shown
    assert "Remark 1 · Remark 2 · Remark 3" in shown
    assert "decided by a person" in shown
    assert "left out, as decided" in shown


@pytest.mark.django_db
def test_columns_without_a_header_are_named_by_number_and_value(sample):
    make_account("erp")
    shown = onboard_format(sample(*(f"C{n},Zz,qw{n} er ty,Elgin" for n in range(9))))
    assert "None" not in shown
    assert "column 1" in shown


@pytest.mark.django_db
def test_the_last_lines_say_what_comes_next(sample):
    make_account("erp")
    path = sample(
        "Customer No,Name,City,Country,Currency,Price List", *(f"K{n},Shop {n},Lyon,FR,EUR,W" for n in range(3))
    )
    shown = onboard_format(path)
    assert "3 rows looked at\nSo few rows say little" in shown
    assert '--name NAME --save --constant "address_type=B"' in shown.partition("To save it, add: ")[2]
    saved = ("--name", "next", "--save")
    assert "promote_format next --account erp --to testing\n  --without address_type does without." in onboard_format(
        path, *saved
    )
    answered = onboard_format(path, *saved, "--constant", "address_type=B")
    assert answered.rstrip().endswith("Test it with promote_format next --account erp --to testing.")
    with pytest.raises(CommandError, match="columns of a fixed width, padded with spaces"):
        onboard_format(sample("K1     Shop     Lyon   FR", "K2     Big Store   New Town", "K3     Old"))


@pytest.mark.django_db
def test_an_incomplete_draft_is_saved_and_says_what_is_missing(sample):
    make_account("erp")
    path = sample("Foo,City,Country", *(f"word {n},Lyon,FR" for n in range(9)))
    shown = onboard_format(path, "--name", "erp", "--save", "--unmap", "Foo")
    assert "Saved as erp@1" in shown
    assert "not complete yet, and cannot be tested: No column goes to customer_code." in shown
    assert FormatVersion.objects.get().is_draft


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--map", "Remark"], "give COLUMN=FIELD"),
        (["--map", "Remark=nothing"], "give COLUMN=FIELD with a field of the template"),
        (["--map", "Fax=website"], "no column 'Fax'"),
        (["--delimiter", "||"], "Give one character, or one of comma"),
        (["--quote", "~~"], "--quote ~~: Give one character"),
        (["--delimiter", ";", "--quote", ";"], "Delimiter and quote must be different characters"),
        (["--encoding", "klingon"], "klingon"),
        (["--header-line", "99"], "Line 99 is no header"),
    ],
)
def test_what_cannot_be_decided_is_answered(sample, arguments, message):
    make_account("erp")
    with pytest.raises(CommandError, match=message):
        onboard_format(sample(HEADER, *ROWS), *arguments)


def italian(country, currency):
    """A header and rows of which one has neither a country nor a currency."""
    rows = [f"C{n},Moda {n},Via Roma {n},4712{n},Forli,{country},{currency}" for n in range(1, 9)]
    return ["Customer No,Customer Name,Street,Zip,City,Country,Currency", *rows, "C9,Moda 9,Via Roma 9,47129,Forli,,"]


@pytest.mark.parametrize("country", ["Italia", "ITA", "IT", "Italien"])
@pytest.mark.parametrize("currency", ["€", "euro"])
def test_what_blank_cells_may_stand_for_is_suggested_as_its_code(sample, country, currency):
    proposal = onboard(sample(*italian(country, currency)))
    suggested = {str(needed.target): needed.suggestion for needed in proposal.defaults}
    assert suggested == {"address_country_1": "IT", "price_type_currency_1": "EUR"}


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--default", "--constant"])
def test_a_country_may_be_decided_on_as_the_file_names_it(sample, option):
    make_account("erp")
    answer = json.loads(onboard_format(sample(*italian("Italia", "EUR")), option, "address_country_1=Italia", "--json"))
    decided = answer["decided"] | {column["target"]: column["default"] for column in answer["columns"]}
    assert decided["address_country_1"] == "IT"


@pytest.mark.django_db
def test_a_country_in_a_language_that_the_file_does_not_use_is_asked_after(sample):
    make_account("erp")
    path = sample("Customer No,Customer Name,Street,City", *(f"C{n},Shop {n},{n} Pier St,Salem" for n in range(9)))
    with pytest.raises(CommandError, match=r"Did you mean Italy \(IT\)"):
        onboard_format(path, "--constant", "address_country_1=Italia")
