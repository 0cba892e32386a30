"""What cells say that say nothing, and what a bad value costs."""

import pytest

from imports.formats.spec import BadValue, Blank
from lookups.models import PaymentTerm, Warehouse
from tests.builders import make_connection
from tests.imports.customer_files import NEW, issues_of
from tests.imports.formats.test_spec import column, spec


def test_words_for_nothing_never_satisfy_what_is_required(send):
    row = NEW | {"shipping_code": "S1", "shipping_country": "US", "shipping_city": "Portland", "shipping_state": "OR"}
    run = send(
        row | {"customer_code": "C1", "profile_name": "N/A"},
        row | {"customer_code": "C2", "shipping_state": "-"},
        row | {"customer_code": "C3", "shipping_code": "NULL"},
        row | {"customer_code": "C4", "shipping_country": "none"},
        row | {"customer_code": "C5", "price_type_name": "."},
        row | {"customer_code": "C6", "buyer_name": "Eve", "buyer_email": "n/a"},
        row | {"customer_code": "#N/A"},
        row | {"customer_code": "C8", "customer_alias": "NULL", "shipping_zip": "k.A.", "website": "-"},
        row | {"customer_code": "NA", "profile_name": "NA"},
    )
    assert sorted(send.customers()) == ["C8", "NA"]
    assert (run.rejected, run.rows_rejected) == (7, 0)
    errors = run.issues.filter(severity="error").order_by("line")
    assert {issue.line for issue in errors} == {2, 3, 4, 5, 6, 7, 8}
    assert {issue.code for issue in errors} == {"required"}
    assert all("is a word for nothing" in issue.message for issue in errors if issue.field != "price_type_currency_1")
    kept = send.customer("C8")
    assert (kept["customer_alias"], kept["addresses"][0]["zip"], kept["website"]) == ("NULL", "k.A.", "")
    warned = run.issues.filter(severity="warning").values_list("field", "code")  # the others are said as errors
    names = {"customer_alias", "shipping_zip_1", "website"}
    assert set(warned) == {*((name, "word_for_nothing") for name in names), ("customer_code", "near_key")}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"profile_name": "-"}, "profile_name is required, and '-' is a word for nothing."),
        (
            {"shipping_country": "N/A"},
            "shipping_country_1 is required for an address, and 'N/A' is a word for nothing.",
        ),
        ({"shipping_state": "."}, "shipping_state_1 is required for addresses in US, and '.' is a word for nothing."),
        ({"shipping_code": "-"}, "shipping_code_1 is required, and '-' is a word for nothing."),
        (
            {"buyer_email": "k.A."},
            "buyer_email_1 is required when buyer_name is given, and 'k.A.' is a word for nothing.",
        ),
    ],
)
def test_a_word_for_nothing_in_a_cell_that_is_needed_is_said_once(send, cells, said):
    address = {"shipping_code": "S1", "shipping_country": "US", "shipping_state": "OR"}
    run = send(NEW | address | {"buyer_name": "Eve", "buyer_email": "e@example.com"} | cells)
    issue = run.issues.get()
    assert (issue.severity, issue.message, [issue.value]) == ("error", said, [*cells.values()])


def test_a_word_for_nothing_does_not_replace_what_is_stored_and_needed(send):
    address = {"shipping_code": "S1", "shipping_country": "US", "shipping_state": "OR"}
    send(NEW | address)
    run = send(NEW | address | {"profile_name": "-", "shipping_state": "n/a", "shipping_country": "NULL"})
    assert run.status == "succeeded"
    assert (send.customer()["profile_name"], send.customer()["addresses"][0]["state"]) == (NEW["profile_name"], "OR")


def test_codes_that_are_words_for_nothing_are_taken_where_they_are_known(send):
    make_connection(send.account, "NONE", addresses=[{"code": "-"}])
    row = NEW | {"customer_code": "NONE", "shipping_code": "-", "shipping_country": "FR", "shipping_city": "Lyon"}
    assert send(row).status == "succeeded"
    assert send.customer("NONE")["addresses"][0]["city"] == "Lyon"
    run = send(row | {"shipping_code": "."})
    assert issues_of(run) == [(2, "shipping_code_1", "required")]
    kept = [column("customer_code", value_map={"NIL": "NIL"}), column("shipping_code", value_map={"x": "."})]
    text = "customer_code|profile_name|shipping_code|shipping_country\nNIL|A|X|FR\n"
    assert send.text(text, spec(*kept, column("shipping_country"))).status == "succeeded"


def test_a_word_for_nothing_is_warned_of_once_for_a_customer(send):
    rows = [
        NEW | {"customer_alias": "N/A", "shipping_code": f"S{number}", "shipping_country": "FR"} for number in (1, 2)
    ]
    run = send(*rows)
    assert run.issues.filter(code="word_for_nothing").count() == 1


@pytest.mark.parametrize("policy", ["reject", "skip", "create"])
def test_a_word_for_nothing_is_an_entry_of_a_list_only_where_the_list_has_it(send, policy):
    names = ("payment_terms_code", "warehouse_name", "customer_group_code", "price_type_name")
    format_ = spec(
        *(column(name) for name in names),
        unknown_lookup=dict.fromkeys(("payment_terms", "warehouses", "customer_groups", "price_types"), policy),
    )
    PaymentTerm.objects.create(account=send.account, code="NONE", name="Nothing due")
    header = "customer_code|profile_name|payment_terms_code|warehouse_name|customer_group_code|price_type_name\n"
    run = send.text(f"{header}C1|A|NONE|n/a|-|EU Wholesale\nC2|B|-|NULL|N/A|-\n", format_)
    assert list(send.customers()) == ["C1"]
    customer = send.customer()
    assert (customer["payment_terms"], customer["warehouses"], customer["customer_group"]) == (["NONE"], [], None)
    assert {code for _, _, code in issues_of(run)} == {"word_for_nothing", "required"}
    assert not Warehouse.objects.filter(account=send.account, code="n/a").exists()


def test_a_bad_optional_value_can_leave_the_field_as_it_is(send):
    left_out = [column(name, bad_value=BadValue.LEAVE_OUT) for name in ("website", "discount", "shipping_email")]
    cleared = column("shipping_phone", bad_value=BadValue.LEAVE_OUT, blank=Blank.CLEAR)
    others = [column(name) for name in ("shipping_code", "shipping_country", "discount_line_item_level")]
    format_ = spec(*left_out, cleared, *others)
    names = ["customer_code", "profile_name", *(str(item.source) for item in [*left_out, cleared, *others])]
    header = "|".join(names) + "\n"
    send.text(f"{header}C1|A|https://a.example|10|a@a.example|0123|S1|FR|yes\n", format_)
    run = send.text(f"{header}C1|B|http://|12.5|a@b|{'9' * 31}|S1|FR|yes\nC2|C|?|101|x|{'9' * 31}|S1|FR|\n", format_)
    assert (run.status, run.updated, run.created) == ("succeeded", 1, 1)
    customer, new = send.customer(), send.customer("C2")
    assert (customer["profile_name"], customer["website"], customer["discount"]) == ("B", "https://a.example", 10)
    assert [(address["email"], address["phone"]) for address in customer["addresses"]] == [("a@a.example", "0123")]
    assert (new["website"], new["discount"], new["addresses"][0]["phone"]) == ("", None, "")
    assert set(run.issues.values_list("severity", flat=True)) == {"warning"}
    assert run.issues.count() == 8


def test_a_value_that_is_left_out_gives_way_to_a_good_one_and_does_not_contradict_it(send):
    format_ = spec(column("website", bad_value=BadValue.LEAVE_OUT, blank=Blank.CLEAR))
    rows = ["http://", "https://a.example", "?", ""]
    run = send.text("customer_code|profile_name|website\n" + "".join(f"C1|A|{cell}\n" for cell in rows), format_)
    assert (run.status, send.customer()["website"]) == ("succeeded", "https://a.example")


def test_what_is_required_beside_a_value_that_is_left_out_is_still_required(send):
    parts = [column(name) for name in ("shipping_code", "shipping_country", "discount")]
    conditional = [
        column(name, bad_value=BadValue.LEAVE_OUT) for name in ("shipping_state", "discount_line_item_level")
    ]
    header = (
        "customer_code|profile_name|shipping_code|shipping_country|discount|shipping_state|discount_line_item_level\n"
    )
    run = send.text(f"{header}C1|A|S1|US||{'x' * 41}|\nC2|B|||10||perhaps\n", spec(*parts, *conditional))
    assert run.rejected == 2
    errors = run.issues.filter(severity="error").order_by("line").values_list("field", "code")
    assert list(errors) == [("shipping_state_1", "required"), ("discount_line_item_level", "required")]


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Eve", "Roe", "Eve Roe"),
        ("NULL", "Roe", "Roe"),
        ("Eve", "-", "Eve"),
        ("n/a", "N/A", "kept"),
        ("\\N", "\\N", ""),
        ("\\N", "", ""),
        ("\\N", "Roe", "Roe"),
        ("", "", "kept"),
    ],
)
def test_words_for_nothing_are_no_part_of_a_composed_text(send, first, last, name):
    columns = [column("buyer_name_1", source="{First} {Last}"), column("buyer_email_1", source="Mail")]
    format_ = spec(*columns, clear_token="\\N")
    header = "customer_code|profile_name|Mail|First|Last\n"
    send.text(f"{header}C1|A|eve@oak.example|kept|\n", format_)
    run = send.text(f"{header}C1|A|eve@oak.example|{first}|{last}\n", format_)
    assert run.status == "succeeded"
    assert send.customer()["buyers"] == [{"email": "eve@oak.example", "name": name}]


@pytest.mark.parametrize(
    ("source", "cell", "alias"),
    [
        ("Shop {Nr}", "17", "Shop 17"),
        ("{Nr} (Shop)", " 17 ", "17 (Shop)"),
        ("{Nr}", "17", "17"),
        ("Shop {Nr}", "", ""),
    ],
)
def test_a_text_may_be_composed_of_one_header(send, source, cell, alias):
    format_ = spec(column("customer_alias", source=source))
    run = send.text(f"customer_code|profile_name|Nr\nC1|A|{cell}\n", format_)
    assert (run.status, send.customer()["customer_alias"] or "") == ("succeeded", alias)
