"""Sandboxes begin with the lists and the members of their production account, and nothing else of it."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from accounts.models import Account
from accounts.sandboxes import add_sandbox
from lookups.directory import LISTS
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    add_lookups(make_account("northwind"))
    make_connection(account)
    add_member(account, make_user("eddie"), "editor")
    add_member(account, make_user("vera"), "viewer")
    return account


def entries(model, account):
    names = [field.name for field in model._meta.concrete_fields if field.name not in ("id", "account", "created_at")]
    return sorted(model._default_manager.filter(account=account).values_list(*names), key=str)


def test_a_sandbox_begins_with_the_lists_and_the_members(account):
    sandbox = add_sandbox(account)
    assert (sandbox.code, sandbox.name, sandbox.sandbox_of) == ("maison-sandbox", "Maison sandbox", account)
    for model in LISTS.values():
        assert entries(model, sandbox) == entries(model, account) != [], model
    assert sorted(sandbox.memberships.values_list("user__username", "role")) == [
        ("eddie", "editor"),
        ("vera", "viewer"),
    ]


def test_customers_stay_where_they_are(account):
    assert not add_sandbox(account).connections.exists()


def test_what_is_done_in_the_sandbox_stays_there(account):
    sandbox = add_sandbox(account)
    sandbox.pricetypes.all().delete()
    assert account.pricetypes.exists()


def test_the_command_makes_one(account):
    call_command("create_account", "maison-test", "--sandbox-of", "maison", verbosity=0)
    sandbox = Account.objects.get(code="maison-test")
    assert sandbox.sandbox_of == account
    assert sandbox.pricetypes.count() == account.pricetypes.count()


def test_nothing_is_left_of_a_sandbox_that_cannot_be(account):
    sandbox = add_sandbox(account)
    for production, code in ((sandbox, "maison-deeper"), (account, "northwind"), (account, "two words")):
        with pytest.raises(ValidationError):
            add_sandbox(production, code)
    assert Account.objects.count() == 3
