"""Whoever was logged out while they filled in a form logs in and sends it: nothing of it is lost."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.admin.resuming import MOST_KEPT
from connections.models import Connection
from tests.accounts.test_admin import url
from tests.builders import PASSWORD, add_member, make_account, make_connection, make_user
from tests.pages import filled_in, text_of

pytestmark = pytest.mark.django_db

KEPT = "What you entered is kept: log in to send it."


@pytest.fixture
def shop():
    return make_connection(make_account("maison"), "C1", profile_name="Galerie Soleil")


@pytest.fixture
def eddie(shop, client):
    user = make_user("eddie")
    add_member(shop.account, user)
    client.force_login(user)
    return client


def log_in(client, login, password=PASSWORD):
    where = login.context["app_path"]
    return client.post(where, filled_in(login) | {"username": "eddie", "password": password})


def test_a_form_is_sent_after_the_login_as_it_was_filled_in(shop, eddie):
    page = url(Connection, "change", shop.pk) + "?_changelist_filters=q%3DC1"
    entered = filled_in(eddie.get(page)) | {"customer_alias": "Ça & <là> %41", "_save": "1"}
    eddie.logout()
    login = eddie.post(page, entered)
    assert KEPT in text_of(login)
    login = log_in(eddie, login, "wrong")
    assert KEPT in text_of(login)
    offered = log_in(eddie, login)
    assert "You were logged out before you sent this, so nothing was saved." in text_of(offered)
    assert offered.context["page"] == page
    eddie.post(page, filled_in(offered))
    shop.refresh_from_db()
    assert shop.customer_alias == "Ça & <là> %41"


def test_several_values_of_a_name_and_the_button_are_kept(shop, eddie):
    other = make_connection(shop.account, "C2")
    page = reverse("admin:connections_connection_changelist")
    eddie.logout()
    login = eddie.post(page, {"action": "reject", "_selected_action": [shop.pk, other.pk], "note": "closed"})
    eddie.post(page, filled_in(log_in(eddie, login)))
    assert set(Connection.objects.values_list("status", "review_note")) == {("rejected", "closed")}


def test_what_no_page_can_keep_or_other_sites_send_is_not_kept(shop, eddie):
    page = url(Connection, "change", shop.pk)
    eddie.logout()
    lost = eddie.post(page, {"file": SimpleUploadedFile("a.txt", b"a")}, follow=True)
    assert "nothing of the file was taken. Log in, and choose it again." in text_of(lost)
    assert eddie.post(page, {"profile_name": "é" * (MOST_KEPT // 10)}).status_code == 302
    assert Client(enforce_csrf_checks=True).post(page, {"profile_name": "mine"}).status_code == 403
    assert eddie.post(reverse("admin:logout"), {"a": "b"}).status_code == 302
    assert eddie.post(reverse("admin:login"), {"username": "eddie", "password": PASSWORD}).status_code == 302


def test_a_part_that_is_asked_for_without_a_session_leads_its_page_to_the_login(shop, eddie):
    eddie.logout()
    search, index = reverse("admin:search"), reverse("admin:index")
    ours = "http://testserver" + url(Connection, "change", shop.pk)
    for around, led in ((ours, ours), ("https://evil.example/admin/", index), ("", index)):
        answer = eddie.get(search, headers={"HX-Request": "true", "HX-Current-URL": around})
        assert (answer.status_code, answer["HX-Redirect"]) == (200, led)
