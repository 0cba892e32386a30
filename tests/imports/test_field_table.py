"""Every limit and every rule of the field table, at the bound and past it."""

import pytest

from imports.template import FIELDS, TEMPLATE, Kind
from tests.builders import PRICE_TYPES
from tests.imports.customer_files import BILLING, NEW, SHIPPING, issues_of

# Name, label, required, longest value: the source document's table, by hand.
FIELD_TABLE = """
profile_name|Profile Name|Y|100
customer_code|Customer Code|Y|100
customer_alias|Customer Alias|N|150
alternate_name|Alternate Name|N|100
website|Website|N|255
company_number_name|Company Number Name|N|150
company_number_code|Company Number Code|N|100
customer_group_name|Customer Group Name|N|150
customer_group_code|Customer Group Code|N|100
discount|Discount|N|3
discount_line_item_level|Discount Line Item Level|N|N/A
sales_rep_code|Sales Rep Code|N|255
warehouse_name_%|Warehouse Name|N|255
warehouse_code_%|Warehouse Code|N|255
buyer_name_%|Buyer Name|N|255
buyer_email_%|Buyer Email|N|255
payment_terms_%|Payment Terms|N|255
payment_terms_code_%|Payment Terms Code|N|255
shipping_terms_%|Shipping Terms|N|255
price_type_currency_%|Price Type Currency|Y|3
price_type_name_%|Price Type Name|Y|100
address_type|Address Type|N|1
shipping_code_%|Shipping Code|Y|100
shipping_name_%|Shipping Name|N|255
shipping_address_1_%|Shipping Address 1|N|100
shipping_address_2_%|Shipping Address 2|N|100
shipping_city_%|Shipping City|N|150
shipping_state_%|Shipping State|N|40
shipping_zip_%|Shipping Zip|N|20
shipping_country_%|Shipping Country|Y|100
shipping_email_%|Shipping Email|N|255
shipping_phone_%|Shipping Phone|N|30
create_doors|Create Doors|N|N/A
billing_code_%|Billing Code|Y|100
billing_name_%|Billing Name|N|255
billing_address_1_%|Billing Address 1|N|100
billing_address_2_%|Billing Address 2|N|100
billing_city_%|Billing City|N|150
billing_state_%|Billing State|N|40
billing_zip_%|Billing Zip|N|20
billing_country_%|Billing Country|Y|100
"""


def test_the_template_is_the_field_table():
    rows = [
        "|".join(
            (
                f"{field.name}_%" if field.repeats else field.name,
                field.label,
                "Y" if field.required else "N",
                str(field.max_length or "N/A"),
            )
        )
        for field in TEMPLATE
    ]
    assert rows == FIELD_TABLE.split("\n")[1:-1]


PLAIN_TEXT = [field.name for field in TEMPLATE if field.kind in (Kind.TEXT, Kind.CODE)]
OF_LISTS = {
    "company_number_name", "company_number_code", "customer_group_name", "customer_group_code", "sales_rep_code",
    "warehouse_name", "warehouse_code", "payment_terms", "payment_terms_code", "shipping_terms", "price_type_name",
}  # fmt: skip


def row_with(name: str, value: str) -> dict[str, str]:
    """A sound row with one cell changed."""
    row = dict(NEW)
    if name.startswith("shipping_") and name != "shipping_terms":
        row |= SHIPPING
    if name.startswith("billing_"):
        row |= BILLING
    if name == "buyer_name":
        row |= {"buyer_email": "ana@example.com"}
    return row | {name: value}


def limit(name: str) -> int:
    return FIELDS[name].max_length or 0


@pytest.mark.parametrize("name", [name for name in PLAIN_TEXT if name not in OF_LISTS])
def test_the_longest_text_is_stored_whole_and_a_longer_one_rejected(send, name):
    longest = "é" * (limit(name) - 1) + "💎"
    run = send(row_with(name, f"  {longest}  "))
    assert run.status == "succeeded", list(run.issues.all())
    assert longest in str(send.customers())
    run = send(row_with(name, longest + "x") | ({"customer_code": "C2"} if name != "customer_code" else {}))
    assert run.status == "rejected"
    field = f"{name}_1" if FIELDS[name].repeats else name
    (issue,) = run.issues.filter(severity="error")
    assert (issue.line, issue.column, issue.field, issue.code) == (2, name if name != "x" else "", field, "too_long")
    assert f"{len(longest) + 1} characters" in issue.message
    assert str(len(longest)) in issue.message


@pytest.mark.parametrize("name", sorted(OF_LISTS))
def test_texts_that_name_a_list_are_unknown_up_to_the_limit_and_too_long_past_it(send, name):
    longest = "x" * limit(name)
    codes = [code for _, _, code in issues_of(send(row_with(name, longest)))]
    assert codes == ["unknown_lookup"]
    codes = [code for _, _, code in issues_of(send(row_with(name, longest + "x")))]
    assert codes == ["too_long"]


@pytest.mark.parametrize("name", ["buyer_email", "shipping_email"])
def test_the_longest_email(send, name):
    longest = f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 10}"
    longest = longest.replace("@", "@" + "d" * (255 - len(longest) - 2) + ".", 1) if len(longest) < 250 else longest
    longest = longest[:254] if len(longest) > 255 else longest
    assert send(row_with(name, longest)).status == "succeeded"
    too_long = longest.replace("@", "@" + ".".join(["e" * 50] * 3) + ".", 1)
    assert issues_of(send(row_with(name, too_long))) == [(2, f"{name}_1", "too_long")]


def test_the_longest_website(send):
    longest = "https://example.com/".ljust(255, "x")
    assert send(row_with("website", longest)).status == "succeeded"
    assert send.customer()["website"] == longest
    assert issues_of(send(row_with("website", longest + "x"))) == [(2, "website", "too_long")]
    assert issues_of(send(row_with("website", "example.com/".ljust(248, "x")))) == [(2, "website", "too_long")]


@pytest.mark.parametrize(
    ("cell", "discount"),
    [("0", 0), ("10", 10), ("10%", 10), ("10 %", 10), ("10.00", 10), ("10,00", 10), ("100", 100), ("007", 7)],
)
def test_discounts(send, cell, discount):
    send(NEW | {"discount": cell, "discount_line_item_level": "no"})
    assert send.customer()["discount"] == discount


@pytest.mark.parametrize(
    "cell", ["101", "-1", "12.5", "ten", "1e1", "10.", "%", "１０", "1 0", "10.01", "+5", "9" * 900]
)
def test_what_is_no_discount(send, cell):
    run = send(NEW | {"discount": cell, "discount_line_item_level": "no"})
    assert issues_of(run) == [(2, "discount", "invalid_integer")]


def test_a_discount_needs_its_level(send):
    assert issues_of(send(NEW | {"discount": "10"})) == [(2, "discount_line_item_level", "required")]
    assert send(NEW | {"discount": "10", "discount_line_item_level": "no"}).status == "succeeded"
    assert send(NEW | {"customer_code": "C2", "discount_line_item_level": "no"}).status == "succeeded"


@pytest.mark.parametrize(
    ("cells", "value"),
    [("yes Yes Y y true TRUE t 1 on", True), ("no NO n false False f 0 off", False)],
)
def test_booleans(send, cells, value):
    for cell in cells.split():
        send(NEW | {"discount_line_item_level": cell})
        assert send.customer()["discount_line_item_level"] is value


@pytest.mark.parametrize("cell", ["ja", "2", "yess", "-"])
def test_what_is_no_boolean(send, cell):
    assert issues_of(send(NEW | {"discount_line_item_level": cell})) == [
        (2, "discount_line_item_level", "invalid_boolean")
    ]
    assert issues_of(send(NEW | SHIPPING | {"create_doors": cell})) == [(2, "create_doors", "invalid_boolean")]


@pytest.mark.parametrize("row", [SHIPPING, BILLING])
@pytest.mark.parametrize("country", ["US", "CA", "JP", "AU", "usa", "Japan"])
def test_the_state_is_required_where_the_table_says(send, row, country):
    kind = "shipping" if row is SHIPPING else "billing"
    run = send(NEW | row | {f"{kind}_country": country})
    assert issues_of(run) == [(2, f"{kind}_state_1", "required")]
    assert send(NEW | row | {f"{kind}_country": country, f"{kind}_state": "XY"}).status == "succeeded"


@pytest.mark.parametrize("country", ["FR", "GB", "MX", "NZ", "KR"])
def test_the_state_is_not_required_elsewhere(send, country):
    assert send(NEW | SHIPPING | {"shipping_country": country}).status == "succeeded"


def test_the_state_is_judged_on_what_would_stand(send):
    send(NEW | SHIPPING | {"shipping_state": "Rhône"})
    assert send({"customer_code": "C1", **SHIPPING, "shipping_country": "US"}).status == "succeeded"
    send(NEW | {"customer_code": "C2"} | SHIPPING)
    run = send({"customer_code": "C2", **SHIPPING, "shipping_country": "US"})
    assert issues_of(run) == [(2, "shipping_state_1", "required")]
    assert send.customer("C2")["addresses"][0]["country"] == "FR"


@pytest.mark.parametrize("name", ["code", "country"])
@pytest.mark.parametrize("row", [SHIPPING, BILLING])
def test_an_address_with_any_value_needs_code_and_country(send, row, name):
    kind = "shipping" if row is SHIPPING else "billing"
    run = send(NEW | row | {f"{kind}_city": "Lyon", f"{kind}_{name}": ""})
    assert issues_of(run) == [(2, f"{kind}_{name}_1", "required")]


def test_an_address_group_without_any_value_is_no_address(send):
    assert send(NEW | dict.fromkeys(SHIPPING, "")).status == "succeeded"
    assert send.customer()["addresses"] == []


def test_a_buyer_name_needs_an_email(send):
    assert issues_of(send(NEW | {"buyer_name": "Ana", "buyer_email": ""})) == [(2, "buyer_email_1", "required")]
    assert send(NEW | {"buyer_email": "ana@example.com"}).status == "succeeded"


@pytest.mark.parametrize("name", ["profile_name", "price_type_currency", "price_type_name"])
def test_a_new_customer_needs(send, name):
    assert issues_of(send(NEW | {name: ""})) == [(2, f"{name}_1" if "price" in name else name, "required")]


def test_a_new_customer_needs_a_price_type(send):
    run = send(NEW | {"price_type_currency": "", "price_type_name": ""})
    assert {field for _, field, _ in issues_of(run)} == {"price_type_currency_1", "price_type_name_1"}


@pytest.mark.parametrize("cell", ["b", "B", "s", "S"])
def test_address_types(send, cell):
    send(NEW | {"address_type": cell, "address_code": "A", "address_country": "FR"})
    assert send.customer()["addresses"][0]["kind"] == cell.upper()


@pytest.mark.parametrize("cell", ["X", "BS", "Billing"])
def test_what_is_no_address_type(send, cell):
    assert issues_of(send(NEW | SHIPPING | {"address_type": cell})) == [(2, "address_type", "invalid_choice")]


@pytest.mark.parametrize(
    ("cell", "country"),
    [
        ("fr", "FR"), ("FRA", "FR"), ("France", "FR"), ("UK", "GB"), ("Great Britain", "GB"), ("Russia", "RU"),
        ("Turkey", "TR"), ("South Korea", "KR"), ("Taiwan", "TW"), ("Czech Republic", "CZ"), ("Viet Nam", "VN"),
        ("netherlands", "NL"),
    ],
)  # fmt: skip
def test_countries(send, cell, country):
    send(NEW | SHIPPING | {"shipping_country": cell})
    assert send.customer()["addresses"][0]["country"] == country


@pytest.mark.parametrize("cell", ["Atlantis", "XX", "Frankreich", "F", "Franc"])
def test_what_is_no_country(send, cell):
    assert issues_of(send(NEW | SHIPPING | {"shipping_country": cell})) == [
        (2, "shipping_country_1", "invalid_country")
    ]


@pytest.mark.parametrize(("currency", "label"), PRICE_TYPES)
def test_currencies_in_any_case(send, currency, label):
    send(NEW | {"price_type_currency": currency.lower(), "price_type_name": label})
    assert send.customer()["price_types"] == [[currency, label]]


@pytest.mark.parametrize("cell", ["EURO", "E", "XYZ", "€"])
def test_what_is_no_currency(send, cell):
    run = send(NEW | {"price_type_currency": cell})
    assert issues_of(run)[0] == (2, "price_type_currency_1", "invalid_currency")


def test_the_price_types_label_is_compared_exactly(send):
    assert issues_of(send(NEW | {"price_type_name": "eu wholesale"})) == [(2, "price_type_name_1", "unknown_lookup")]


@pytest.mark.parametrize(
    ("cell", "website"),
    [("http://a.example.com", "http://a.example.com"), ("www.a.example.com", "https://www.a.example.com")],
)
def test_websites(send, cell, website):
    send(NEW | {"website": cell})
    assert send.customer()["website"] == website


@pytest.mark.parametrize("cell", ["ftp://a.example.com", "not a site", "javascript:alert(1)", "https://"])
def test_what_is_no_website(send, cell):
    assert issues_of(send(NEW | {"website": cell})) == [(2, "website", "invalid_website")]


@pytest.mark.parametrize(
    "cell", ["ana", "ana@", "@example.com", "a b@example.com", "ana@example", "a@b@c.com", "ana.@a.example"]
)
def test_what_is_no_email(send, cell):
    assert issues_of(send(NEW | {"buyer_email": cell})) == [(2, "buyer_email_1", "invalid_email")]
