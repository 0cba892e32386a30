"""The command `load_lookups`: a file of lists, the whole of it or nothing."""

import json

import pytest
from django.core.management import CommandError, call_command

from lookups.directory import LISTS
from lookups.loading import load_file
from lookups.models import PaymentTerm, PriceType, SalesRep, Warehouse
from tests.builders import add_lookups, make_account

pytestmark = pytest.mark.django_db

HEADER = "list,code,name,currency,email\n"
GOOD = HEADER + (
    "price_types,,EU Wholesale,EUR,\n"
    "payment_terms,N30,Net 30,,\n"
    "shipping_terms,UPS,UPS Ground,,\n"
    "sales_reps,REP1,Rosa Diaz,,rosa@example.com\n"
    "warehouses,007,Rotterdam,,\n"
    "customer_groups,IND,Independents,,\n"
    'company_numbers,CN1,"Maison Paris, SAS",,\n'
)


@pytest.fixture
def account():
    return make_account("maison")


@pytest.fixture
def write(tmp_path):
    def write(content, name="lookups.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def problems(account, write):
    """Load a file that must be refused; returns its problems as (line, column, code)."""

    def load(content):
        counts = {name: model._default_manager.count() for name, model in LISTS.items()}
        result = load_file(account, write(content))
        assert result.status == "rejected"
        assert {name: model._default_manager.count() for name, model in LISTS.items()} == counts
        assert all(problem.message for problem in result.problems)
        return [(problem.line, problem.column, problem.code) for problem in result.problems]

    return load


def run_json(capsys, path, *options):
    try:
        call_command("load_lookups", str(path), "--account", "maison", "--json", *options)
        code = 0
    except CommandError as error:
        code = error.returncode
    return code, json.loads(capsys.readouterr().out)


def test_every_list_is_filled(account, write, capsys):
    code, answer = run_json(capsys, write(GOOD))
    assert code == 0
    assert answer == {
        "account": "maison",
        "status": "succeeded",
        "lists": {name: {"created": 1, "updated": 0, "unchanged": 0} for name in LISTS},
        "issues": [],
    }
    assert account.companynumbers.get().name == "Maison Paris, SAS"
    assert Warehouse.objects.get().code == "007"
    assert (PriceType.objects.get().currency, PriceType.objects.get().label) == ("EUR", "EU Wholesale")


def test_the_same_file_again_changes_nothing(account, write, capsys):
    run_json(capsys, write(GOOD))
    _, answer = run_json(capsys, write(GOOD))
    assert set(map(tuple, (counts.values() for counts in answer["lists"].values()))) == {(0, 0, 1)}


def test_a_known_code_is_renamed_and_keeps_its_id(account, write):
    add_lookups(account)
    before = PaymentTerm.objects.get(code="N30").pk
    result = load_file(account, write(HEADER + "payment_terms,N30,Thirty days net,,\npayment_terms,N60,Net 60,,\n"))
    counts = result.lists["payment_terms"]
    assert (counts.created, counts.updated, counts.unchanged) == (0, 1, 1)
    assert PaymentTerm.objects.get(pk=before).name == "Thirty days net"
    assert PaymentTerm.objects.count() == 3


def test_a_blank_name_leaves_the_name_as_it_is(account, write):
    add_lookups(account)
    result = load_file(account, write(HEADER + "payment_terms,N30,,,\npayment_terms,NEW,,,\n"))
    counts = result.lists["payment_terms"]
    assert (counts.created, counts.updated, counts.unchanged) == (1, 0, 1)
    assert PaymentTerm.objects.get(code="N30").name == "Net 30"


def test_other_accounts_are_left_alone(account, write):
    other = make_account("northwind")
    add_lookups(other)
    load_file(account, write(HEADER + "sales_reps,REP1,Rosa Diaz,,rosa@example.com\npayment_terms,N30,Thirty,,\n"))
    assert account.salesreps.get().email == "rosa@example.com"
    assert other.paymentterms.get(code="N30").name == "Net 30"


def test_two_reps_swap_their_emails_in_one_file(account, write):
    add_lookups(account)
    rows = "sales_reps,REP1,Rosa Diaz,,jun@example.com\nsales_reps,REP2,Jun Mori,,ROSA@example.com\n"
    assert load_file(account, write(HEADER + rows)).lists["sales_reps"].updated == 2
    assert dict(SalesRep.objects.values_list("code", "email")) == {
        "REP1": "jun@example.com",
        "REP2": "ROSA@example.com",
    }


def test_an_email_passes_to_a_new_rep_when_the_old_one_gets_another(account, write):
    add_lookups(account)
    rows = "sales_reps,NEW,Ana Lind,,rosa@example.com\nsales_reps,REP1,Rosa Diaz,,diaz@example.com\n"
    assert not load_file(account, write(HEADER + rows)).problems
    assert SalesRep.objects.get(code="NEW").email == "rosa@example.com"


def test_a_dry_run_counts_the_same_and_stores_nothing(account, write, capsys):
    code, answer = run_json(capsys, write(GOOD), "--dry-run")
    assert (code, answer["status"]) == (0, "succeeded")
    assert all(counts["created"] == 1 for counts in answer["lists"].values())
    assert not any(model._default_manager.exists() for model in LISTS.values())


def test_byte_order_mark_blank_lines_and_any_order_of_columns_are_fine(account, write):
    content = "\ufeffEmail,Name,Currency,Code,List\r\n\r\n,,,,\r\n, Net 30 ,,  N30,payment_terms\r\n"
    result = load_file(account, write(content))
    assert not result.problems
    assert PaymentTerm.objects.get().code == "N30"
    assert PaymentTerm.objects.get().name == "Net 30"


def test_a_currency_in_small_letters_is_stored_in_capitals(account, write):
    load_file(account, write(HEADER + "price_types,,EU Wholesale,eur,\n"))
    assert PriceType.objects.get().currency == "EUR"


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("colours,C1,Red,,", "list", "unknown_list"),
        (",C1,Red,,", "list", "unknown_list"),
        ("payment_terms,,Net 30,,", "code", "required"),
        ("payment_terms,N30,Net 30,EUR,", "currency", "unexpected_value"),
        ("payment_terms,N30,Net 30,,a@example.com", "email", "unexpected_value"),
        ("price_types,P1,EU Wholesale,EUR,", "code", "unexpected_value"),
        ("price_types,,EU Wholesale,,", "currency", "required"),
        ("price_types,,EU Wholesale,EURO,", "currency", "invalid_currency"),
        ("price_types,,EU Wholesale,XYZ,", "currency", "invalid_currency"),
        ("price_types,,,EUR,", "name", "required"),
        ("sales_reps,R1,Rosa,,", "email", "required"),
        ("sales_reps,R1,Rosa,,rosa at example", "email", "invalid_email"),
        ("payment_terms,N\x0030,Net 30,,", "code", "nul"),
        ("payment_terms,N30,Net 30,", "", "wrong_number_of_cells"),
        ("payment_terms,N30,Net 30,,,", "", "wrong_number_of_cells"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_column(problems, row, column, code):
    assert problems(GOOD + row + "\n") == [(9, column, code)]


@pytest.mark.parametrize(
    ("name", "column", "limit"),
    [
        ("payment_terms", "code", 255),
        ("payment_terms", "name", 255),
        ("warehouses", "code", 255),
        ("sales_reps", "code", 255),
        ("customer_groups", "code", 100),
        ("customer_groups", "name", 150),
        ("company_numbers", "code", 100),
        ("company_numbers", "name", 150),
        ("price_types", "name", 100),
    ],
)
def test_a_text_may_be_as_long_as_the_limit_and_no_longer(account, write, problems, name, column, limit):
    cells = {"list": name, "code": "C", "name": "N", "currency": "", "email": ""}
    if name == "price_types":
        cells.update(code="", currency="EUR")
    if name == "sales_reps":
        cells["email"] = "rosa@example.com"
    assert problems(HEADER + ",".join({**cells, column: "é" * (limit + 1)}.values())) == [(2, column, "too_long")]
    assert not load_file(account, write(HEADER + ",".join({**cells, column: "é" * limit}.values()))).problems


def test_all_problems_of_a_file_are_listed_in_the_order_of_lines(problems):
    content = HEADER + "colours,C1,Red,,\npayment_terms,,Net,EUR,\nshort\nprice_types,,,EUR,\n"
    assert [line for line, _, _ in problems(content)] == [2, 3, 3, 4, 5]


def test_an_entry_given_twice_is_named_with_its_first_line(account, write):
    rows = "payment_terms,N30,Net 30,,\nprice_types,,EU,EUR,\npayment_terms,N30,Net 30,,\nprice_types,,EU,eur,\n"
    result = load_file(account, write(HEADER + rows))
    assert [(problem.line, problem.code) for problem in result.problems] == [(4, "duplicate"), (5, "duplicate")]
    assert "line 2" in result.problems[0].message


def test_codes_that_differ_in_case_are_two_entries(account, write):
    assert (
        load_file(account, write(HEADER + "payment_terms,n30,a,,\npayment_terms,N30,b,,\n"))
        .lists["payment_terms"]
        .created
        == 2
    )


def test_an_email_of_two_reps_is_refused_in_any_case(problems):
    rows = "sales_reps,R1,Rosa,,rosa@example.com\nsales_reps,R2,Jun,,ROSA@example.com\n"
    assert problems(HEADER + rows) == [(3, "email", "duplicate_email")]


def test_an_email_of_a_stored_rep_is_refused_to_another(account, problems):
    add_lookups(account)
    assert problems(HEADER + "sales_reps,R9,Ana,,Rosa@Example.com\n") == [(2, "email", "duplicate_email")]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused(problems, content):
    assert problems(content) == [(None, "", "empty_file")]


def test_a_header_without_rows_changes_nothing(account, write):
    assert load_file(account, write(HEADER)).status == "succeeded"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("list,code,name,currency", [(1, "email", "missing_column")]),
        ("list,code,name,currency,mail", [(1, "email", "missing_column"), (1, "mail", "unknown_column")]),
        ("list,code,name,currency,email,code", [(1, "code", "duplicate_column")]),
        ("list|code|name|currency|email", [(1, name, "missing_column") for name in HEADER.strip().split(",")]),
    ],
)
def test_a_wrong_header_is_refused(problems, header, expected):
    assert problems(header + "\n")[: len(expected)] == expected


def test_the_line_of_an_undecodable_byte_is_named(problems):
    assert problems(GOOD.encode() + b"payment_terms,N60,\xe9t\xe9,,\n") == [(9, "", "wrong_encoding")]
    assert problems(b"\xef\xbb\xbf" + HEADER.encode() + b"payment_terms,N60,\xe9t\xe9,,\n") == [
        (2, "", "wrong_encoding")
    ]


def test_the_line_where_an_unclosed_quote_opens_is_named(problems):
    assert problems(GOOD + 'payment_terms,N60,"Net 60,,\nwarehouses,W,Way,,\n') == [(9, "", "unterminated_quote")]


def test_text_behind_a_closing_quote_is_refused(problems):
    assert problems(HEADER + 'payment_terms,N60,"Net" 60,,\n') == [(2, "", "malformed_quote")]


def test_a_row_over_several_lines_counts_from_its_first(problems):
    assert problems(HEADER + '"payment_terms","","a\nb",,\nwarehouses,,W,,\n') == [
        (2, "code", "required"),
        (4, "code", "required"),
    ]


def test_a_refused_file_tells_what_would_be_right(account, write, capsys):
    with pytest.raises(CommandError, match=r"The file was refused: 1 problem\.") as raised:
        call_command("load_lookups", str(write(HEADER + "colours,C1,Red,,\n")), "--account", "maison")
    assert raised.value.returncode == 1
    output = capsys.readouterr().out
    assert output.startswith("line 2, list: 'colours' is not a list; the lists are price_types, payment_terms")


def test_a_refused_file_as_json(account, write, capsys):
    code, answer = run_json(capsys, write(HEADER + "colours,C1,Red,,\n"))
    assert (code, answer["status"]) == (1, "rejected")
    (issue,) = answer["issues"]
    assert set(issue) == {"line", "column", "code", "value", "message"}
    assert (issue["line"], issue["column"], issue["value"]) == (2, "list", "colours")
    assert not any(count for counts in answer["lists"].values() for count in counts.values())


def test_the_counts_are_printed_as_a_table(account, write, capsys):
    call_command("load_lookups", str(write(GOOD)), "--account", "maison", "--dry-run")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["created", "updated", "unchanged"]
    assert lines[1].split() == ["price_types", "1", "0", "0"]
    assert lines[-1] == "A dry run: nothing was changed."


@pytest.mark.parametrize("path", ["missing.csv", ".", "a\0b"])
def test_what_is_no_file_is_wrong_usage(account, tmp_path, path):
    with pytest.raises(CommandError, match="cannot be read") as raised:
        call_command("load_lookups", str(tmp_path / path), "--account", "maison")
    assert raised.value.returncode == 2


def test_an_unknown_account_is_wrong_usage(write):
    with pytest.raises(CommandError, match="There is no account 'maison'") as raised:
        call_command("load_lookups", str(write(GOOD)), "--account", "maison")
    assert raised.value.returncode == 2


def test_a_large_file_takes_a_fixed_number_of_queries(account, write, django_assert_max_num_queries):
    rows = "".join(f"sales_reps,R{i},Rep {i},,rep{i}@example.com\n" for i in range(2000))
    with django_assert_max_num_queries(25):
        assert load_file(account, write(HEADER + rows)).lists["sales_reps"].created == 2000


def test_entries_are_loaded_as_files_name_them(account, write):
    """Whatever programs put between: the next load knows them, and so does a file of customers."""
    first = 'list,code,name,currency,email\nwarehouses,"=""007""",Zu\u0308rich\u200b,,\nwarehouses,\u200eE\u0301,,,\n'
    assert load_file(account, write(first)).status == "succeeded"
    assert dict(Warehouse.objects.values_list("code", "name")) == {"007": "Zürich", "É": ""}
    again = load_file(account, write("\ufeff\ufefflist,code,name,currency,email\nwarehouses,007,Zürich,,\n"))
    assert (again.status, again.lists["warehouses"].unchanged) == ("succeeded", 1)


def test_a_control_character_is_refused_by_its_name(problems):
    assert problems(f"{HEADER}warehouses,W\x071,,,\n") == [(2, "code", "control_character")]
