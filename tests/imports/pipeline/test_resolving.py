"""What rows name of a list: entries that are there, entries to be created, and what is said of the others."""

import io

import pytest

from imports.files.exporting import export_file
from imports.formats.policies import Policies
from imports.formats.policies import UnknownLookup as Unknown
from imports.formats.spec import STANDARD, Dialect, FormatSpec
from imports.pipeline import importing as pipeline
from lookups.models import CompanyNumber, PaymentTerm, PriceType, Warehouse
from tests.imports.customer_files import NEW, as_text, issues_of
from tests.imports.formats.test_spec import column, spec

CREATE = dict.fromkeys(
    ("payment_terms", "shipping_terms", "warehouses", "price_types", "customer_groups", "company_numbers"),
    Unknown.CREATE,
)


def creating(*rows, policy=CREATE):
    """The text of rows and a format that reads them, creating what its lists lack."""
    names = dict.fromkeys(name for row in rows for name in NEW | row)
    columns = tuple(column(name) for name in names)
    return as_text([NEW | row for row in rows]), FormatSpec("test", Dialect(), columns, Policies(unknown_lookup=policy))


def terms(account):
    return dict(
        PaymentTerm.objects.filter(account=account).exclude(code__in=("N30", "N60", "PRE")).values_list("code", "name")
    )


ONE_CODE_TWO_NAMES = [
    ({"payment_terms_code": "X", "payment_terms": "Ex"}, {"payment_terms_code": "X", "payment_terms": "Why"}),
    ({"payment_terms_code_1": "X", "payment_terms_1": "Ex", "payment_terms_code_2": "X", "payment_terms_2": "Why"},),
    (
        {"payment_terms_code": "X", "payment_terms": "Ex"},
        {"customer_code": "C2", "payment_terms_code": "X", "payment_terms": "Why"},
    ),
]


@pytest.mark.parametrize("rows", ONE_CODE_TWO_NAMES)
def test_a_new_code_under_two_names_is_created_once_with_a_warning(send, account, rows):
    run = send.text(*creating(*rows))
    assert run.status == "succeeded"
    assert terms(account) == {"X": "Ex"}
    (issue,) = run.issues.all()
    assert (issue.code, issue.severity, issue.value) == ("name_differs", "warning", "Why")
    assert "'X'" in issue.message and "'Ex'" in issue.message
    assert all(customer["payment_terms"] == ["X"] for customer in send.customers().values())


def test_a_new_code_takes_the_name_that_any_row_gives(send, account):
    run = send.text(*creating({"payment_terms_code": "X"}, {"payment_terms_code": "X", "payment_terms": "Ex"}))
    assert (run.status, issues_of(run), terms(account)) == ("succeeded", [], {"X": "Ex"})


def test_a_name_alone_becomes_the_code_and_that_is_said_once(send, account):
    run = send.text(*creating({"payment_terms": "Net 90"}, {"customer_code": "C2", "payment_terms": "Net 90"}))
    assert (run.status, issues_of(run)) == ("succeeded", [(2, "payment_terms_1", "name_becomes_code")])
    assert "the name becomes the code" in run.issues.get().message
    assert terms(account) == {"Net 90": "Net 90"}


def test_a_name_alone_means_the_new_code_that_has_it(send, account):
    run = send.text(*creating({"payment_terms_code": "X", "payment_terms": "Ex"}, {"payment_terms": "Ex"}))
    assert (run.status, issues_of(run), terms(account)) == ("succeeded", [], {"X": "Ex"})


@pytest.mark.parametrize("batch", [1, 3000])
def test_what_is_created_does_not_depend_on_where_batches_end(send, account, monkeypatch, batch):
    monkeypatch.setattr(pipeline, "BATCH", batch)
    rows = [{"payment_terms_code": "X", "payment_terms": "Ex"}, {"customer_code": "C2", "payment_terms": "Ex"}]
    run = send.text(*creating(*rows))
    assert (run.status, issues_of(run), terms(account)) == ("succeeded", [], {"X": "Ex"})


def test_a_rejected_customer_names_nothing_for_those_behind(send, account):
    rows = [
        {"payment_terms_code": "X", "payment_terms": "Ex", "website": "?"},
        {"customer_code": "C2", "payment_terms_code": "X", "payment_terms": "Why"},
    ]
    assert (send.text(*creating(*rows)).status, terms(account)) == ("partial", {"X": "Why"})


@pytest.mark.parametrize("known", [False, True])
def test_a_name_that_is_the_code_of_an_entry_means_that_entry(send, account, known):
    """A name that became a code, and was renamed since, goes on meaning its entry; given twice, it is given once."""
    if known:
        send(NEW | {"payment_terms_code": "N30"})
    rows = [{"payment_terms_code": "N30"}, {"payment_terms": "N30"}]
    run = send.text(*creating(*rows))
    assert (run.status, issues_of(run)) == ("succeeded", [(3, "payment_terms_1", "name_differs")])
    assert (send.customer()["payment_terms"], terms(account)) == (["N30"], {})
    run = send.text(*creating({"payment_terms": "N30"}))
    assert (run.status, run.unchanged) == ("succeeded", 1)


KINDS = {
    "payment_terms": [{"payment_terms_code": "N30"}, {"payment_terms": "Net 30"}, {"payment_terms": "N30"}],
    "shipping_terms": [{"shipping_terms": "UPS"}, {"shipping_terms": "UPS "}, {"shipping_terms": "UPS"}],
    "warehouses": [{"warehouse_code": "WH1"}, {"warehouse_name": "Rotterdam"}, {"warehouse_name": "WH1"}],
    "price_types": [
        {"price_type_currency": "eur", "price_type_name": "EU Wholesale"},
        {"price_type_currency": "EUR", "price_type_name": "EU Wholesale "},
        {"price_type_currency": "Eur", "price_type_name": " EU Wholesale"},
    ],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", list(Unknown))
def test_an_entry_that_is_named_in_every_way_is_given_once(send, kind, policy):
    ways = KINDS[kind] if policy is Unknown.CREATE else KINDS[kind][: 2 if kind != "price_types" else 3]
    rows = [row for way in ways for row in (way, {f"{name}_2": value for name, value in way.items()})]
    empty = {f"{name}{end}": "" for way in ways for name in way for end in ("", "_2")}
    text, format_ = creating(*[empty | row for row in rows], policy=dict.fromkeys(CREATE, policy))
    for _ in range(2):
        assert send.text(text, format_).status == "succeeded"
        assert len(send.customer()[kind]) == 1
        text += "\n"  # another file: it is read again
        send.text(*creating({"customer_alias": "x"}))


NEW_KINDS = {
    "payment_terms": [{"payment_terms_code": code} for code in ("q", "Q", "q ", " Q")],
    "shipping_terms": [{"shipping_terms": code} for code in ("q", "Q", "q ", " Q")],
    "warehouses": [{"warehouse_code": code} for code in ("q", "Q", "q ", " Q")],
    "price_types": [
        {"price_type_currency": currency, "price_type_name": label}
        for currency, label in (("chf", "q"), ("CHF", "Q"), ("CHF", "q "), ("Chf", " Q"))
    ],
}


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_new_codes_are_as_many_as_their_list_tells_apart(send, kind):
    run = send.text(*creating(*NEW_KINDS[kind]))
    assert run.status == "succeeded"
    codes = send.customer()[kind]
    assert codes == ([["CHF", "Q"], ["CHF", "q"]] if kind == "price_types" else ["Q", "q"])
    assert send.text(*creating(*NEW_KINDS[kind][::-1])).status == "succeeded"


def test_codes_and_names_of_full_length_are_created(send, account):
    row = {
        "payment_terms_code": "c" * 255, "payment_terms": "n" * 255, "shipping_terms": "s" * 255,
        "warehouse_name": "w" * 255, "company_number_code": "c" * 100, "company_number_name": "n" * 150,
        "price_type_currency": "CHF", "price_type_name": "p" * 100,
    }  # fmt: skip
    assert send.text(*creating(row)).status == "succeeded"
    assert Warehouse.objects.get(account=account, code="w" * 255).name == "w" * 255
    assert CompanyNumber.objects.get(account=account, code="c" * 100).name == "n" * 150
    assert PriceType.objects.filter(account=account, currency="CHF", label="p" * 100).exists()
    run = send.text(*creating({"company_number_name": "n" * 101}))
    assert (run.status, issues_of(run)) == ("rejected", [(2, "company_number_name", "too_long")])


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"warehouse_code": "wh1"}, "warehouse_code_1", "Did you mean 'WH1'?"),
        ({"warehouse_code": "WH3"}, "warehouse_code_1", "Did you mean 'WH1' or 'WH2'?"),
        ({"warehouse_name": "Rotterdm"}, "warehouse_name_1", "Did you mean 'Rotterdam'?"),
        ({"warehouse_code": "Rotterdam"}, "warehouse_code_1", "It is the name of 'WH1'; send the code."),
        ({"warehouse_name": "WH1"}, "warehouse_name_1", "It is a code there; send it as warehouse_code_1."),
        ({"price_type_name": "EU Wholesail"}, "price_type_name_1", "Did you mean 'EUR EU Wholesale'"),
        ({"price_type_name": "eu  wholesale"}, "price_type_name_1", "The cell has two spaces in a row."),
        ({"shipping_terms": "UPX"}, "shipping_terms_1", "Did you mean 'UPS'?"),
        ({"shipping_terms": "ups"}, "shipping_terms_1", "Did you mean 'UPS'?"),
        ({"payment_terms": "net 30"}, "payment_terms_1", "Did you mean 'Net 30'?"),
        ({"payment_terms": "n30"}, "payment_terms_1", "Did you mean 'Net 30', whose code is 'N30'?"),
        ({"payment_terms_code": "N\u201360"}, "payment_terms_code_1", "The cell has an en dash (U+2013)."),
        ({"sales_rep_code": "rosa diaz"}, "sales_rep_code", "Did you mean 'REP1', which is called 'Rosa Diaz'?"),
        (
            {"sales_rep_code": "Rosa@Example.com"},
            "sales_rep_code",
            "It is the e-mail of the rep whose code is 'REP1'; send the code.",
        ),
        ({"sales_rep_code": "bob@example.org"}, "sales_rep_code", "is not in the account's sales reps. Correct it"),
        ({"warehouse_code": "WH1;wh2"}, "warehouse_code_1", "The cell holds 2 codes, 'WH1' and 'WH2'; a cell takes"),
    ],
)
def test_what_may_have_been_meant_is_looked_for_where_the_column_looks(send, row, field, message):
    run = send(NEW | row)
    issue = run.issues.get(code="unknown_lookup")
    value = next(iter(row.values()))
    assert (issue.field, issue.value) == (field, f"EUR {value}" if "price_type_name" in row else value)
    assert message in issue.message


def test_no_price_type_is_taken_apart_by_the_text_it_is_shown_as(send, account, monkeypatch):
    for module in ("lookups.directory", "imports.pipeline.judging"):
        monkeypatch.setattr(f"{module}.price_type_code", lambda currency, label: f"{label} ({currency})")
    row = {"price_type_currency": "SEK", "price_type_name": "Nordic Wholesale"}
    run = send.text(*creating(row))
    assert run.status == "succeeded"
    assert send.customer()["price_types"] == [["SEK", "Nordic Wholesale"]]
    assert PriceType.objects.filter(account=account, currency="SEK", label="Nordic Wholesale").exists()
    out = io.StringIO()
    export_file(account, out, STANDARD)
    assert "SEK|Nordic Wholesale" in out.getvalue()


def test_entries_are_found_however_a_file_and_the_list_say_them(send, account):
    """The list may have entries of a release that stored them as they came."""
    Warehouse.objects.bulk_create([Warehouse(account=account, code="X", name="Y")])
    Warehouse.objects.filter(code="X").update(code="Zu\u0308\u200b1", name="Nord\u00ad")
    format_ = spec(column("warehouse_code"))
    codes = ["Zü1", "\u200eZu\u03081", '="Zü1"']
    rows = "".join(f"C{number}|A|{code}\n" for number, code in enumerate(codes))
    run = send.text(f"customer_code|profile_name|warehouse_code\n{rows}", format_)
    assert (run.status, run.created, issues_of(run)) == ("succeeded", 3, [])


def test_a_new_entry_that_looks_like_another_one_is_created_with_a_warning(send, account):
    codes = ["n30", "N45", "n45", "NET 30", "X", "N45"]
    rows = [{"customer_code": f"C{number}", "payment_terms_code": code} for number, code in enumerate(codes)]
    rows.append({"customer_code": "C9", "payment_terms_code": "Q1", "payment_terms_code_2": "q1"})
    run = send.text(*creating(*rows))
    assert (run.status, set(terms(account))) == ("succeeded", {*codes, "Q1", "q1"})
    said = dict(run.issues.values_list("value", "message"))
    assert set(run.issues.values_list("code", "severity")) == {("near_entry", "warning")}
    assert {value: message.partition("which has ")[2].partition(":")[0] for value, message in said.items()} == {
        "n30": "'N30'", "n45": "'N45'", "NET 30": "'Net 30'", "q1": "'Q1'"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "issue", "said"),
    [
        ("N30,N60", "placeholder", "which has 'N30' and 'N60': a cell takes one code."),
        ("TBD", "placeholder", "but reads like a word for a code that is yet to come."),
        ("Total", "placeholder", "but reads like a total."),
        ("02-Jan", "mangled_value", "but reads like a date"),
        ("'N90'", "mangled_value", "but stands in quotes"),
        ("N90", "", ""),
    ],
)
def test_a_new_entry_that_looks_like_none_is_told(send, code, issue, said):
    format_ = spec(column("payment_terms_code"), unknown_lookup={"payment_terms": Unknown.CREATE})
    run = send.text(f"customer_code|profile_name|payment_terms_code\nC1|A|{code}\nC2|B|{code}\n", format_)
    assert run.created == 2
    assert [(found.code, said in found.message) for found in run.issues.all()] == ([(issue, True)] if issue else [])


def test_a_code_beside_the_name_of_another_entry_says_which(send):
    text = "customer_code|profile_name|price_type_currency|price_type_name|payment_terms_code|payment_terms\n"
    run = send.text(f"{text}C1|A|EUR|EU Wholesale|N30|Net 60\nC2|B|EUR|EU Wholesale|N30|Thirty\n")
    assert (run.status, run.created) == ("succeeded", 2)
    first, second = run.issues.order_by("line")
    assert "calls 'N30' 'Net 30', which stays, and calls 'N60' 'Net 60': the code counts" in first.message
    assert second.message.endswith("calls 'N30' 'Net 30', which stays.")
    assert send.customer("C1")["payment_terms"] == ["N30"]
