"""Every page of the admin opens, with data on it; users and accounts are managed."""

import pytest
from django.contrib import admin
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Account, AuthToken, Membership, User
from accounts.tokens import make_token
from connections.models import Connection
from imports.models import Feed, Format
from tests.accounts.test_isolation import NEVER_ADDED, READ_ONLY, SAMPLES, add_run
from tests.builders import PASSWORD, add_lookups, add_member, make_account, make_connection, make_user
from tests.pages import filled_in, text_of

pytestmark = pytest.mark.django_db

MOST_QUERIES = 30
"""Of any page, but of the one that looks at all that would be deleted with an account."""
OBJECTS = {
    **SAMPLES,
    AuthToken: lambda account: make_token(make_user("program"), "shop")[0],
    User: lambda account: account.memberships.get().user,
}


@pytest.fixture
def account(client):
    account = make_account("maison")
    add_lookups(account)
    make_connection(account, addresses=[{"code": "S1"}], doors=[{"code": "S1"}], buyers=[{"email": "a@example.com"}])
    add_run(account)
    add_member(account, make_user("eddie"))
    client.force_login(make_user("root", is_superuser=True))
    return account


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_every_page_opens(client, account, model):
    instance = OBJECTS[model](account)
    pages = [url(model, "changelist"), url(model, "changelist") + "?q=a", url(model, "change", instance.pk)]
    if model is AuthToken:
        pages += [url(model, "add"), url(model, "delete", instance.pk)]
    elif model not in READ_ONLY and model not in (set(NEVER_ADDED) - {Account}):
        pages += [f"{url(model, 'add')}?account={account.pk}", url(model, "delete", instance.pk)]
    for name in ("import", "export"):
        try:
            pages.append(url(model, name))
        except NoReverseMatch:
            continue
    for page in pages:
        with CaptureQueriesContext(database) as asked:
            assert client.get(page).status_code == 200, page
        assert len(asked) <= MOST_QUERIES or (model is Account and "/delete/" in page), page


def test_the_front_page_and_the_login_open(client, account):
    assert client.get(reverse("admin:index")).status_code == 200
    client.logout()
    assert client.get(reverse("admin:login")).status_code == 200
    answer = client.post(reverse("admin:login"), {"username": "eddie", "password": PASSWORD})
    assert answer.status_code == 302


def test_a_user_is_added_with_a_place_in_an_account(client, account):
    password = "a long and odd pass phrase"
    data = {
        "username": "vera",
        "password1": password,
        "password2": password,
        "usable_password": "true",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-account": account.pk,
        "memberships-0-role": "viewer",
    }
    assert client.post(url(User, "add"), data).status_code == 302
    user = User.objects.get(username="vera")
    assert user.check_password(password)
    assert user.roles == {account.pk: "viewer"}
    assert user.is_staff
    listed = text_of(client.get(url(User, "changelist"), {"memberships__account__id__exact": account.pk}))
    assert all(said in listed for said in ("maison (viewer)", "maison (editor)"))
    assert "all (superuser)" in text_of(client.get(url(User, "changelist")))


def test_a_member_is_let_in_on_the_page_of_the_account(client, account):
    known, user = account.memberships.get(), make_user("vera")
    data = {
        "name": account.name,
        "code": account.code,
        "auto_approval": account.auto_approval,
        "review_hours": account.review_hours,
        "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": known.pk,
        "memberships-0-account": account.pk,
        "memberships-0-user": known.user.pk,
        "memberships-0-role": "viewer",
        "memberships-1-account": account.pk,
        "memberships-1-user": user.pk,
        "memberships-1-role": "editor",
        "_shown": filled_in(client.get(url(Account, "change", account.pk)))["_shown"],
    }
    assert client.post(url(Account, "change", account.pk), data).status_code == 302
    assert set(Membership.objects.values_list("user__username", "role")) == {("eddie", "viewer"), ("vera", "editor")}


def test_a_sandbox_of_a_sandbox_is_refused_by_the_form(client, account):
    sandbox = make_account("maison-test", sandbox_of=account)
    data = {
        "name": "Third",
        "code": "third",
        "sandbox_of": sandbox.pk,
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    response = client.post(url(Account, "add"), data)
    assert "not to another sandbox" in response.content.decode()


def test_members_are_named_and_nobody_is_led_to_what_is_the_superusers(client, account):
    eddie = account.memberships.get().user
    client.force_login(eddie)
    connection = make_connection(account, "C9", reviewed_by=eddie, reviewed_at=timezone.now())
    for page in (url(Account, "change", account.pk), url(Connection, "change", connection.pk)):
        shown = client.get(page).content.decode()
        assert "eddie" in shown
        assert f"/accounts/user/{eddie.pk}/" not in shown


def test_a_record_whose_page_one_may_not_open_is_named_without_a_link(client, account):
    """The format of a sandbox's feed belongs to production."""
    sandbox, vera = make_account("maison-test", sandbox_of=account), make_user("vera")
    add_member(sandbox, vera, "viewer")
    used = Format.objects.create(account=account, name="Navision")
    feed = Feed.objects.create(account=sandbox, name="erp", protocol="ftp", host="erp.example.com", format=used)
    for role, is_led in ((None, False), ("viewer", True)):
        if role:
            add_member(account, vera, role)
        client.force_login(vera)
        shown = client.get(url(Feed, "change", feed.pk)).content.decode()
        assert ("Navision" in shown, url(Format, "change", used.pk) in shown) == (True, is_led)


def test_lists_are_called_what_they_list(client, account):
    assert "<title> Connections |" in " ".join(client.get(url(Connection, "changelist")).content.decode().split())
