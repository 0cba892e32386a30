"""Lists of the admin: what is deleted is what somebody was asked about."""

import re
from html import unescape

import pytest

from accounts.models import User
from connections.models import Connection
from imports.models import Format
from lookups.models import PaymentTerm
from tests.accounts.admin.test_careful import EDITED, columns_of, other_value, page_of
from tests.accounts.test_admin import OBJECTS, account, url
from tests.builders import make_account, make_connection
from tests.pages import filled_in, text_of

__all__ = ["account"]

pytestmark = pytest.mark.django_db

SINCE = "since you were asked. Nothing was deleted"


def ask(client, *objects):
    chosen = {"action": "delete_selected", "index": "0", "_selected_action": [obj.pk for obj in objects]}
    return client.post(url(type(objects[0]), "changelist"), chosen)


def confirm(client, model, asked):
    return client.post(url(model, "changelist"), filled_in(asked), follow=True)


@pytest.mark.parametrize("model", [model for model in EDITED if model is not Format], ids=lambda model: model.__name__)
def test_what_changed_since_the_question_is_asked_about_again(client, account, model):
    instance = OBJECTS[model](account)
    asked = ask(client, instance)
    if "post" not in filled_in(asked):
        return  # it is in use, or nobody deletes it from the list
    name = next(columns_of(type(client.get(page_of(instance)).context["adminform"].form)))
    model._default_manager.filter(pk=instance.pk).update(**{name: other_value(instance, name)})
    again = confirm(client, model, asked)
    assert f"was changed {SINCE}" in text_of(again)
    assert model._default_manager.filter(pk=instance.pk).exists()
    confirm(client, model, again)
    assert not model._default_manager.filter(pk=instance.pk).exists()


def test_an_empty_list_of_one_account_says_what_fills_it_and_adds_to_that_account(client, account):
    other = make_account("other")
    of_account = {"account__id__exact": other.pk}
    for asked, is_whole in ((of_account, True), (of_account | {"o": "1"}, True), (of_account | {"q": "x"}, False)):
        page = client.get(url(PaymentTerm, "changelist"), asked)
        assert ("Add its entries here" in text_of(page)) == is_whole, asked
        assert ("Reset the filters to see everything" in text_of(page)) != is_whole, asked
        links = re.findall(r'href="([^"]*/add/\?[^"]*)"', page.content.decode())
        assert len(links) == 2, asked
        for link in links:
            assert client.get(unescape(link)).context["adminform"].form["account"].value() == str(other.pk), link


def test_of_several_that_were_chosen_those_that_changed_are_named(client, account):
    chosen = [PaymentTerm.objects.create(account=account, code=f"T{number}", name="x") for number in range(3)]
    asked = ask(client, *chosen)
    PaymentTerm.objects.filter(code="T1").update(name="Changed")
    PaymentTerm.objects.filter(code="T2").delete()
    again = text_of(confirm(client, PaymentTerm, asked))
    assert f"T1 · Changed was changed {SINCE}" in again
    assert PaymentTerm.objects.filter(code__in=["T0", "T1"]).count() == 2


def test_a_record_that_was_added_since_is_asked_about_too(client, account):
    connection = make_connection(account, "C7")
    asked = ask(client, connection)
    connection.doors.create(code="NEW")
    assert f"What belongs to your choice was changed {SINCE}" in text_of(confirm(client, Connection, asked))
    assert Connection.objects.filter(pk=connection.pk).exists()


def test_nobody_can_say_that_they_were_asked(client, account):
    """The token is good for one person and list."""
    connection, user = make_connection(account, "C7"), User.objects.get(username="root")
    token = filled_in(ask(client, user))["_shown"]
    forged = {"action": "delete_selected", "_selected_action": [connection.pk], "post": "yes"}
    for shown in ({}, {"_shown": "rubbish"}, {"_shown": token}):
        client.post(url(Connection, "changelist"), forged | shown)
    assert Connection.objects.filter(pk=connection.pk).exists()
