"""What belongs to one account is nobody else's: proven for every page of the admin there is.

The pages are found by walking the admin site, so a new one is tested as soon as it is registered; one that these
tests cannot fill with data fails them until it is added to `SAMPLES`.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.urls import reverse

from accounts.admin.owned import AccountOwnedAdmin, VisibleFilter
from accounts.models import Account, User
from connections.models import Change, Connection
from dropbox.models import Login, Session
from imports.formats.documents import read_format
from imports.models import Feed, Format, FormatVersion, Issue, Message, Pull, Run, Webhook
from imports.versioning import save_draft
from lookups.directory import LISTS
from tests.builders import add_lookups, add_member, make_account, make_change, make_connection, make_user
from tests.pages import filled_in

pytestmark = pytest.mark.django_db


def belongs_to_an_account(model, seen=()):
    """Whether foreign keys lead from the model to an account (users, who stand beside accounts, end the way)."""
    if model is Account:
        return True
    targets = {field.related_model for field in model._meta.concrete_fields if field.is_relation}
    return any(
        belongs_to_an_account(target, (*seen, model)) for target in targets if target not in (*seen, model, User)
    )


OWNED = [model for model in admin.site._registry if belongs_to_an_account(model)]
READ_ONLY = {Run, Issue, Change, Pull, Message, Session}
NEVER_ADDED = {Account: "by a command", FormatVersion: "with its format"}


def add_run(account):
    run = Run.objects.create(account=account, file_name=f"{account.code}.txt", format_name="standard template")
    Issue.objects.create(run=run, line=2, code="required", severity="error", message=f"of {account.code}")
    return run


def add_change(account):
    return make_change(Connection.objects.get(account=account))


def add_format(account):
    document = """
        name: erp
        columns:
          - {source: Nr, target: customer_code}
          - {source: Name, target: profile_name}
          - {constant: EUR, target: price_type_currency}
          - {constant: EU Wholesale, target: price_type_name}
    """
    return save_draft(account, f"{account.code}-erp", read_format(document))


def add_feed(account):
    return Feed.objects.get_or_create(
        account=account, name=f"{account.code}-erp", defaults={"protocol": "ftp", "host": f"{account.code}.example.com"}
    )[0]


def add_login(account):
    feed, _ = Feed.objects.get_or_create(account=account, name=f"{account.code}-box", defaults={"protocol": "dropbox"})
    return Login.objects.get_or_create(feed=feed, user_name=f"{account.code}-box")[0]


def add_session(account):
    return Session.objects.create(account=account, user_name=f"{account.code}-box", protocol="SFTP", address="::1")


def add_message(account):
    return Message.objects.create(account=account, kind="email", event="run.held", key=f"{account.code}:{time.time()}")


def add_webhook(account):
    values = {"url": f"https://{account.code}.example.com", "secret": "whsec_c2VjcmV0"}
    return Webhook.objects.get_or_create(account=account, defaults=values)[0]


def first_entry(model):
    return lambda account: model._default_manager.filter(account=account)[0]


SAMPLES: dict[Any, Callable[[Account], Any]] = {
    Account: lambda account: account,
    **{model: first_entry(model) for model in LISTS.values()},
    Connection: lambda account: Connection.objects.get(account=account),
    Run: lambda account: Run.objects.get(account=account),
    Issue: lambda account: Issue.objects.get(run__account=account),
    Change: add_change,
    Format: lambda account: add_format(account).format,
    FormatVersion: add_format,
    Feed: add_feed,
    Pull: lambda account: Pull.objects.create(feed=add_feed(account), worker="here", status="failed"),
    Message: add_message,
    Webhook: add_webhook,
    Login: add_login,
    Session: add_session,
}


@dataclass
class World:
    """A user edits maison, views atelier, and has nothing to do with northwind."""

    user: User
    mine: Account
    seen: Account
    foreign: Account


@pytest.fixture
def world(client):
    accounts = [make_account(code) for code in ("maison", "atelier", "northwind")]
    for account in accounts:
        add_lookups(account)
        make_connection(account, f"{account.code}-C1", profile_name=f"Shop of {account.code}")
        add_run(account)
    user = make_user("eddie")
    add_member(accounts[0], user, "editor")
    add_member(accounts[1], user, "viewer")
    client.force_login(user)
    return World(user, *accounts)


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_admin_of_an_account_owned_model_is_scoped_and_sampled():
    assert len(OWNED) >= 12
    for model in OWNED:
        assert isinstance(admin.site.get_model_admin(model), AccountOwnedAdmin), model
        assert model in SAMPLES, f"{model} needs a sample here"


def test_every_inline_keeps_accounts_apart():
    for model in OWNED:
        for inline in admin.site.get_model_admin(model).inlines:
            assert hasattr(inline, "_parent_permission"), inline


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_lists_show_only_the_accounts_of_the_user(client, world, model):
    mine, seen, foreign = (SAMPLES[model](account) for account in (world.mine, world.seen, world.foreign))
    response = client.get(url(model, "changelist"))
    assert response.status_code == 200
    shown = set(response.context["cl"].queryset)
    assert {mine, seen} <= shown
    assert foreign not in shown
    assert "Northwind" not in response.content.decode()


def test_filters_name_nothing_of_other_accounts(client, world):
    """A filter shows what it is asked for, by whichever key stands in the URL."""
    asked = 0
    for model in OWNED:
        filters = [one for one in admin.site.get_model_admin(model).list_filter if isinstance(one, tuple)]
        for path, kind in filters:
            field: Any = get_fields_from_path(model, str(path))[-1]
            if not issubclass(kind, VisibleFilter) or field.related_model not in SAMPLES:
                continue
            asked += 1
            for account, is_named in ((world.mine, True), (world.foreign, False)):
                entry = SAMPLES[field.related_model](account)
                page = client.get(url(model, "changelist"), {f"{path}__{field.target_field.name}__exact": entry.pk})
                chosen = f'<option value="{entry.pk}" selected>'
                assert (chosen in page.content.decode()) == is_named, (model, path, entry)
    assert asked > 5


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_pages_of_foreign_objects_are_closed(client, world, model):
    foreign = SAMPLES[model](world.foreign)
    for page in ("change", "delete", "history"):
        for answer in (
            client.get(url(model, page, foreign.pk)),
            client.post(url(model, page, foreign.pk), {"post": "yes"}),
        ):
            assert answer.status_code in (302, 403, 404), page
            assert "Northwind" not in answer.content.decode()
    assert model.objects.filter(pk=foreign.pk).exists()


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_viewers_look_and_editors_change(client, world, model):
    mine, seen = SAMPLES[model](world.mine), SAMPLES[model](world.seen)
    people = [field.name for field in model._meta.concrete_fields if field.related_model is User]
    model.objects.filter(pk__in=[mine.pk, seen.pk]).update(**dict.fromkeys(people, make_user("clerk")))
    editable = client.get(url(model, "change", mine.pk))
    viewed = client.get(url(model, "change", seen.pk))
    assert (editable.status_code, viewed.status_code) == (200, 200)
    assert editable.context.get("has_change_permission", False) == (model not in READ_ONLY)
    assert not viewed.context.get("has_change_permission", False)
    for page in (editable, viewed):  # leads nowhere where this user may not go
        links = set(re.findall(r'<a href="([^"]+)" class="text-link"', page.content.decode()))
        assert {client.get(link).status_code for link in links} <= {200}
    assert client.post(url(model, "change", seen.pk), {}).status_code == 403
    assert client.post(url(model, "delete", seen.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=seen.pk).exists()


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_bulk_deletion_reaches_no_other_account(client, world, model):
    others = [SAMPLES[model](world.seen), SAMPLES[model](world.foreign)]
    for other in others:
        data = {"action": "delete_selected", "_selected_action": [other.pk], "index": "0"}
        asked = client.post(url(model, "changelist"), data)
        client.post(url(model, "changelist"), {**data, "post": "yes", **filled_in(asked)})
        client.post(url(model, "changelist"), {**data, "select_across": "1"})
    assert model.objects.filter(pk__in=[other.pk for other in others]).count() == 2


@pytest.mark.parametrize("model", [model for model in OWNED if model not in READ_ONLY], ids=lambda m: m.__name__)
def test_forms_offer_only_accounts_the_user_edits(client, world, model):
    response = client.get(url(model, "add"), {"account": world.foreign.pk})
    if model in NEVER_ADDED:
        assert response.status_code == 403
        return
    assert response.status_code == 200
    fields = response.context["adminform"].form.fields
    if "account" in fields:
        assert set(fields["account"].queryset) <= {world.mine}
    else:
        assert {feed.account for feed in fields["feed"].queryset} <= {world.mine}


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_added_to_another_account(client, world, name):
    model = LISTS[name]
    values = {"code": "NEW", "name": "New", "email": "new@example.com", "currency": "CHF", "label": "Swiss"}
    for account in (world.seen, world.foreign):
        before = model._default_manager.filter(account=account).count()
        assert client.post(url(model, "add"), {**values, "account": account.pk}).status_code == 200
        assert model._default_manager.filter(account=account).count() == before
    before = model._default_manager.filter(account=world.mine).count()
    assert client.post(url(model, "add"), {**values, "account": world.mine.pk}).status_code == 302
    assert model._default_manager.filter(account=world.mine).count() == before + 1


def relations():
    """Every foreign key that some form searches by autocompletion."""
    for model, model_admin in admin.site._registry.items():
        pages = [(model, model_admin.autocomplete_fields)]
        pages += [(inline.model, inline.autocomplete_fields) for inline in model_admin.inlines]
        yield from ((source, name) for source, names in pages for name in names)
    yield Connection, "duplicate_of"


@pytest.mark.parametrize(("model", "field"), sorted(relations(), key=str), ids=str)
def test_autocompletion_finds_nothing_of_other_accounts(client, world, model, field):
    query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field}
    response = client.get(reverse("admin:autocomplete"), query)
    target = model._meta.get_field(field).related_model
    if target is User:
        assert response.status_code == 403
        return
    found = {int(entry["id"]) for entry in response.json()["results"]}
    foreign = (
        {world.foreign.pk}
        if target is Account
        else set(target.objects.filter(account=world.foreign).values_list("pk", flat=True))
    )
    assert found
    assert not found & foreign


def test_autocompletion_can_be_narrowed_to_one_account(client, world):
    query = {
        "app_label": "connections",
        "model_name": "connection",
        "field_name": "sales_rep",
        "account": world.seen.pk,
    }
    found = client.get(reverse("admin:autocomplete"), query).json()["results"]
    assert {int(entry["id"]) for entry in found} == set(world.seen.salesreps.values_list("pk", flat=True))


@pytest.mark.parametrize("name", LISTS)
def test_exports_hold_only_the_accounts_of_the_user(client, world, name):
    response = client.post(url(LISTS[name], "export"), {"format": "0", "resource": "0"})
    assert response.status_code == 200
    text = response.content.decode()
    assert "maison" in text
    assert "atelier" in text
    assert "northwind" not in text


@pytest.mark.parametrize("action", ["approve", "reject", "reject_as_duplicate"])
def test_actions_decide_nothing_for_other_accounts(client, world, action):
    others = Connection.objects.filter(account__in=[world.seen, world.foreign])
    others.update(status="pending")
    data = {"action": action, "_selected_action": [other.pk for other in others], "index": "0"}
    client.post(url(Connection, "changelist"), {**data, "duplicate_of": Connection.objects.get(account=world.mine).pk})
    assert set(others.values_list("status", flat=True)) == {"pending"}
    for other in others:
        client.post(url(Connection, "duplicate", other.pk), {"duplicate_of": other.pk})
    assert set(others.values_list("status", flat=True)) == {"pending"}


def test_staff_without_an_account_see_none(client, world):
    client.force_login(make_user("nobody"))
    for model in OWNED:
        assert client.get(url(model, "changelist")).status_code == 403


def test_users_and_groups_are_the_superusers(client, world):
    for page in ("admin:accounts_user_changelist", "admin:accounts_user_add"):
        assert client.get(reverse(page)).status_code == 403


def test_an_editor_renames_the_account_but_lets_nobody_in(client, world):
    data = {
        "name": "Maison Nouvelle",
        "code": "hijacked",
        "auto_approval": "never",
        "review_hours": "48",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": make_user("friend").pk,
        "memberships-0-role": "editor",
        "_shown": filled_in(client.get(url(Account, "change", world.mine.pk)))["_shown"],
    }
    assert client.post(url(Account, "change", world.mine.pk), data).status_code == 302
    world.mine.refresh_from_db()
    assert (world.mine.name, world.mine.code) == ("Maison Nouvelle", "maison")
    assert world.mine.memberships.count() == 1
