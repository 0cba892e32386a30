"""One meaning, many layouts."""

import random

import pytest

from tests.builders import add_lookups, make_account
from tests.imports.customer_files import BILLING, NEW, SAMPLES, SHIPPING, Sender, as_text, customers_of, issues_of

STANDARD_SAMPLE = SAMPLES / "standard_layout.txt"


def imported(path, tmp_path, code="other"):
    account = make_account(code)
    add_lookups(account)
    run = Sender(account, tmp_path).bytes(path.read_bytes())
    assert run.status == "succeeded", list(run.issues.all())
    return customers_of(account)


@pytest.fixture
def expected(db, tmp_path):
    customers = imported(STANDARD_SAMPLE, tmp_path, "expected")
    for kind in ("addresses", "doors", "buyers", "price_types"):
        assert any(len(customer[kind]) > 1 for customer in customers.values())
    return customers


@pytest.mark.parametrize(
    "name",
    [
        "wide_layout",
        "ship_to_layout",
        "encodings/utf8_bom",
        "encodings/utf16_bom",
        "encodings/crlf",
        "encodings/cr_only",
    ],
)
def test_every_layout_and_encoding_gives_the_same_customers(expected, tmp_path, name):
    assert imported(SAMPLES / f"{name}.txt", tmp_path) == expected


def test_rows_in_any_order_give_the_same_customers(expected, send):
    header, *rows = STANDARD_SAMPLE.read_text().splitlines()
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert send.text("\n".join([header, *rows])).status == "succeeded"
        assert send.customers() == expected


def test_columns_in_any_order_give_the_same_customers(expected, send):
    rows = [line.split("|") for line in STANDARD_SAMPLE.read_text().splitlines()]
    order = random.Random(3).sample(range(len(rows[0])), len(rows[0]))
    send.text("\n".join("|".join(row[index] for index in order) for row in rows))
    assert send.customers() == expected


def test_labels_in_any_case_mean_the_same_as_names(expected, send):
    header, rest = STANDARD_SAMPLE.read_text().split("\n", 1)
    send.text(header.replace("_", " ").title() + "\n" + rest)
    assert send.customers() == expected


def test_a_bare_name_means_number_one(send):
    run = send(NEW | SHIPPING | {"shipping_address_1": "9 Rue Mercière"})
    assert send.customer()["addresses"][0]["address_1"] == "9 Rue Mercière"
    assert run.issues.count() == 0


def test_generic_address_columns_go_to_the_kind_of_the_row(send):
    address = {"address_code": "A", "address_country": "FR", "address_address_1": "1 Quai", "address_city": "Nantes"}
    run = send(NEW | address | {"address_type": "B"}, NEW | address | {"address_type": "s", "address_email": "a@b.fr"})
    assert run.status == "succeeded"
    assert [(address["kind"], address["email"]) for address in send.customer()["addresses"]] == [
        ("B", ""),
        ("S", "a@b.fr"),
    ]


def test_generic_address_columns_without_a_type_are_an_error(send):
    run = send(NEW | {"address_code": "A", "address_country": "FR"})
    assert run.status == "rejected"
    assert issues_of(run) == [(2, "address_type", "required")]


def test_only_the_group_of_the_rows_type_is_read(send):
    run = send(NEW | SHIPPING | {"billing_code": "B1", "billing_country": "Atlantis"})
    assert run.status == "succeeded"
    assert [address["kind"] for address in send.customer()["addresses"]] == ["S"]


def test_without_a_type_every_group_that_is_filled_is_read(send):
    send(NEW | {"billing_code": "B1", "billing_country": "FR", "shipping_code_2": "S2", "shipping_country_2": "DE"})
    assert [address["code"] for address in send.customer()["addresses"]] == ["B1", "S2"]


def test_billing_repeated_beside_a_new_shipping_address_is_silent(send):
    bill = NEW | {"billing_code": "B1", "billing_country": "FR"}
    run = send(*(bill | {"shipping_code": f"S{number}", "shipping_country": "FR"} for number in range(3)))
    assert (run.status, run.issues.count()) == ("succeeded", 0)


def test_a_row_that_only_repeats_an_address_is_warned_of(send):
    run = send(NEW | SHIPPING, NEW | SHIPPING)
    assert run.status == "succeeded"
    assert issues_of(run) == [(3, "shipping_code_1", "repeated_address")]


def test_rows_complete_each_other(send):
    run = send(NEW | SHIPPING | {"shipping_city": "Lyon"}, {"customer_code": "C1", **SHIPPING, "shipping_zip": "69002"})
    (address,) = send.customer()["addresses"]
    assert (address["city"], address["zip"], run.issues.count()) == ("Lyon", "69002", 0)


def test_any_split_of_a_file_gives_the_same_customers(expected, send):
    header, *rows = STANDARD_SAMPLE.read_text().splitlines()
    codes = sorted({row.split("|")[1] for row in rows})
    for cut in range(len(codes) + 1):
        for part in (codes[:cut], codes[cut:]):
            send.text("\n".join([header, *(row for row in rows if row.split("|")[1] in part)]))
    assert send.customers() == expected


def test_as_text_quotes_what_needs_it():
    assert as_text([{"a": "x|y", "b": 'say "hi"'}]) == 'a|b\n"x|y"|"say ""hi"""\n'


def test_an_address_in_the_columns_of_the_other_kind_alone_is_told_and_not_read(send):
    shipping, billing = SHIPPING | {"address_type": "B"}, BILLING | {"address_type": "S"}
    both = {**SHIPPING, **BILLING}
    run = send(NEW | shipping, NEW | billing | {"customer_code": "C2"}, NEW | both | {"customer_code": "C3"})
    assert (run.status, issues_of(run)) == (
        "succeeded", [(2, "address_type", "unread_address"), (3, "address_type", "unread_address")],
    )  # fmt: skip
    assert [len(customer["addresses"]) for customer in send.customers().values()] == [0, 0, 1]
