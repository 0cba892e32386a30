"""What a format can say beyond the standard template."""

from dataclasses import replace

import pytest

from imports.formats.policies import (
    AssignmentMode,
    BlankCode,
    Conflict,
    EncodedTwice,
    FormatError,
    Policies,
    RowMark,
    Swallowed,
    UnknownLookup,
    WordsForNothing,
)
from imports.formats.spec import STANDARD, BadValue, Blank, Column, Dialect, FormatSpec, Ownership
from imports.template import Group, Target, find_target
from lookups.models import PaymentTerm, Warehouse
from tests.imports.customer_files import issues_of


def target(name: str) -> Target:
    found = find_target(name)
    assert found is not None, name
    return found


def column(name: str, source=None, **options) -> Column:
    if source is None and "constant" not in options:
        source = name
    return Column(target=target(name), source=source, **options)


def spec(*columns: Column, dialect: Dialect | None = None, **policies) -> FormatSpec:
    needed = [column("customer_code"), column("profile_name")]
    given = {item.target for item in columns}
    prices = [column("price_type_currency", constant="EUR"), column("price_type_name", constant="EU Wholesale")]
    return FormatSpec(
        "test",
        dialect or Dialect(),
        (*columns, *(item for item in [*needed, *prices] if item.target not in given)),
        Policies(**policies),
    )


def test_constants_fill_what_the_file_lacks(send):
    assert send.text("customer_code|profile_name\nC1|A\n", spec()).status == "succeeded"
    assert send.customer()["price_types"] == [["EUR", "EU Wholesale"]]


def test_a_constant_alone_makes_no_address(send):
    country = spec(column("shipping_country", constant="FR"), column("shipping_code", "store"), column("shipping_city"))
    send.text("customer_code|profile_name|store|shipping_city\nC1|A||\nC2|B|S1|Lyon\n", country)
    assert [len(customer["addresses"]) for customer in send.customers().values()] == [0, 1]


def test_value_maps_and_defaults(send):
    format_ = spec(
        column("shipping_code"),
        column("shipping_country", "land", value_map={"Frankreich": "FR"}, default="DE"),
        column("create_doors", "laden", value_map={"J": "yes"}, default="no"),
    )
    text = "customer_code|profile_name|shipping_code|land|laden\nC1|A|S1|Frankreich|J\nC1|A|S2||\n"
    assert send.text(text, format_).status == "succeeded"
    assert [address["country"] for address in send.customer()["addresses"]] == ["FR", "DE"]
    assert [door["code"] for door in send.customer()["doors"]] == ["S1"]


def test_a_template_of_headers_joins_cells(send):
    format_ = spec(column("buyer_name", "{First} {Last}"), column("buyer_email", "mail"))
    send.text(
        "customer_code|profile_name|First|Last|mail\nC1|A| Ana | Ruiz |a@example.com\nC2|B|||b@example.com\n", format_
    )
    assert [customer["buyers"][0]["name"] for customer in send.customers().values()] == ["Ana Ruiz", ""]


def test_columns_by_position_without_a_header(send):
    format_ = spec(
        column("customer_code", 2),
        column("profile_name", 1),
        column("customer_alias", 4),
        dialect=Dialect(has_header=False),
    )
    run = send.text("A|C1|?|alias\nB|C2\n", format_)
    assert (run.status, send.customer()["customer_alias"]) == ("partial", "alias")
    (issue,) = run.issues.all()
    assert (issue.line, issue.code) == (2, "wrong_number_of_cells")


def test_a_file_without_a_header_that_is_too_narrow_is_answered(send):
    format_ = spec(column("customer_code", 1), column("profile_name", 9), dialect=Dialect(has_header=False))
    run = send.text("C1|A\n", format_)
    assert (run.status, issues_of(run)) == ("rejected", [(1, "", "wrong_number_of_cells")])


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (Dialect(delimiter=","), 'customer_code,profile_name\nC1,"A, B"\n'),
        (Dialect(delimiter=";", quotechar="'"), "customer_code;profile_name\nC1;'A, B'\n"),
        (Dialect(delimiter="\t", quotechar=None), "customer_code\tprofile_name\nC1\tA, B\n"),
        (Dialect(delimiter=",", quotechar=None, escapechar="\\"), "customer_code,profile_name\nC1,A\\, B\n"),
        (Dialect(delimiter="¦"), "customer_code¦profile_name\nC1¦A, B\n"),
        (Dialect(skip_lines=1), "Customers of today\ncustomer_code|profile_name\nC1|A, B\n"),
    ],
)
def test_dialects(send, dialect, text):
    assert send.text(text, spec(dialect=dialect)).status == "succeeded"
    assert send.customer()["profile_name"] == "A, B"


def test_a_blank_cell_clears_where_the_column_says_so_and_all_rows_are_blank(send):
    format_ = spec(column("customer_alias", blank=Blank.CLEAR), column("shipping_code"), column("shipping_country"))
    header = "customer_code|profile_name|customer_alias|shipping_code|shipping_country\n"
    send.text(header + "C1|A|alias|S1|FR\n", format_)
    send.text(header + "C1|A||S1|FR\nC1|A|alias|S2|FR\n", format_)
    assert send.customer()["customer_alias"] == "alias"
    send.text(header + "C1|A||S1|FR\nC1|A| |S2|FR\n", format_)
    assert send.customer()["customer_alias"] == ""


def test_the_clear_token_clears_fields_addresses_and_assignments(send):
    format_ = spec(
        column("customer_alias"),
        column("payment_terms_code"),
        column("sales_rep_code"),
        column("discount"),
        column("discount_line_item_level"),
        column("shipping_code"),
        column("shipping_city"),
        column("shipping_country"),
        clear_token=r"\N",
    )
    header = (
        "customer_code|profile_name|customer_alias|payment_terms_code|sales_rep_code|discount|discount_line_item_level"
        "|shipping_code|shipping_city|shipping_country\n"
    )
    send.text(header + "C1|A|alias|N30|REP1|10|yes|S1|Lyon|FR\n", format_)
    run = send.text(header + r"C1|A|\N|\N|\N|\N|\N|S1|\N|FR" + "\n", format_)
    assert (run.status, run.updated) == ("succeeded", 1)
    customer = send.customer()
    assert (customer["customer_alias"], customer["payment_terms"], customer["sales_rep"]) == ("", [], None)
    assert (customer["discount"], customer["discount_line_item_level"]) == (None, None)
    assert customer["addresses"][0]["city"] == ""


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (r"C1|\N|EUR|EU Wholesale|S1|FR", "profile_name"),
        (r"C1|A|EUR|EU Wholesale|S1|\N", "shipping_country_1"),
        (r"C1|A|EUR|EU Wholesale|\N|FR", "shipping_code_1"),
        (r"C1|A|\N|\N|S1|FR", "price_type_currency_1"),
    ],
)
def test_clearing_a_required_field_is_an_error(send, cells, field):
    names = [
        "customer_code",
        "profile_name",
        "price_type_currency",
        "price_type_name",
        "shipping_code",
        "shipping_country",
    ]
    format_ = FormatSpec("test", Dialect(), tuple(map(column, names)), Policies(clear_token=r"\N"))
    send.text("|".join(names) + "\nC1|A|EUR|EU Wholesale|S1|FR\n", format_)
    before = send.customers()
    run = send.text("|".join(names) + f"\n{cells}\n", format_)
    assert run.status == "rejected"
    assert (2, field, "required") in issues_of(run)
    assert send.customers() == before


def test_assignments_can_be_added_instead_of_replaced(send):
    header = "customer_code|profile_name|payment_terms_code\n"
    format_ = spec(column("payment_terms_code"), assignments={Group.PAYMENT_TERMS: AssignmentMode.ADD})
    send.text(header + "C1|A|N30\n", format_)
    send.text(header + "C1|A|N60\n", format_)
    assert send.customer()["payment_terms"] == ["N30", "N60"]


def test_ownership(send):
    header = "customer_code|profile_name|customer_alias|alternate_name|website\n"
    format_ = spec(
        column("customer_alias", ownership=Ownership.IF_BLANK),
        column("alternate_name", ownership=Ownership.NEVER),
        column("website"),
    )
    send.text(header + "C1|A|first|first|a.example.com\n", format_)
    assert (send.customer()["customer_alias"], send.customer()["alternate_name"]) == ("first", "")
    send.text(header + "C1|A|second|second|b.example.com\n", format_)
    customer = send.customer()
    assert (customer["customer_alias"], customer["alternate_name"]) == ("first", "")
    assert customer["website"] == "https://b.example.com"


@pytest.mark.parametrize(
    ("policy", "status", "severity"), [("reject", "rejected", "error"), ("skip", "succeeded", "warning")]
)
def test_an_unknown_lookup_is_rejected_or_skipped(send, policy, status, severity):
    format_ = spec(
        column("warehouse_code"),
        column("sales_rep_code"),
        unknown_lookup={"warehouses": UnknownLookup(policy), "sales_reps": UnknownLookup(policy)},
    )
    run = send.text("customer_code|profile_name|warehouse_code|sales_rep_code\nC1|A|WH9|REP9\n", format_)
    assert run.status == status
    assert set(run.issues.values_list("code", "severity")) == {("unknown_lookup", severity)}
    assert run.issues.count() == 2


def test_an_unknown_lookup_is_created_by_accepted_customers_only(send, account):
    create = dict.fromkeys(("warehouses", "payment_terms", "price_types", "company_numbers"), UnknownLookup.CREATE)
    names = [
        "customer_code",
        "profile_name",
        "price_type_currency",
        "price_type_name",
        "warehouse_code",
        "warehouse_name",
        "payment_terms",
        "company_number_code",
    ]
    format_ = FormatSpec("test", Dialect(), tuple(map(column, [*names, "website"])), Policies(unknown_lookup=create))
    header = "|".join([*names, "website"])
    good = "C1|A|CHF|Alps|WH8|Basel|Net 90|CH1|"
    bad = "C2|B|NOK|North|WH9|Oslo|Net 120|NO1|not a site"
    dry = send.text(f"{header}\n{good}\n{bad}\n", format_, dry_run=True)
    assert (dry.created, Warehouse.objects.filter(account=account).count()) == (1, 2)
    run = send.text(f"{header}\n{good}\n{bad}\n{good.replace('C1', 'C3')}\n", format_)
    assert (run.status, run.created) == ("partial", 2)
    assert set(Warehouse.objects.filter(account=account).values_list("code", "name")) >= {("WH8", "Basel")}
    assert not Warehouse.objects.filter(code="WH9").exists()
    assert PaymentTerm.objects.get(account=account, code="Net 90").name == "Net 90"
    customer = send.customer()
    assert (customer["price_types"], customer["warehouses"], customer["company_number"]) == (
        [["CHF", "Alps"]],
        ["WH8"],
        "CH1",
    )


def test_a_trailing_delimiter_is_an_error_unless_the_format_allows_it(send):
    text = "customer_code|profile_name\nC1|A|\n"
    assert send.text(text, spec()).status == "rejected"
    trailing = spec(allow_trailing_delimiter=True)
    assert send.text(text, trailing).status == "succeeded"
    assert send.text(text.replace("A|", "A|  "), trailing).status == "succeeded"


@pytest.mark.parametrize("row", ["C2|B|C", "C2|B|0", "C2|B|C|", "C2|B||"])
def test_a_trailing_delimiter_with_something_behind_it_is_a_surplus_cell(send, row):
    run = send.text(f"customer_code|profile_name\nC1|A|\n{row}\n", spec(allow_trailing_delimiter=True))
    assert (run.status, issues_of(run)) == ("partial", [(3, "", "wrong_number_of_cells")])
    assert list(send.customers()) == ["C1"]


def test_too_many_errors_hold_the_run(send):
    rows = "".join(f"C{number}|{'' if number < 3 else 'A'}\n" for number in range(20))
    run = send.text(f"customer_code|profile_name\n{rows}", spec(max_error_percent=10))
    assert (run.status, run.rejected, run.created) == ("held", 3, 17)
    assert "3 of 20" in run.message
    assert send.customers() == {}
    assert run.issues.count() == 3


def test_too_many_changes_hold_the_run(send):
    def text(name):
        return "customer_code|profile_name\n" + "".join(f"C{number}|{name}\n" for number in range(20))

    send.text(text("A"), spec())
    run = send.text(text("B"), spec(max_change_percent=50))
    assert (run.status, run.updated) == ("held", 20)
    assert send.customer("C0")["profile_name"] == "A"
    assert send.text(text("B"), spec(max_change_percent=100)).status == "succeeded"


def test_limits_are_not_judged_below_ten_customers(send):
    rows = "".join(f"C{number}|{'' if number else 'A'}\n" for number in range(9))
    assert send.text(f"customer_code|profile_name\n{rows}", spec(max_error_percent=1)).status == "partial"


def test_another_format_makes_unchanged_customers_be_looked_at_again(send):
    text = "customer_code|profile_name|customer_alias\nC1|A|x\n"
    send.text(text, spec())
    assert send.customer()["customer_alias"] == ""
    assert send.text(text, spec(column("customer_alias"))).updated == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dialect(delimiter="||"), "one character"),
        (lambda: Dialect(delimiter='"'), "different characters"),
        (lambda: Dialect(encoding="klingon"), "no encoding that files are read in"),
        (lambda: Column(target("website")), "source or a constant"),
        (lambda: column("profile_name", ownership=Ownership.NEVER), "cannot be 'never'"),
        (lambda: column("shipping_country", blank=Blank.CLEAR), "cannot clear"),
        (lambda: column("buyer_email", blank=Blank.CLEAR), "found by"),
        (lambda: column("buyer_email_2", ownership=Ownership.NEVER), "found by"),
        (lambda: column("shipping_code", ownership=Ownership.NEVER), "never"),
        (lambda: column("price_type_name", ownership=Ownership.NEVER), "never"),
        (lambda: column("warehouse_code", constant="WH1 "), "spaces around"),
        (lambda: column("warehouse_code", value_map={"1": " WH1"}), "spaces around"),
        (lambda: Policies(unknown_lookup={"sales_reps": UnknownLookup.CREATE}), "no e-mail"),
        (lambda: FormatSpec("x", columns=(column("profile_name"),)), "No column goes to customer_code"),
        (lambda: FormatSpec("x", columns=(column("customer_code"), column("Customer Code"))), "More than one column"),
        (lambda: FormatSpec("x", Dialect(has_header=False)), "by position"),
        (lambda: spec(column("customer_code", "a", value_map={"x": "y"})), "can only blank cells"),
    ],
)
def test_a_format_that_contradicts_itself_is_refused(make, message):
    with pytest.raises(FormatError, match=message):
        make()


def test_equal_formats_have_equal_digests():
    assert (
        spec(column("alternate_name", value_map={"a": "b", "c": "d"})).digest
        == spec(column("alternate_name", value_map={"c": "d", "a": "b"})).digest
    )
    assert spec().digest != spec(allow_trailing_delimiter=True).digest


def test_settings_that_came_later_change_no_digest_at_their_default():
    """Approvals and the digests of customers stand on these; they were computed before there was any such setting."""
    columns = (
        column("customer_code", 1),
        column("profile_name", 2, value_map={"b": "B", "a": "A"}, default="x", ownership=Ownership.IF_BLANK),
        column("price_type_currency", constant="EUR"),
    )
    policies = Policies(
        clear_token="\\N",
        assignments={Group.PRICE_TYPES: AssignmentMode.ADD},
        unknown_lookup={"warehouses": UnknownLookup.SKIP},
        max_error_percent=10,
        max_change_percent=50.0,
        allow_trailing_delimiter=True,
        conflict=Conflict.LAST,
    )
    dialect = Dialect(
        "cp1252", ";", None, "\\", has_header=False, skip_lines=2, footer="T*", allow_spaced_delimiter=True
    )
    known = FormatSpec("erp@1", dialect, columns, policies, ("a", "b"))
    assert STANDARD.digest.hex() == "b56383a6ff328cb6079805ec1249c41703a29df9a225ecfb2c996dae2f67dd79"
    assert known.digest.hex() == "f94b37a6758cf0af2b6b4a58afa545fc81f93a198042ab086bb717972d182c96"
    assert replace(known, dialect=replace(dialect, width=4)).digest != known.digest
    assert replace(known, dialect=replace(dialect, spaces_around_quotes=True)).digest != known.digest
    assert replace(known, dialect=replace(dialect, ignore_lines=("---*",))).digest != known.digest
    for later in (
        {"swallowed_lines": Swallowed.WARN},
        {"encoded_twice": EncodedTwice.WARN},
        {"words_for_nothing": WordsForNothing.BLANK},
        {"languages": ("de",)},
        {"blank_code": BlankCode.CONTINUE},
        {"allow_short_rows": True},
        {"max_near_key_percent": 5},
        {"row_marks": {"1": {"X": RowMark.LEAVE_OUT}}},
    ):
        assert replace(known, policies=replace(policies, **later)).digest != known.digest
    alias = Column(target("customer_alias"), 7)
    left_out = replace(alias, bad_value=BadValue.LEAVE_OUT)
    assert replace(known, columns=(*columns, left_out)).digest != replace(known, columns=(*columns, alias)).digest
