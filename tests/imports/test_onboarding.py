"""Onboarding: a sample of any ERP becomes a format, what is unsure is said, and what is no sample is told clearly."""

import json
import random
import runpy
import string
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.sandboxes import add_sandbox
from connections.models import Connection
from imports.errors import FileRejected
from imports.formats.documents import read_format
from imports.formats.encodings import find_encoding
from imports.models import FormatVersion, Run
from imports.onboarding import vocabulary
from imports.onboarding.alphabets import ENCODINGS
from imports.onboarding.assigning import assign
from imports.onboarding.blocks import ADDRESS_PARTS
from imports.onboarding.headers import ANY_PART, KINDS, NOTHING, read_header
from imports.onboarding.lexicon import split_meaning
from imports.onboarding.matching import fields_by_meaning
from imports.onboarding.proposing import onboard
from imports.onboarding.sampling import SAMPLE_BYTES
from imports.template import FIELDS
from lookups.models import PriceType
from tests.builders import add_member, make_account, make_user
from tests.imports.customer_files import import_path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "samples" / "onboarding"
NORTHWIND = ROOT / "tests" / "samples" / "northwind_customers.csv"
HEADER = "Customer No,Customer Name,Ship To Code,Ship To City,Ship To Country,Currency,Price List"
ROW = "{0},Shop {0},S{0},Lyon,FR,EUR,Wholesale"


def run_command(*arguments):
    output = StringIO()
    call_command(*map(str, arguments), stdout=output)
    return output.getvalue()


@pytest.fixture
def propose(tmp_path):
    """Proposes a format for a file of the given lines or bytes."""

    def propose(*lines, content=None, encoding="utf-8"):
        path = tmp_path / "sample.csv"
        path.write_bytes(content if content is not None else "".join(f"{line}\n" for line in lines).encode(encoding))
        return onboard(path)

    return propose


def targets(proposal):
    """By header, or by position where there is none: the field."""
    return {column.source or column.position: str(column.target or "") for column in proposal.columns}


def one_column(proposal, target):
    return next(column for column in proposal.columns if str(column.target) == target)


# -- samples of many systems


@pytest.mark.django_db
@pytest.mark.parametrize("document", sorted((CORPUS / "formats").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sample_can_be_imported_whole_once_its_format_is_written(document):
    sample = next(path for path in CORPUS.glob(f"{document.stem}.*") if path.suffix != ".yaml")
    run = import_path(make_account("erp"), sample, read_format(document.read_text("utf-8")), dry_run=True)
    issues = run.issues.filter(severity="error").values_list("line", "field", "message")
    assert (run.status, list(issues), run.rows_rejected) == ("succeeded", [], 0)
    assert run.created == run.customers > 5


# -- the real file


@pytest.mark.django_db
def test_a_real_file_is_onboarded_tested_approved_and_imported():
    account = make_account("demo", name="Demo")
    PriceType.objects.create(account=account, currency="USD", label="US Wholesale")
    sandbox = add_sandbox(account)
    onboard_it = ("onboard_format", NORTHWIND, "--account", "demo", "--name", "northwind", "--save")
    decided = ("price_type_currency=USD", "price_type_name=US Wholesale", "address_type=S")
    run_command(*onboard_it, *(f"--constant={constant}" for constant in decided))

    run_command("promote_format", "northwind", "--account", "demo", "--to", "testing")
    run_command("import_customers", NORTHWIND, "--account", sandbox.code, "--format", "northwind")
    reason = ("--reason", "a pilot")
    add_member(account, make_user("rosa"))
    run_command("promote_format", "northwind", "--account", "demo", "--to", "live", "--by", "rosa", *reason)
    run_command("import_customers", NORTHWIND, "--account", "demo")

    run = Run.objects.get(account=account)
    assert (run.status, run.customers, run.created, run.rejected, run.rows_rejected) == ("succeeded", 91, 91, 0, 0)
    alfki = Connection.objects.get(account=account, customer_code="ALFKI")
    address = alfki.addresses.get()
    assert alfki.profile_name == "Alfreds Futterkiste"
    assert (address.address_1, address.city, address.state, address.zip, address.country, address.kind) == (
        "Obere Str. 57", "Berlin", "", "12209", "DE", "S"
    )  # fmt: skip


@pytest.mark.django_db
def test_the_table_says_what_is_read_from_where_and_what_is_left_to_decide():
    make_account("demo")
    shown = run_command("onboard_format", NORTHWIND, "--account", "demo")
    lines = [line.split() for line in shown.splitlines()]
    assert any(line[1:3] == ["companyName", "profile_name"] for line in lines)
    assert any(line[1:3] == ["fax", "–"] for line in lines)
    for undecided in ("price_type_currency_1", "price_type_name_1", "address_type"):
        assert f"  {undecided}" in shown.partition("Still to decide")[2]
    assert not FormatVersion.objects.exists()


@pytest.mark.django_db
def test_the_json_of_a_proposal():
    make_account("demo")
    answer = json.loads(run_command("onboard_format", NORTHWIND, "--account", "demo", "--json"))
    assert answer["dialect"] == {
        "encoding": "utf-8", "delimiter": ",", "quotechar": '"', "has_header": True, "header_line": 1, "skip_lines": 0,
        "footer": "", "footer_lines": 0, "allow_spaced_delimiter": True, "spaces_around_quotes": False,
        "width": 0, "ignore_lines": [],
    }  # fmt: skip
    assert answer["rows"] == 91
    assert answer["draft"] is None
    assert len(answer["columns"]) == 11
    column = answer["columns"][8]
    assert set(column) == {
        "position", "source", "target", "confidence", "evidence", "alternatives",
        "value_map", "unmapped", "samples", "default", "bad_value",
        "template", "decided",
    }  # fmt: skip
    assert (column["source"], column["target"]) == ("country", "address_country_1")
    assert 0.9 < column["confidence"] < 1
    assert column["evidence"]
    assert {needed["target"] for needed in answer["constants"]} == {
        "price_type_currency_1", "price_type_name_1", "address_type"
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--save"], "--save needs --name"),
        (["--constant", "colour=red"], "colour=red: give FIELD=VALUE"),
        (["--constant", "price_type_currency"], "give FIELD=VALUE"),
        (["--constant", "price_type_currency=Euros", "--save", "--name", "x"], "Euros"),
        (["--save", "--name", "two words"], "'two words' cannot name a format"),
    ],
)
def test_wrong_usage_saves_nothing(arguments, message):
    make_account("demo")
    with pytest.raises(CommandError, match=message):
        run_command("onboard_format", NORTHWIND, "--account", "demo", *arguments)
    assert not FormatVersion.objects.exists()


# -- the corpus


def test_the_corpus_is_recognised():
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "onboarding"))
    overall = benchmark["Score"]()
    for score in benchmark["score_corpus"](CORPUS).values():
        overall.add(score)
    assert overall.samples >= 60
    assert overall.right_dialects == overall.samples
    assert overall.f1 >= 0.97, overall.errors
    sure = [right for confidence, right in overall.confidences if confidence >= 0.9]
    assert sum(sure) >= len(sure) * 0.97, overall.surely_wrong


def test_the_benchmark_sees_what_is_wrong(tmp_path):
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "onboarding"))
    sample = tmp_path / "x.csv"
    sample.write_text("\n".join([HEADER, *map(ROW.format, range(10, 20))]))
    columns = [
        ["Customer No", None], ["Customer Name", "profile_name"], ["Ship To Code", "billing_code_1"],
        ["Ship To City", "shipping_city_1", None], ["Ship To Country", "shipping_country_1"], ["Currency"],
    ]  # fmt: skip
    score = benchmark["score_sample"](sample, {"dialect": {"delimiter": ";"}, "columns": columns[:5]})
    assert (score.right, score.wrong, score.left_out) == (3, 2, 1)
    assert score.right_dialects == 0
    assert len(score.errors) == 3


# -- dialects


@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t", "^", "~", "\x1f"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings(propose, delimiter, encoding):
    rows = [f"{number},Café Zoë {number},S{number},Zürich,CH,CHF,Gros" for number in range(1000, 1030)]
    proposal = propose(*(line.replace(",", delimiter) for line in [HEADER, *rows]), encoding=encoding)
    assert proposal.dialect.delimiter == delimiter
    assert proposal.dialect.encoding == {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    assert targets(proposal)["Ship To City"] == "shipping_city_1"
    assert proposal.rows == 30


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp866", "Магазин Одежда"), ("koi8-r", "Торговый дом Север"), ("cp1251", "МАГАЗИН"), ("cp932", "株式会社水戸")],
)
def test_encodings_of_other_scripts(propose, encoding, text):
    rows = [f"{number},{text} {number},S{number},Paris,FR,EUR,Gros" for number in range(1000, 1030)]
    proposal = propose(HEADER, *rows, encoding=encoding)
    assert proposal.dialect.encoding == encoding
    assert one_column(proposal, "profile_name").samples[0] == f"{text} 1000"


def test_lines_before_the_header_and_behind_the_last_row(propose):
    rows = list(map(ROW.format, range(1000, 1020)))
    proposal = propose("Customer list", "Printed 2026-11-24", "", HEADER, *rows, "TRAILER;20")
    assert (proposal.header_line, proposal.dialect.skip_lines, proposal.footer_lines) == (4, 3, 1)
    assert proposal.dialect.footer.startswith("TRAILER")
    assert proposal.rows == 20


def test_a_file_without_a_header_is_read_by_its_values(propose):
    towns = ["Bath", "York", "Leeds", "Derby", "Truro"]
    towns = ["Bath", "York", "Leeds", "Derby", "Truro"]
    row = "C{n};{first}. {town} & {last} Outfitters;{n} High Street;{town};BA{digit} 1AA;GB;buyer{n}@shop{n}.com"
    rows = [
        row.format(n=n, first=chr(65 + n % 26), last=chr(65 + n % 23), town=towns[n % 5], digit=n % 9)
        for n in range(10, 50)
    ]
    proposal = propose(*rows)
    assert (proposal.dialect.has_header, proposal.dialect.width) == (False, 7)
    found = targets(proposal)
    assert (found[1], found[2], found[6], found[7]) == (
        "customer_code", "profile_name", "address_country_1", "buyer_email_1"
    )  # fmt: skip
    assert all(column.confidence <= 0.9 for column in proposal.columns)


def test_mixed_line_ends_are_read(propose):
    lines = [HEADER, *map(ROW.format, range(1000, 1010))]
    ends = ["\r\n", "\n", "\r\n", "\n\n"]
    content = "".join(line + ends[number % 4] for number, line in enumerate(lines)).encode()
    proposal = propose(content=content)
    assert proposal.rows == 10
    assert targets(proposal)["Customer No"] == "customer_code"


# -- what columns are


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Deutschland", "Frankreich", "Österreich"], {"Deutschland": "DE", "Frankreich": "FR", "Österreich": "AT"}),
        (["Germania", "Francia", "Svizzera"], {"Germania": "DE", "Francia": "FR", "Svizzera": "CH"}),
        (["Allemagne", "États-Unis", "Italie"], {"Allemagne": "DE", "États-Unis": "US", "Italie": "IT"}),
        (["Alemania", "Reino Unido", "Países Bajos"], {"Alemania": "DE", "Reino Unido": "GB", "Países Bajos": "NL"}),
        (["Duitsland", "België", "Zwitserland"], {"Duitsland": "DE", "België": "BE", "Zwitserland": "CH"}),
        (["Alemanha", "Espanha", "Países Baixos"], {"Alemanha": "DE", "Espanha": "ES", "Países Baixos": "NL"}),
        (["Sverige", "Danmark", "Norge"], {"Sverige": "SE", "Danmark": "DK", "Norge": "NO"}),
    ],
)  # fmt: skip
def test_countries_in_the_words_of_the_erp(propose, cells, expected):
    rows = [f"{number},Shop {number},S{number},Ort,{cells[number % 3]},EUR,A" for number in range(100, 120)]
    column = one_column(propose(HEADER, *rows), "shipping_country_1")
    assert column.value_map == expected
    assert not column.unmapped


@pytest.mark.parametrize(
    ("cells", "languages"),
    [
        (["Deutschland", "Frankreich", "DE"], ["de"]),
        (["Deutschland", "Deutschland", "Deutschland"], ["de"]),
        (["Italia", "Italia", "Germania"], ["it"]),
        (["België", "Suisse", "Zwitserland"], ["nl", "fr"]),
        (["D", "A", "CH"], ["de"]),
        (["Россия", "Беларусь", "США"], ["ru"]),
        (["한국", "미국", "KR"], ["ko"]),
        (["DE", "France", "Côte d'Ivoire"], []),
        (["England", "Scotland", "England"], []),
    ],
)  # fmt: skip
def test_the_languages_of_the_countries_are_proposed_for_all_their_names(propose, cells, languages):
    rows = [f"{number},Shop {number},S{number},Ort,{cells[number % 3]},EUR,A" for number in range(100, 120)]
    proposal = propose(HEADER, *rows)
    assert list(proposal.to_draft().policies.languages) == languages
    assert proposal.describe()["policies"].get("languages", []) == languages


@pytest.mark.parametrize(
    ("city", "policy"),
    [("-", "blank"), ("NULL", "blank"), ("k.A.", "blank"), ("n.v.t.", "blank"), ("Nantes", "keep"), ("NA", "keep")],
)
def test_words_for_nothing_in_the_sample_are_proposed_to_be_blank_in_every_column(propose, city, policy):
    rows = [f"{number},Shop {number},S{number},{city if number % 3 else 'Ort'},FR,EUR,A" for number in range(100, 120)]
    proposal = propose(HEADER, *rows)
    assert proposal.describe()["policies"].get("words_for_nothing", "keep") == policy


def test_a_customer_who_is_called_none_makes_no_word_for_nothing(propose):
    rows = [f"{number},{'None' if number == 105 else 'Shop'},S{number},Ort,FR,EUR,A" for number in range(100, 120)]
    assert "words_for_nothing" not in propose(HEADER, *rows).describe()["policies"]


def test_of_languages_that_name_as_many_countries_that_of_the_header_is_proposed(propose):
    rows = [f"{number},Negozio {number},Via Roma {number},Roma,Italia" for number in range(100, 120)]
    assert propose("Codice cliente,Ragione sociale,Indirizzo,Città,Nazione", *rows).languages == ["it"]
    assert propose("Código cliente,Razón social,Dirección,Ciudad,País", *rows).languages == ["es"]
    rows = [f"{number},Butik {number},Strøget {number},Odense,Danmark," for number in range(100, 120)]
    assert propose("Kundenr.,Navn,Adresse,By,Land,Bemærkninger", *rows).languages == ["da"]


@pytest.mark.parametrize("cell", ["ENGLAND", "Wales", "northern ireland"])
def test_parts_of_a_country_are_proposed_as_a_value_map_of_all_of_them(propose, cell):
    rows = [f"{number},Shop {number},S{number},Ort,{cell},GBP,A" for number in range(100, 120)]
    proposal = propose(HEADER, *rows)
    value_map = {name.casefold(): code for name, code in one_column(proposal, "shipping_country_1").value_map.items()}
    assert value_map.items() >= {"england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB"}.items()
    assert proposal.to_draft().columns


@pytest.mark.parametrize(
    ("header", "target", "cells", "expected"),
    [
        ("Currency", "price_type_currency_1", ["€", "US$", "Pfund"], {"€": "EUR", "US$": "USD", "Pfund": "GBP"}),
        ("Devise", "price_type_currency_1", ["Euro", "Livre sterling"], {"Euro": "EUR", "Livre sterling": "GBP"}),
        ("Address Type", "address_type", ["Billing", "Ship-to"], {"Billing": "B", "Ship-to": "S"}),
        ("Adressart", "address_type", ["Rechnung", "Lieferung"], {"Rechnung": "B", "Lieferung": "S"}),
        ("Discount line item level", "discount_line_item_level", ["Ja", "Nein"], {"Ja": "true", "Nein": "false"}),
        ("Discount line item level", "discount_line_item_level", ["Oui", "Non"], {"Oui": "true", "Non": "false"}),
    ],
)  # fmt: skip
def test_words_become_what_the_field_takes(propose, header, target, cells, expected):
    rows = [
        f"{number},Shop {number},Rue Neuve {number},Lyon,FR,{cells[number % len(cells)]}" for number in range(100, 120)
    ]
    proposal = propose(f"Customer No,Customer Name,Address,City,Country,{header}", *rows)
    assert one_column(proposal, target).value_map == expected


def test_cells_that_the_field_does_not_take_are_named(propose):
    rows = [f"{number},Shop {number},S{number},Ort,{'FR' if number % 9 else 'Ruritania'},EUR,A" for number in range(99)]
    assert one_column(propose(HEADER, *rows), "shipping_country_1").unmapped == ["Ruritania"]


@pytest.mark.parametrize(
    "style",
    [
        "ShipTo{number}{part}",
        "Ship To {number} {part}",
        "shipping_{part}_{number}",
        "Delivery {number}: {part}",
        "Ship-To {part} {number}",
        "Liefer{part}{number}",
    ],
)
def test_numbered_blocks_in_any_style(propose, style):
    parts = ["Code", "Street", "City", "Country"]
    headers = [style.format(number=number, part=part) for number in (1, 2) for part in parts]
    row = "{0},Shop {0},S{0},{0} High Street,Bath,GB,T{0},{0} Low Road,York,GB"
    proposal = propose(",".join(["Customer No", "Customer Name", *headers]), *map(row.format, range(100, 130)))
    assert [str(column.target) for column in proposal.columns[2:]] == [
        "shipping_code_1", "shipping_address_1_1", "shipping_city_1", "shipping_country_1",
        "shipping_code_2", "shipping_address_1_2", "shipping_city_2", "shipping_country_2",
    ]  # fmt: skip
    assert proposal.layout == "one row per customer, with several addresses"


def test_bare_columns_behind_a_ship_to_are_of_the_ship_to(propose):
    header = "Account,Account Name,Bill To Street,Bill To City,Bill To Country,Ship To Name,Street,City,Zip,Country"
    row = "A{0},Shop {0},{0} High Street,Bath,GB,Depot {0},{0} Low Road,York,YO1 7H{1},GB"
    found = targets(propose(header, *(row.format(number, number % 10) for number in range(100, 130))))
    assert {found[name] for name in ("Street", "City", "Zip", "Country")} == {
        "shipping_address_1_1", "shipping_city_1", "shipping_zip_1", "shipping_country_1"
    }  # fmt: skip


def test_first_and_last_name_are_joined(propose):
    row = "{0},Shop {0},Ann,Lee{1},ann@shop{0}.example"
    rows = (row.format(number, "abcdefghij"[number % 10]) for number in range(100, 130))
    proposal = propose("Customer No,Company Name,First Name,Last Name,Email", *rows)
    assert one_column(proposal, "buyer_name_1").template == "{First Name} {Last Name}"
    assert targets(proposal)["Last Name"] == ""
    columns = {str(column.target): column.source for column in proposal.to_draft().columns}
    assert columns["buyer_name_1"] == "{First Name} {Last Name}"


def test_two_columns_never_claim_one_field(propose):
    header = "Customer No,Customer Number,Customer Name,Name,City,Town,Country,Land"
    rows = (f"{n},{n + 5},Shop {n},Shop {n},Bath,Bath,GB,GB" for n in range(100, 130))
    claimed = [column.target for column in propose(header, *rows).columns if column.target]
    assert len(claimed) == len(set(claimed))


def test_what_two_columns_could_be_is_never_sure(propose):
    header = "Customer No,Customer Number,Customer Name,City,Country"
    rows = (f"C{n},K{n + 5},Shop {n},Bath,GB" for n in range(100, 130))
    column = one_column(propose(header, *rows), "customer_code")
    assert column.confidence < 0.9
    assert any("could be it as well" in text for text in column.evidence)


def test_a_header_that_its_values_contradict_is_not_mapped(propose):
    header = "Customer No,Customer Name,Country,Email"
    proposal = propose(header, *(f"{n},Shop {n},{n}.50,{n * 7}" for n in range(100, 130)))
    mapped = {str(column.target) for column in proposal.to_draft().columns}
    assert not mapped & {"address_country_1", "buyer_email_1"}


def test_unknown_columns_are_left_out_with_a_word(propose):
    proposal = propose("Customer No,Customer Name,Qwrtz", *(f"{n},Shop {n},{n % 3}.5" for n in range(100, 130)))
    column = proposal.columns[2]
    assert (column.target, column.evidence) == (None, ["nothing known says what it is"])


def test_what_a_workable_file_lacks_is_said(propose):
    proposal = propose("Town,Notes", *(f"Bath,{'x' * (n % 7)}" for n in range(30)))
    assert any("customer_code" in what for what in proposal.missing)
    assert any("profile_name" in what for what in proposal.missing)


def test_a_well_known_system_is_recognised_by_its_headers(propose):
    header = "*ContactName,AccountNumber,LegalName,POAddressLine1,POAddressLine3,POCity,POCountry"
    rows = (f"Shop {n},A{n},Shop {n} Ltd,{n} High Street,,Bath,GB" for n in range(100, 130))
    found = targets(propose(header, *rows))
    assert (found["*ContactName"], found["LegalName"], found["POAddressLine3"]) == ("profile_name", "", "")


# -- what is no sample


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "empty_file", "empty"),
        (b" \r\n \n", "empty_file", "empty"),
        (HEADER.encode() + b"\n", None, "no row"),
        (b"Customer\nA\nB\nC\n", None, "column"),
        (b"PK\x03\x04" + bytes(range(256)) * 50, "not_text", "not text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50, "not_text", "not text"),
        (random.Random(1).randbytes(5000), "not_text", "not text"),
        ((",".join(f"column {n}" for n in range(5000)) + "\n" + ",".join("x" * 5000) + "\n").encode(), None, "5,000"),
        (b"x" * (SAMPLE_BYTES + 1), "line_too_long", "no line end"),
    ],
    ids=["empty", "blank", "no rows", "one column", "zip", "png", "noise", "5000 columns", "one line"],
)
def test_what_is_no_sample_gets_a_clear_answer(propose, content, code, says):
    with pytest.raises(FileRejected) as raised:
        propose(content=content)
    assert says in raised.value.message.casefold()
    assert code is None or raised.value.code == code


@pytest.mark.django_db
def test_the_command_answers_for_a_file_that_is_none(tmp_path):
    make_account("demo")
    with pytest.raises(CommandError, match=r"missing\.csv"):
        run_command("onboard_format", tmp_path / "missing.csv", "--account", "demo")
    binary = tmp_path / "x.xlsx"
    binary.write_bytes(b"PK\x03\x04" + b"\0" * 500)
    with pytest.raises(CommandError, match="not text"):
        run_command("onboard_format", binary, "--account", "demo")


def test_of_a_large_file_only_its_ends_are_read(tmp_path, monkeypatch):
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for number in range(200_000):
            file.write(ROW.format(number) + "\n")
    asked = []
    opened = Path.open

    def open_and_count(self, *arguments, **options):
        file = opened(self, *arguments, **options)
        if self != path:
            return file
        read = file.read

        class Counted:
            def read(self, size=-1):
                data = read(size)
                asked.append(len(data))
                return data

            def __getattr__(self, name):
                return getattr(file, name)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

        return Counted()

    monkeypatch.setattr(Path, "open", open_and_count)
    proposal = onboard(path)
    assert 0 < sum(asked) < 2 * SAMPLE_BYTES < path.stat().st_size
    assert proposal.rows > 1000
    assert not proposal.footer_lines


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_nothing_makes_onboarding_stumble(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("noise") / "noise"
    path.write_bytes(content)
    try:
        json.dumps(onboard(path).describe())
    except FileRejected as error:
        assert error.message


@given(st.text(alphabet=string.printable + "äöüßéèñç°№", max_size=40))
def test_any_header_is_read(text):
    assert all(0 < meaning.score <= 1 for meaning in read_header(text))


def test_only_encodings_that_files_may_be_in_are_proposed_by_their_own_names():
    assert [find_encoding(name) for name in ENCODINGS] == list(ENCODINGS)


# -- samples that are hardly any


@pytest.mark.parametrize(
    "lines",
    [
        ["a,b,c,d", "1,", "2,", "3,"],
        ["a|b|c|d|e|f", "x|", "y|", "", "z|"],
        ['"a","b","c"', ",", ",", ","],
        ["City,Name,Mail,Web", ",", "Paris,", ",Lyon"],
        [",", ",", ","],
    ],
)
def test_rows_narrower_than_the_first_record_are_read_or_refused(propose, lines):
    try:
        proposal = propose(*lines)
    except FileRejected as rejection:
        assert rejection.code in ("no_rows", "one_column")
    else:
        assert 2 <= len(proposal.columns) <= 3


@pytest.mark.parametrize("header", ["City {}", "Name", "Ship To City {}", "Bill to {}", "c{}", "e-mail"])
def test_hundreds_of_columns_are_proposed_in_seconds(propose, header):
    """The way to the best assignment of all of them once took a minute."""
    started = time.process_time()
    columns = range(900)
    lines = [",".join(header.format(number) for number in columns), *[",".join(f"Rouen {n}" for n in columns)] * 2]
    assert len(propose(*lines).columns) == 900
    with pytest.raises(FileRejected, match="5,000 columns"):
        propose(*[",".join(header.format(number) for number in range(5000))] * 3)
    assert time.process_time() - started < 30


# -- the assignment


@given(
    st.dictionaries(
        st.integers(0, 5), st.dictionaries(st.sampled_from("abcde"), st.floats(0.01, 2), max_size=5), max_size=5
    )
)
def test_the_assignment_is_the_best_there_is(weights):
    def best(rows, taken=frozenset()):
        if not rows:
            return 0.0
        row, *rest = rows
        return max(
            [best(rest, taken)]
            + [weight + best(rest, taken | {choice}) for choice, weight in weights[row].items() if choice not in taken]
        )

    chosen = assign(weights)
    assert len(set(chosen.values())) == len(chosen)
    assert sum(weights[row][choice] for row, choice in chosen.items()) == pytest.approx(best(list(weights)))


# -- the data files


def test_the_words_name_owners_parts_and_fields_that_there_are():
    owners, parts = vocabulary.load("owners"), vocabulary.load("parts")
    known_owners, known_parts = {"", "address", *owners}, {"", *parts}
    meanings = [name.rstrip("?") for name in vocabulary.load("phrases")]
    for system in vocabulary.load("systems").values():
        assert system["known_by"]
        meanings += system["columns"].values()
    for meaning in meanings:
        owner, part = split_meaning(meaning)
        assert owner in known_owners, meaning
        assert part in known_parts, meaning
        field = fields_by_meaning().get((owner, part))
        address = owner in ("", "address", *KINDS) and part in ADDRESS_PARTS
        names = (*ANY_PART, "first_name", "last_name", "suburb", NOTHING)
        assert field or address or part in names or owner == NOTHING, f"{meaning} leads to no field"
    assert set(vocabulary.load("fields")) <= set(FIELDS)


def test_every_field_has_words():
    headers = {name: FIELDS[name].label for name in FIELDS}
    unread = [name for name, header in headers.items() if not read_header(header)]
    assert not unread


@pytest.mark.parametrize("language", ["en", "de", "fr", "it", "es", "nl", "pt"])
def test_every_language_says_every_part(language):
    for name in ("owners", "parts"):
        for entry, by_language in vocabulary.load(name).items():
            if entry not in ("noise", "suburb"):
                assert by_language.get(language), f"{name}: {entry} has no word in {language}"
