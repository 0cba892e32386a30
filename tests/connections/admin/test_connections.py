"""The pages of connections: list, form, review and history."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.matching.finding import look_for_duplicates
from connections.models import Address, Buyer, Change, Connection
from lookups.models import PaymentTerm, SalesRep
from tests.builders import add_lookups, add_member, make_account, make_change, make_connection, make_user
from tests.connections.admin.pages import LIST, add_data, page
from tests.pages import errors_of, filled_in, new_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(account):
    return make_connection(
        account,
        "C1",
        profile_name="Galerie",
        addresses=[{"code": "STORE-1", "city": "Lyon"}],
        doors=[{"code": "STORE-1"}],
        buyers=[{"email": "ana@example.com", "name": "Ana"}],
    )


# The list


def test_the_list_takes_as_many_queries_for_many_as_for_one(client, account):
    def queries():
        with CaptureQueriesContext(database) as captured:
            assert client.get(reverse(LIST)).status_code == 200
        return len(captured)

    rep = SalesRep.objects.get(code="REP1")
    make_connection(account, "C1", sales_rep=rep)
    queries()
    one = queries()
    for number in range(2, 40):
        make_connection(account, f"C{number}", sales_rep=rep, buyers=[{"email": "a@example.com"}])
    assert queries() == one


@pytest.mark.parametrize("term", ["C1", "galer", "Alias", "ANA@example"])
def test_the_list_is_searched_by_code_name_alias_and_buyer(client, account, connection, term):
    Connection.objects.update(customer_alias="Alias")
    make_connection(account, "other")
    found = client.get(reverse(LIST), {"q": term}).context["cl"].queryset
    assert list(found) == [connection]


def test_a_search_within_an_account_finds_what_is_there_alone(client, account, connection):
    add_member(other := make_account("other"), account.memberships.get().user)
    hidden = make_account("hidden")
    for number, owner in enumerate((other, hidden)):
        make_connection(owner, f"N{number}", profile_name=connection.profile_name)
        look_for_duplicates(owner.pk)

    def listed(*accounts):
        asked = {"q": connection.profile_name, "account__id__exact": [each.pk for each in accounts]}
        return [each.customer_code for each in client.get(reverse(LIST), asked).context["cl"].result_list]

    assert listed() == listed(account, other) == [connection.customer_code, "N0"]
    assert (listed(account), listed(other), listed(hidden)) == ([connection.customer_code], ["N0"], [])


def test_filters_offer_only_entries_of_visible_accounts(client, account, connection):
    foreign = make_account("northwind")
    add_lookups(foreign)
    SalesRep.objects.filter(account=foreign, code="REP1").update(name="Hidden Person")
    assert "Hidden Person" not in client.get(reverse(LIST)).content.decode()
    assert list(client.get(reverse(LIST), {"status__exact": "pending"}).context["cl"].queryset) == []


# The form


def test_an_unchanged_form_saves_and_records_nothing(client, account, connection):
    data = filled_in(client.get(page(connection)))
    response = client.post(page(connection), data)
    assert response.status_code == 302, errors_of(response)
    assert not Change.objects.exists()


def test_an_edit_is_stored_trimmed_and_recorded(client, account, connection):
    Connection.objects.update(source_digest=b"0123456789abcdef")
    data = filled_in(client.get(page(connection)))
    data |= {"profile_name": "  Galerie Lumière ", "website": "example.com", "addresses-0-city": " Paris "}
    data |= {"discount": "10", "discount_line_item_level": "true"}
    new_row(data, "connectionpaymentterm_set", lookup=PaymentTerm.objects.get(code="N30").pk)
    data["buyers-0-DELETE"] = "on"
    response = client.post(page(connection), data)
    assert response.status_code == 302, errors_of(response)
    connection.refresh_from_db()
    assert (connection.profile_name, connection.website) == ("Galerie Lumière", "https://example.com")
    assert bytes(connection.source_digest) == b""
    assert set(Change.objects.values_list("record", "key", "field", "before", "after", "user__username")) == {
        ("connection", "", "profile_name", "Galerie", "Galerie Lumière", "eddie"),
        ("connection", "", "website", "", "https://example.com", "eddie"),
        ("connection", "", "discount", None, "10", "eddie"),
        ("connection", "", "discount_line_item_level", None, "true", "eddie"),
        ("address", "S:STORE-1", "city", "Lyon", "Paris", "eddie"),
        ("payment_term", "N30", "", None, None, "eddie"),
        ("buyer", "ana@example.com", "", None, None, "eddie"),
    }


def test_a_new_connection_is_approved_by_whoever_adds_it(client, account):
    response = client.post(reverse("admin:connections_connection_add"), add_data(account))
    assert response.status_code == 302, errors_of(response)
    connection = Connection.objects.get()
    assert (connection.status, str(connection.reviewed_by)) == ("approved", "eddie")
    assert connection.reviewed_at is not None
    (change,) = Change.objects.all()
    assert (change.action, change.record, change.key) == ("created", "connection", "")
    created = change.values or {}
    assert (created["status"], created["reviewed_by"]) == ("approved", "eddie")
    assert created["records"] == [{"record": "price_type", "key": "EUR EU Wholesale", "values": {}}]


def test_whoever_adds_a_code_that_looks_like_another_one_is_told(client, account):
    make_connection(account, "new")
    make_connection(make_account("atelier"), "NEW.0")
    answer = client.post(reverse("admin:connections_connection_add"), add_data(account), follow=True)
    (warning,) = [str(message) for message in answer.context["messages"] if message.level_tag == "warning"]
    assert warning == (
        "The account has 'new' (Customer new), which may be the same customer: codes differ only in case, "
        "but other name. If so, reject 'NEW' as a duplicate."
    )


def test_a_page_names_the_codes_that_one_looks_like(client, account, connection):
    similar = reverse("admin:connections_connection_similar", args=[connection.pk])
    assert similar in client.get(page(connection)).content.decode()
    assert "differ only in" not in client.get(similar).content.decode()
    other = make_connection(account, "'0c1", profile_name="<b>Galerie</b>")
    make_connection(make_account("atelier"), "c1")
    shown = client.get(similar).content.decode()
    assert shown.count("differ only in") == 1
    assert "codes differ only in case, marks around it and leading zeros" in shown
    assert page(other) in shown
    assert "<b>Galerie</b>" not in shown


def test_the_account_is_asked_for_first_where_there_are_several(client, account):
    add = reverse("admin:connections_connection_add")
    assert client.get(add).headers["Location"] == f"{add}?account={account.pk}"
    client.force_login(make_user("root", is_superuser=True))
    other = make_account("northwind")
    assert f"?account={other.pk}" in client.get(add).content.decode()
    form = client.get(add, {"account": other.pk}).context["adminform"].form
    assert list(form.fields["account"].queryset) == [other]
    assert not form.fields["sales_rep"].queryset.exists()
    assert f"account={other.pk}" in str(form["sales_rep"])


def test_a_price_type_is_required(client, account, connection):
    data = filled_in(client.get(page(connection))) | {"connectionpricetype_set-0-DELETE": "on"}
    response = client.post(page(connection), data)
    assert "at least 1" in errors_of(response)
    assert connection.price_types.count() == 1
    data = add_data(account) | {"connectionpricetype_set-TOTAL_FORMS": 0}
    assert client.post(reverse("admin:connections_connection_add"), data).status_code == 200


WRONG = [
    {
        "profile_name": ("", "required"),
        "website": ("ftp://example.com", "valid URL"),
        "addresses-0-country": ("XX", "valid choice"),
        "buyers-0-email": ("nobody", "valid email"),
        "doors-0-code": ("é" * 101, "at most 100"),
    },
    {
        "profile_name": ("x" * 101, "at most 100"),
        "discount": ("101", "less than or equal to 100"),
        "addresses-0-code": ("", "required"),
    },
    {"discount": ("10", "needs its level"), "addresses-0-country": ("US", "need a state")},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_values_are_refused_with_their_reasons(client, account, connection, wrong):
    data = filled_in(client.get(page(connection))) | {name: value for name, (value, _) in wrong.items()}
    response = client.post(page(connection), data)
    assert response.status_code == 200
    said = errors_of(response)
    assert [message for _, message in wrong.values() if message not in said] == []
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("addresses", {"kind": "S", "code": "STORE-1", "country": "FR"}),
        ("doors", {"code": "STORE-1"}),
        ("buyers", {"email": "ANA@example.com"}),
    ],
)
def test_a_key_given_twice_is_refused(client, account, connection, prefix, values):
    data = filled_in(client.get(page(connection)))
    new_row(data, prefix, **values)
    response = client.post(page(connection), data)
    assert response.status_code == 200
    assert errors_of(response)


def test_two_new_buyers_with_one_email_are_refused(client, account, connection):
    data = filled_in(client.get(page(connection)))
    new_row(data, "buyers", email="ida@example.com")
    new_row(data, "buyers", email="Ida@Example.com")
    response = client.post(page(connection), data)
    assert "more than once" in errors_of(response)
    assert Buyer.objects.count() == 1


def test_entries_of_another_accounts_lists_are_refused(client, account, connection):
    other = make_account("northwind")
    add_lookups(other)
    add_member(other, account.memberships.get().user)
    data = filled_in(client.get(page(connection)))
    data["sales_rep"] = other.salesreps.all()[0].pk
    new_row(data, "connectionpaymentterm_set", lookup=other.paymentterms.all()[0].pk)
    response = client.post(page(connection), data)
    assert response.status_code == 200
    assert errors_of(response).count("Select a valid choice") == 2


def test_many_addresses_are_edited_page_by_page(client, account):
    connection = make_connection(account, addresses=[{"code": f"S{i:03}"} for i in range(45)])
    second = {"addresses-page": "2"}
    response = client.get(page(connection), second)
    data = filled_in(response)
    assert data["addresses-INITIAL_FORMS"] == "20"
    data["addresses-0-city"] = "Paris"
    response = client.post(f"{page(connection)}?addresses-page=2", data)
    assert response.status_code == 302, errors_of(response)
    assert Address.objects.get(city="Paris").code == "S020"
    assert Address.objects.count() == 45


def test_deletion_takes_the_records_and_leaves_the_history(client, account, connection):
    assert client.get(page(connection, "delete")).status_code == 200
    assert client.post(page(connection, "delete"), {"post": "yes"}).status_code == 302
    assert not Connection.objects.exists()
    assert not Address.objects.exists()
    assert Change.objects.filter(action="deleted", record="connection").exists()


def test_bulk_deletion_is_recorded_too(client, account, connection):
    asked = client.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [connection.pk]})
    client.post(reverse(LIST), filled_in(asked))
    assert not Connection.objects.exists()
    assert Change.objects.filter(action="deleted", record="connection").count() == 1


@pytest.mark.parametrize("object_id", ["999999", "abc", "9" * 30])
def test_a_page_that_is_not_there_is_no_error(client, account, object_id):
    for name in ("change", "delete", "history", "duplicate"):
        url = reverse(f"admin:connections_connection_{name}", args=[object_id])
        assert client.get(url).status_code in (302, 403, 404), name
        assert client.post(url, {"post": "yes"}).status_code in (302, 403, 404), name


def test_an_entry_in_use_is_not_deleted_and_an_account_is_with_all_it_owns(client, account, connection):
    entry = connection.price_types.get()
    delete = reverse("admin:lookups_pricetype_delete", args=[entry.pk])
    assert "Cannot delete" in client.get(delete).content.decode()
    client.post(delete, {"post": "yes"})
    assert connection.price_types.get() == entry
    client.force_login(make_user("root", is_superuser=True))
    delete = reverse("admin:accounts_account_delete", args=[account.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not Connection.objects.exists()


# The review


@pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("reject", "rejected")])
def test_connections_are_decided_in_the_list(client, account, action, status):
    pending = [make_connection(account, f"C{number}", status="pending") for number in range(3)]
    data = {"action": action, "_selected_action": [connection.pk for connection in pending[:2]], "index": "0"}
    response = client.post(reverse(LIST), data, follow=True)
    assert f"2 connections {status}." in response.content.decode()
    assert list(Connection.objects.order_by("pk").values_list("status", flat=True)) == [status, status, "pending"]
    assert Change.objects.filter(field="status", after=status, user__username="eddie").count() == 2


@pytest.mark.parametrize(
    ("before", "button", "after"), [("pending", "approve", "approved"), ("approved", "reject", "rejected")]
)
def test_a_connection_is_decided_on_its_page(client, account, before, button, after):
    connection = make_connection(account, status=before)
    data = filled_in(client.get(page(connection))) | {"customer_alias": "Alias"}
    response = client.post(page(connection), {**data, f"connections_connection_save_and_{button}": "1"})
    assert response.status_code == 302, errors_of(response)
    connection.refresh_from_db()
    assert (connection.status, connection.customer_alias) == (after, "Alias")
    assert sorted(Change.objects.values_list("field", flat=True)) == ["customer_alias", "status"]


def test_a_viewer_is_offered_no_decision(client, account):
    connection = make_connection(account, status="pending")
    assert "Save and approve" in client.get(page(connection)).content.decode()
    account.memberships.update(role="viewer")
    shown = client.get(page(connection)).content.decode()
    assert "Save and approve" not in shown
    assert "Reject as duplicate" not in shown
    client.post(reverse(LIST), {"action": "approve", "_selected_action": [connection.pk], "index": "0"})
    connection.refresh_from_db()
    assert connection.status == "pending"


def test_a_duplicate_is_rejected_on_its_page(client, account, connection):
    double = make_connection(account, "C2", status="pending")
    assert "The connection that stays" in client.get(page(double, "duplicate")).content.decode()
    assert client.post(page(double, "duplicate"), {"duplicate_of": connection.pk}).status_code == 302
    double.refresh_from_db()
    assert (double.status, double.duplicate_of) == ("rejected", connection)


def test_a_connection_that_stands_for_duplicates_is_not_rejected(client, account, connection):
    make_connection(account, "C2", status="rejected", duplicate_of=connection)
    url = reverse("admin:connections_connection_changelist")
    page = client.post(url, {"action": "reject", "_selected_action": [connection.pk]}, follow=True)
    assert "stands for its duplicates C2" in page.content.decode()
    connection.refresh_from_db()
    assert connection.status == "approved"


def test_duplicates_are_rejected_in_the_list(client, account, connection):
    doubles = [make_connection(account, f"D{number}", status="pending") for number in range(2)]
    data = {"action": "reject_as_duplicate", "_selected_action": [double.pk for double in doubles]}
    assert "The connection that stays" in client.post(reverse(LIST), data | {"index": "0"}).content.decode()
    client.post(reverse(LIST), data | {"duplicate_of": connection.pk})
    assert connection.duplicates.count() == 2


def test_a_wrong_original_is_answered_on_the_page(client, account, connection):
    foreign = make_connection(make_account("northwind"), "F1")
    for original, message in ((connection, "of itself"), (foreign, "valid choice")):
        response = client.post(page(connection, "duplicate"), {"duplicate_of": original.pk})
        assert response.status_code == 200
        assert message in response.content.decode()


# The history


def test_the_page_shows_the_latest_changes_with_their_run_and_line(client, account, connection):
    make_change(
        connection, run_id=7, line=12, action="updated", record="address", key="S:STORE-1", field="city",
        before="Lyon", after="Paris",
    )  # fmt: skip
    for url in (page(connection), reverse("admin:connections_change_changelist")):
        shown = client.get(url).content.decode()
        assert "run 7, line 12" in shown
        assert reverse("admin:imports_run_change", args=[7]) in shown
        assert "shipping address STORE-1" in shown
    history = client.get(client.get(page(connection, "history")).headers["Location"])
    assert [change.key for change in history.context["cl"].queryset] == ["S:STORE-1"]


def test_changes_of_a_deleted_connection_are_listed_with_their_code_for_its_account_alone(client, account, connection):
    foreign = make_connection(make_account("northwind"), "C1")
    make_change(foreign)
    client.post(page(connection, "delete"), {"post": "yes"})
    foreign.delete()
    changes = reverse("admin:connections_change_changelist")
    for query in ({}, {"q": "C1"}, {"account__id__exact": account.pk}):
        found = client.get(changes, query).context["cl"].result_list
        assert {(change.customer_code, change.account) for change in found} == {("C1", account)}
        assert "deleted" in {change.action for change in found}
    client.force_login(make_user("root", is_superuser=True))
    found = client.get(changes, {"q": "C1"}).context["cl"].result_list
    assert {change.account.code for change in found} == {"maison", "northwind"}


def test_the_history_of_a_customer_goes_on_when_it_comes_back(client, account, connection):
    client.post(page(connection, "delete"), {"post": "yes"})
    again = make_connection(account, "C1")
    assert "deleted" in client.get(page(again)).content.decode()


def test_the_digest_is_not_shown(client, account, connection):
    Connection.objects.update(source_digest=b"secret")
    shown = client.get(page(connection)).content.decode()
    assert "digest" not in shown


def test_the_picker_of_an_original_leaves_out_the_duplicate_itself_and_rejected_ones(client, account, connection):
    make_connection(account, "C2", status="rejected")
    stays = make_connection(account, "C3")
    shown = client.get(page(connection, "duplicate")).content.decode()
    address = unescape(re.findall(r'data-ajax--url="([^"]+)"', shown)[0])
    query = {"term": "C", "app_label": "connections", "model_name": "connection", "field_name": "duplicate_of"}
    found = client.get(f"{address}&{urlencode(query)}").json()["results"]
    assert [entry["id"] for entry in found] == [str(stays.pk)]
