"""Beside each field of a connection's page: where it is from, what the next file does to it, and "Keep mine"."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from connections.history.keeping import read_kept
from connections.history.recording import recorded_edit
from connections.history.timeline import read_timeline
from connections.models import Address, Buyer, Change, Connection, Door
from imports.formats.documents import read_format
from imports.models import Feed, Format
from imports.versioning import save_draft
from tests.builders import add_member, keep_values, make_connection, make_user
from tests.connections.admin.pages import page
from tests.imports.customer_files import NEW, SHIPPING, Sender
from tests.pages import errors_of, filled_in, new_row, text_of

pytestmark = pytest.mark.django_db

DOCUMENT = """
name: erp
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {source: Alias, target: customer_alias, ownership: if_blank}
  - {source: Site, target: website, ownership: never}
  - {source: Rep, target: sales_rep_code}
  - {source: Shop, target: shipping_code}
  - {source: Land, target: shipping_country}
  - {source: City, target: shipping_city_1, ownership: if_blank}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""


@pytest.fixture
def eddie(account):
    return User.objects.get(username="eddie")


@pytest.fixture
def shop(account):
    return make_connection(
        account, "C1", profile_name="Galerie", addresses=[{"code": "S1", "city": "Lyon"}],
        doors=[{"code": "S1"}], buyers=[{"email": "ana@example.com", "name": "Ana"}],
    )  # fmt: skip


def save(client, shop, data):
    answer = client.post(page(shop), data)
    assert answer.status_code == 302, errors_of(answer)


def kept(shop):
    return {f"{name.record} {name.key} {name.field}".replace("  ", " ") for name in read_kept(shop)}


def test_what_is_ticked_is_kept_with_the_edit_and_let_go_when_it_is_not(client, shop):
    data = filled_in(client.get(page(shop)))
    data |= {
        "customer_alias": "Mine", "keep_customer_alias": "on", "keep_sales_rep": "on", "keep_price_types": "on",
        "addresses-0-keep_city": "on", "doors-0-keep_name": "on", "buyers-0-keep_name": "on",
    }  # fmt: skip
    save(client, shop, data)
    assert kept(shop) == {
        "connection customer_alias", "connection sales_rep", "connection price_types", "address S:S1 city",
        "door S1 name", "buyer ana@example.com name",
    }  # fmt: skip
    shop.refresh_from_db()
    assert shop.customer_alias == "Mine"
    edit, keep = read_timeline(shop, 50)
    assert [entry.field for entry in edit.entries] == ["customer_alias"]
    assert ("connection kept", "sales_rep") in [entry[:2] for entry in keep.entries]
    shown = client.get(page(shop))
    assert "eddie keeps this since" in text_of(shown)
    assert filled_in(shown)["addresses-0-keep_city"] == "on"
    data = filled_in(shown)
    del data["keep_sales_rep"], data["addresses-0-keep_city"]
    save(client, shop, data)
    assert kept(shop) == {
        "connection customer_alias", "connection price_types", "door S1 name", "buyer ana@example.com name"
    }  # fmt: skip
    assert Change.objects.filter(action="let_go").count() == 2


def test_what_is_kept_stays_so_when_its_row_is_renamed_and_goes_when_it_is_deleted(client, shop, eddie):
    keep_values(shop, eddie, ("address", "S:S1", "city"), ("door", "S1", "name"), ("buyer", "ana@example.com", "name"))
    data = filled_in(client.get(page(shop))) | {"addresses-0-code": "S9", "buyers-0-email": "ANA@example.com"}
    data["doors-0-DELETE"] = "on"
    save(client, shop, data)
    assert kept(shop) == {"address S:S9 city", "buyer ANA@example.com name"}


def test_of_new_rows_nothing_is_asked(client, shop):
    data = filled_in(client.get(page(shop)))
    new_row(data, "addresses", kind="S", code="S2", country="FR", city="Nice")
    save(client, shop, data)
    assert (shop.addresses.count(), kept(shop)) == (2, set())


def test_whoever_opened_the_page_before_somebody_kept_a_value_is_told(client, shop, eddie):
    data = filled_in(client.get(page(shop))) | {"profile_name": "Other"}
    keep_values(shop, eddie, ("connection", "", "customer_alias"), ("address", "S:S1", "city"))
    answer = client.post(page(shop), data)
    text = text_of(answer)
    assert "changed while this page was open" in text
    assert "Keep mine: customer alias no yes eddie" in text
    save(client, shop, filled_in(answer))
    shop.refresh_from_db()
    assert (shop.profile_name, kept(shop)) == ("Other", {"connection customer_alias", "address S:S1 city"})


def test_the_page_tells_where_values_are_from_and_what_the_next_file_does_to_them(client, account, eddie, tmp_path):
    run = Sender(account, tmp_path)(NEW | SHIPPING | {"shipping_city": "Lyon", "create_doors": "yes"})
    shop = account.connections.get()
    with recorded_edit([shop.pk], eddie):
        Connection.objects.update(customer_alias="Mine")
    text = text_of(client.get(page(shop)))
    assert f"From customers.txt, line 2 of run {run.pk}; the next file overwrites this. Keep mine" in text
    day = f"{run.started_at:%Y-%m-%d}"
    assert f"Edited by eddie, {day}; the next file overwrites this. Keep mine" in text
    assert "no file writes this" not in text.lower()


def test_the_rule_is_that_of_the_live_formats_of_feeds(client, account, shop):
    save_draft(account, "erp", read_format(DOCUMENT))
    text = text_of(client.get(page(shop)))
    assert "overwrites" not in text and "fill" not in text  # a draft reads nothing
    erp = Format.objects.get()
    erp.versions.update(status="live")
    Feed.objects.create(account=account, name="erp", protocol="ftp", host="127.0.0.1", format=erp)
    shown = client.get(page(shop))
    provenance = {
        form_name: str(shown.context["adminform"].form.note(form_name))
        for form_name in ("profile_name", "customer_alias", "website", "sales_rep", "discount")
    }
    said = {name: text.partition('_note">')[2].partition("<")[0] for name, text in provenance.items()}
    assert said == {
        "profile_name": "The next file overwrites this.",
        "customer_alias": "Files only fill this while it is blank.",
        "website": "No file writes this.",
        "sales_rep": "The next file overwrites this.",
        "discount": "No file writes this.",
    }
    (address,) = shown.context["inline_admin_formsets"][1].formset.initial_forms
    assert "Files only fill" in address.note("city")
    assert "The next file overwrites" in address.note("country")
    assert "No file writes" in address.note("phone")
    Feed.objects.update(enabled=False)
    assert "overwrites" not in text_of(client.get(page(shop)))


def test_who_only_looks_sees_the_sentences_and_no_box(client, account, shop, eddie):
    keep_values(shop, eddie, ("connection", "", "price_types"))
    add_member(account, vera := make_user("vera"), "viewer")
    client.force_login(vera)
    shown = client.get(page(shop))
    assert "eddie keeps this since" in text_of(shown)
    assert 'name="keep_' not in shown.content.decode()


def test_the_page_takes_as_many_queries_for_many_rows_as_for_one(client, account, shop, eddie):
    def queries():
        with CaptureQueriesContext(database) as captured:
            assert client.get(page(shop)).status_code == 200
        return len(captured)

    keep_values(shop, eddie, ("address", "S:S1", "city"), ("connection", "", "price_types"))
    queries()
    few = queries()
    Address.objects.bulk_create(Address(connection=shop, kind="S", code=f"X{n}", country="FR") for n in range(15))
    Door.objects.bulk_create(Door(connection=shop, code=f"X{n}") for n in range(15))
    Buyer.objects.bulk_create(Buyer(connection=shop, email=f"x{n}@example.com") for n in range(15))
    keep_values(shop, eddie, *(("address", f"S:X{n}", "city") for n in range(15)))
    assert queries() <= few <= 30
