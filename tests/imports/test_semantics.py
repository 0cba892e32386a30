"""What a file means: blanks, conflicts, collections, keys, lookups, review, counts."""

import pytest

from connections.history.recording import recorded_edit
from connections.models import Change, Connection
from connections.review.decisions import reject
from imports.models import Run
from lookups.models import PaymentTerm, Warehouse
from tests.builders import add_lookups, make_account, make_user
from tests.imports.customer_files import BILLING, NEW, SHIPPING, Sender, as_text, issues_of

CODE = {"customer_code": "C1"}


def test_an_error_rejects_the_whole_customer_and_only_it(send):
    run = send(
        NEW | SHIPPING,
        NEW | {"customer_code": "C2"} | SHIPPING,
        NEW | {"customer_code": "C2"} | BILLING | {"billing_country": "Atlantis"},
    )
    assert (run.status, run.created, run.rejected) == ("partial", 1, 1)
    assert list(send.customers()) == ["C1"]


def test_every_problem_of_every_row_is_said(send):
    run = send(NEW | {"website": "?", "discount": "x"}, NEW | {"website": "?"} | SHIPPING | {"shipping_country": "?"})
    assert issues_of(run) == [
        (2, "discount", "invalid_integer"),
        (2, "website", "invalid_website"),
        (3, "website", "invalid_website"),
        (3, "shipping_country_1", "invalid_country"),
    ] or set(issues_of(run)) == {
        (2, "discount", "invalid_integer"),
        (2, "website", "invalid_website"),
        (3, "website", "invalid_website"),
        (3, "shipping_country_1", "invalid_country"),
    }


def test_an_issue_names_line_column_field_value_and_customer(send):
    run = send.text("Customer Code|Profile Name|WebSite\nC1|Alpha|  not a site \n")
    issue = run.issues.get(code="invalid_website")
    assert (issue.line, issue.column, issue.field, issue.value, issue.customer_code, issue.severity) == (
        2, "WebSite", "website", "  not a site ", "C1", "error",
    )  # fmt: skip
    assert "https://www.example.com" in issue.message


def test_cells_are_trimmed_and_blank_ones_keep_the_value(send):
    send(NEW | {"customer_alias": "  Harbor  "})
    run = send(CODE | {"customer_alias": "   ", "alternate_name": "HR"})
    assert (send.customer()["customer_alias"], send.customer()["alternate_name"]) == ("Harbor", "HR")
    assert run.updated == 1


def test_rows_of_nothing_but_delimiters_are_not_counted(send):
    run = send.text(
        "customer_code|profile_name|price_type_currency|price_type_name\n\n||| \nC1|A|EUR|EU Wholesale\n   \n"
    )
    assert (run.status, run.rows, run.rows_rejected, run.customers) == ("succeeded", 1, 0, 1)


def test_a_row_without_a_code_is_rejected_by_itself(send):
    run = send(NEW, NEW | {"customer_code": " "})
    assert (run.status, run.rows, run.rows_rejected, run.created) == ("partial", 2, 1, 1)
    assert issues_of(run) == [(3, "customer_code", "required")]


def test_collections_are_never_shortened(send):
    send(NEW | SHIPPING | {"create_doors": "y", "buyer_email": "a@example.com"})
    send(CODE | {"address_type": "S", "shipping_code": "S2", "shipping_country": "FR", "buyer_email": "b@example.com"})
    customer = send.customer()
    assert [len(customer[kind]) for kind in ("addresses", "doors", "buyers")] == [2, 1, 2]


def test_customers_that_a_file_does_not_mention_stay(send):
    send(NEW, NEW | {"customer_code": "C2"})
    send(NEW | {"customer_code": "C3"})
    assert list(send.customers()) == ["C1", "C2", "C3"]


def test_numbers_are_no_identity(send):
    send(NEW | {"buyer_email_1": "a@example.com", "buyer_email_2": "b@example.com", "buyer_name_1": "A"})
    run = send(NEW | {"buyer_email_1": "b@example.com", "buyer_email_2": "a@example.com", "buyer_name_2": "A"})
    assert run.unchanged == 1


def test_the_values_of_a_kind_replace_the_kind(send):
    send(NEW | {"payment_terms_code_1": "N30", "payment_terms_code_2": "N60", "warehouse_code": "WH1"})
    send(CODE | {"payment_terms_code_1": "PRE"})
    assert (send.customer()["payment_terms"], send.customer()["warehouses"]) == (["PRE"], ["WH1"])


def test_values_of_several_rows_join(send):
    send(NEW | {"payment_terms_code_1": "N30"}, NEW | {"payment_terms_code_1": "N60"})
    assert send.customer()["payment_terms"] == ["N30", "N60"]


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (NEW, NEW | {"profile_name": "Other"}, "profile_name"),
        (NEW | SHIPPING | {"shipping_city": "Lyon"}, NEW | SHIPPING | {"shipping_city": "Paris"}, "shipping_city_1"),
        (
            NEW | {"buyer_email": "a@example.com", "buyer_name": "A"},
            NEW | {"buyer_email": "A@example.com", "buyer_name": "B"},
            "buyer_name_1",
        ),
    ],
)
def test_a_conflict_names_both_lines(send, first, second, field):
    run = send(first, second)
    assert run.status == "rejected"
    issue = run.issues.get(code="conflict")
    assert (issue.line, issue.field) == (3, field)
    assert "on line 2" in issue.message


def test_values_are_compared_after_cleaning(send):
    with_discount = NEW | {"discount": "10", "discount_line_item_level": "yes"}
    run = send(with_discount, with_discount | {"discount": "10%", "discount_line_item_level": "TRUE"})
    assert run.status == "succeeded"


def test_leading_zeros_and_case_count_in_codes(send):
    run = send(NEW | {"customer_code": "007"}, NEW | {"customer_code": "7"}, NEW | {"customer_code": "a7"})
    assert run.created == 3
    run = send(NEW | {"customer_code": "A7"})
    assert (run.status, run.created) == ("succeeded", 1)
    (issue,) = run.issues.all()
    assert (issue.code, issue.severity) == ("near_key", "warning")
    assert "'a7'" in issue.message


def test_a_delta_with_a_code_in_another_case_tells_what_it_may_have_meant(send):
    send(NEW | {"customer_code": "ab1"})
    run = send({"customer_code": "AB1", "customer_alias": "x"})
    assert "near_key" in {code for _, _, code in issues_of(run)}
    assert run.status == "rejected"


def test_true_on_any_row_makes_a_door_and_only_true_renames_it(send):
    send(NEW | SHIPPING | {"create_doors": "no", "shipping_name": "A"}, NEW | SHIPPING | {"create_doors": "yes"})
    assert send.customer()["doors"] == [{"code": "S1", "name": "A"}]
    send(CODE | SHIPPING | {"create_doors": "no", "shipping_name": "B"})
    assert send.customer()["doors"] == [{"code": "S1", "name": "A"}]
    send(CODE | SHIPPING | {"create_doors": "yes"})
    assert send.customer()["doors"] == [{"code": "S1", "name": "B"}]


def test_an_address_or_door_without_a_name_shows_the_current_profile_name(send):
    send(NEW | SHIPPING | {"create_doors": "yes"})
    send(CODE | {"profile_name": "Harbor Row II"})
    connection = Connection.objects.get()
    assert [connection.addresses.get().display_name, connection.doors.get().display_name] == ["Harbor Row II"] * 2
    assert connection.addresses.get().name == ""


def test_an_unknown_lookup_says_what_is_near(send):
    run = send(NEW | {"payment_terms_code": "N3O", "sales_rep_code": "REPX"})
    assert set(issues_of(run)) == {
        (2, "payment_terms_code_1", "unknown_lookup"),
        (2, "sales_rep_code", "unknown_lookup"),
    }
    assert "Did you mean 'N30'" in run.issues.get(field="payment_terms_code_1").message


def test_a_name_alone_resolves_when_one_entry_has_it(send, account):
    send(NEW | {"payment_terms": "Net 60", "warehouse_name": "Newark"})
    assert (send.customer()["payment_terms"], send.customer()["warehouses"]) == (["N60"], ["WH2"])
    Warehouse.objects.create(account=account, code="WH3", name="Newark")
    assert issues_of(send(NEW | {"warehouse_name": "Newark"})) == [(2, "warehouse_name_1", "ambiguous_name")]


def test_another_name_for_a_known_code_is_a_warning_and_no_rename(send, account):
    run = send(NEW | {"payment_terms_code": "N30", "payment_terms": "Thirty"})
    assert (run.status, issues_of(run)) == ("succeeded", [(2, "payment_terms_1", "name_differs")])
    assert PaymentTerm.objects.get(account=account, code="N30").name == "Net 30"


def test_lookups_of_another_account_are_not_seen(send, tmp_path):
    other = make_account("other")
    run = Sender(other, tmp_path)(NEW)
    assert run.issues.get().code == "unknown_lookup"
    add_lookups(other)
    assert Sender(other, tmp_path)(NEW).created == 1
    assert send.customers() == {}


def test_new_customers_wait_for_review_unless_the_account_approves_by_itself(send, account):
    send(NEW)
    account.auto_approval = account.AutoApproval.ALWAYS
    account.save()
    send(NEW | {"customer_code": "C2"})
    assert [customer["status"] for customer in send.customers().values()] == ["pending", "approved"]


def test_a_waiting_customer_is_updated_meanwhile(send):
    send(NEW)
    send(CODE | {"customer_alias": "x"})
    assert (send.customer()["customer_alias"], send.customer()["status"]) == ("x", "pending")


def test_rows_of_a_rejected_connection_are_skipped_with_one_warning(send, account):
    send(NEW, NEW | {"customer_code": "C2"})
    first = Connection.objects.get(customer_code="C1")
    reject(Connection.objects.filter(customer_code="C2"), make_user("rita", is_superuser=True), duplicate_of=first)
    run = send(NEW, NEW | {"customer_code": "C2", "website": "?"} | SHIPPING, NEW | {"customer_code": "C2"} | BILLING)
    assert (run.status, run.unchanged, run.skipped, run.rejected) == ("succeeded", 1, 1, 0)
    (issue,) = run.issues.all()
    assert (issue.line, issue.code, issue.severity) == (3, "rejected_connection", "warning")
    assert "duplicate of C1" in issue.message
    assert send.customer("C2")["addresses"] == []


def test_statuses(send):
    assert send(NEW).status == Run.Status.SUCCEEDED
    assert send(NEW | {"website": "?"}).status == Run.Status.REJECTED
    assert send(NEW, NEW | {"customer_code": "C2", "website": "?"}).status == Run.Status.PARTIAL


def test_a_dry_run_has_the_counts_and_issues_of_the_real_one_and_leaves_nothing(send):
    send(NEW)
    rows = (
        NEW | {"customer_alias": "x"} | SHIPPING,
        NEW | {"customer_code": "C2"},
        NEW | {"customer_code": "C3", "website": "?"},
    )
    before = send.customers()
    dry = send(*rows, dry_run=True)
    assert send.customers() == before
    assert not Change.objects.filter(run_id=dry.pk).exists()
    real = send(*rows)
    assert (dry.status, dry.counts, issues_of(dry)) == (real.status, real.counts, issues_of(real))
    assert real.counts == {
        "rows": 3, "rows_rejected": 0, "customers": 3, "created": 1, "updated": 1, "unchanged": 0, "rejected": 1,
        "skipped": 0,
    }  # fmt: skip


def digests():
    return dict(Connection.objects.values_list("customer_code", "source_digest"))


def test_a_rejected_customer_and_a_dry_run_store_no_digest(send):
    send(NEW)
    before = digests()
    send(NEW | {"customer_alias": "x"}, dry_run=True)
    send(NEW | {"website": "?"})
    assert digests() == before
    assert len(before["C1"]) == 16


def test_an_edited_list_makes_unchanged_customers_be_looked_at_again(send, account):
    row = NEW | {"payment_terms_code": "N30", "payment_terms": "Net 30"}
    send(row)
    PaymentTerm.objects.filter(account=account, code="N30").update(name="Thirty days")
    run = send(row)
    assert (run.unchanged, issues_of(run)) == (1, [(2, "payment_terms_1", "name_differs")])


def test_an_edit_by_a_person_is_overwritten_by_the_next_file_even_if_it_is_the_same(send):
    send(NEW | {"customer_alias": "File"})
    with recorded_edit([Connection.objects.get().pk], make_user("rosa")):
        Connection.objects.update(customer_alias="Person")
    assert send(NEW | {"customer_alias": "File"}).updated == 1
    assert send.customer()["customer_alias"] == "File"


def test_clearing_is_not_possible_in_the_standard_template(send):
    send(NEW | {"customer_alias": "x"})
    send(CODE | {"customer_alias": r"\N"})
    assert send.customer()["customer_alias"] == r"\N"


def test_only_differing_fields_are_logged(send):
    send(NEW | SHIPPING | {"shipping_city": "Lyon"})
    run = send(NEW | SHIPPING | {"shipping_city": "Paris", "shipping_zip": "75003"})
    changes = (
        Change.objects.filter(run_id=run.pk).order_by("field").values_list("record", "key", "field", "before", "after")
    )
    assert list(changes) == [
        ("address", "S:S1", "city", "Lyon", "Paris"),
        ("address", "S:S1", "zip", "", "75003"),
    ]
    assert Connection.objects.get().updated_at > Connection.objects.get().created_at


def test_a_field_found_wrong_on_one_row_is_not_said_to_be_missing_on_another(send):
    incomplete = NEW | SHIPPING | {"shipping_country": ""}
    run = send(incomplete, incomplete | {"shipping_country": "Frankreich"})
    assert issues_of(run) == [(3, "shipping_country_1", "invalid_country"), (3, "shipping_code_1", "repeated_address")]


def test_every_change_of_a_file_names_its_account_and_its_customer(account, send, tmp_path):
    other = Sender(make_account("atelier"), tmp_path)
    add_lookups(other.account)
    full = NEW | SHIPPING | {"create_doors": "y", "buyer_email": "a@example.com", "payment_terms_code": "N30"}
    wide = full | {"shipping_terms": "UPS", "warehouse_code": "WH1", "sales_rep_code": "REP1"}
    changed = {
        "profile_name": "Renamed", "shipping_city": "Lyon", "buyer_name": "Ana", "payment_terms_code": "N60",
        "shipping_terms": "DHL", "warehouse_code": "WH2", "shipping_name": "Lyon", "price_type_currency": "USD",
        "price_type_name": "US Wholesale",
    }  # fmt: skip
    for sender in (send, other):
        for values in (wide, wide | changed):
            sender(*(values | {"customer_code": code} for code in ("C1", "C2")))
    changes = Change.objects.values_list("connection_id", "account_id", "customer_code")
    known = Connection.objects.values_list("pk", "account_id", "customer_code")
    assert set(changes) == set(known)
    assert set(Change.objects.values_list("account_id", "customer_code", "record", "action")) == {
        (sender.account.pk, code, record, action)
        for sender in (send, other)
        for code in ("C1", "C2")
        for record in Change.Record.values
        for action in (("created", "updated") if record == "connection" else
                       ("updated",) if record in ("address", "door", "buyer") else ("created", "deleted"))
    }  # fmt: skip


def test_a_known_customer_is_found_however_its_codes_come(send):
    """One file with every way in which the same codes and e-mails are said, and no second of anything."""
    known = NEW | SHIPPING | {"customer_code": "É10", "shipping_code": "É10-1", "buyer_email": "ana@shop.example"}
    send(known)
    for number, code in enumerate(
        ["\u200bÉ10", "E\u030110", "\u200eÉ\u00ad10\u00a0", '="É10"', "\ufeffÉ10", "\u3000É10"]
    ):
        said = {"customer_code": code, "shipping_code": f"{code}-1", "buyer_email": "\u2060ana@shop.example\u00a0"}
        if code.startswith("="):
            said["shipping_code"] = '="É10-1"'
        if "\u00a0" in code:
            said["shipping_code"] = "\u200eÉ\u00ad10-1\u00a0"
        run = send(known | said | {"customer_alias": f"Alias {number}"})
        assert (run.status, run.created, run.updated, issues_of(run)) == ("succeeded", 0, 1, [])
    (customer,) = send.customers().values()
    assert (customer["customer_code"], customer["customer_alias"]) == ("É10", "Alias 5")
    assert [address["code"] for address in customer["addresses"]] == ["É10-1"]
    assert [buyer["email"] for buyer in customer["buyers"]] == ["ana@shop.example"]


def test_rows_of_one_customer_meet_however_their_code_is_written(send):
    """The rows complete each other, and one that nobody can be sure of rejects all of them."""
    run = send(NEW | {"customer_alias": "A"}, NEW | {"customer_code": "\u200bC1"}, NEW | {"customer_code": '="C1"'})
    assert (run.customers, run.created, run.rows) == (1, 1, 3)
    run = send(NEW | {"profile_name": "Other"}, {"customer_code": "C1\x1c"})
    assert (run.status, run.customers, run.rejected) == ("rejected", 1, 1)
    assert issues_of(run) == [(3, "customer_code", "control_character")]
    assert "U+001C" in run.issues.get().message
    assert send.customer()["profile_name"] == "Harbor Row"


def test_a_code_that_a_spreadsheet_shortened_is_nobodys(send):
    rows = [NEW | {"customer_code": code} for code in ("1.67683E+15", "1.67683E+15", "2,5E+07", "C1")]
    run = send(*rows, rejects=send.folder / "rejects.txt")
    assert (run.status, run.created, run.rejected) == ("partial", 1, 2)
    assert issues_of(run) == [(line, "customer_code", "mangled_code") for line in (2, 3, 4)]
    again = send.bytes((send.folder / "rejects.txt").read_bytes())
    assert issues_of(again) == issues_of(run)


def test_a_column_with_control_characters_is_one_warning(send):
    names = ["Ash\x0b& Sons", "Oak\x07", "Elm"]
    run = send(*(NEW | {"customer_code": f"C{number}", "profile_name": name} for number, name in enumerate(names)))
    assert (run.status, issues_of(run)) == ("succeeded", [(2, "profile_name", "control_character")])
    assert [customer["profile_name"] for customer in send.customers().values()] == ["Ash & Sons", "Oak", "Elm"]


def test_files_that_were_joined_and_filled_up_are_read_whole(send):
    first, second = as_text([NEW]), as_text([NEW | {"customer_code": "C2"}]).partition("\n")[2]
    run = send.bytes(f"\ufeff\ufeff{first}\x1a\ufeff{second}\x1a".encode() + b"\0" * 500)
    assert (run.status, run.created, issues_of(run)) == ("succeeded", 2, [])
