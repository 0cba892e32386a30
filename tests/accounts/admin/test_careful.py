"""No form of the admin writes old values back: proven for every page there is, found by walking the admin site."""

import pytest
from django.contrib import admin
from django.db import IntegrityError, models, transaction
from django.forms import ModelChoiceField
from django.utils import timezone

from accounts.fields import SecretFormField
from accounts.models import AuthToken
from connections.models import Address, Change, Connection
from imports.models import Feed, Format, Webhook
from lookups.models import PaymentTerm, SalesRep
from tests.accounts.test_admin import OBJECTS, account, url
from tests.accounts.test_isolation import READ_ONLY
from tests.builders import make_change, make_connection
from tests.pages import filled_in, new_row, text_of

__all__ = ["account"]

pytestmark = pytest.mark.django_db

EDITED = [model for model in admin.site._registry if model not in {*READ_ONLY, AuthToken}]
MEANWHILE = "It was changed while this page was open"


def page_of(instance):
    return url(type(instance), "change", instance.pk)


def other_value(instance, name):
    """A value that the field can hold and does not hold now."""
    field, value = instance._meta.get_field(name), getattr(instance, name)
    if field.choices:
        return next(choice for choice, _ in field.flatchoices if choice not in (value, ""))
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.IntegerField | models.FloatField):
        return (value or 0) + 1
    if isinstance(value, list):
        return [*value, "new@example.com"]
    if isinstance(value, dict):
        return {**value, "new": {"X": "leave_out"} if name == "row_marks" else "value"}
    if name in ("host", "url"):  # a name would be looked up
        return "93.184.216.36" if name == "host" else "https://93.184.216.35/hook"
    if isinstance(field, models.EmailField):
        return "meanwhile@example.com"
    if short := {1: "~", 2: "DE", 3: "JPY"}.get(field.max_length or 0):
        return short
    return "meanwhile" if value != "meanwhile" else "later"


def columns_of(form):
    """The fields of a form that are columns, and that a test can give another value."""
    for name, field in form.base_fields.items():
        if name not in {column.name for column in form._meta.model._meta.concrete_fields}:
            continue
        column = form._meta.model._meta.get_field(name)
        asks = form._meta.model is Feed and name in ("protocol", "url")  # with SFTP, the form asks the server
        skipped = column.is_relation or field.disabled or isinstance(field, SecretFormField | ModelChoiceField)
        if not (skipped or asks):
            yield name


def forms_of(response):
    """Each form on a page that edits a row: its class and the row."""
    form = response.context["adminform"].form
    yield type(form), form.instance
    for inline in response.context["inline_admin_formsets"]:
        if inline.formset.form.base_fields and inline.formset.initial_forms:
            yield inline.formset.form, inline.formset.initial_forms[0].instance


def everything(instance):
    """The rows of the database that an instance's page can edit."""
    related = [
        list(
            relation.related_model._default_manager.filter(**{relation.field.name: instance.pk}).order_by("pk").values()
        )
        for relation in instance._meta.related_objects
        if relation.field.name in ("connection", "version", "account", "user")
    ]
    return repr((type(instance)._default_manager.filter(pk=instance.pk).values()[0], related))


@pytest.fixture(autouse=True)
def _no_names_to_look_up(monkeypatch):
    """Servers by their addresses, because a machine without a resolver waits long for a name."""
    for model, field, value in ((Feed, "host", "93.184.216.34"), (Webhook, "url", "https://93.184.216.34/hook")):
        make = OBJECTS[model]

        def make_with_address(account, make=make, model=model, field=field, value=value):
            instance = make(account)
            model.objects.filter(pk=instance.pk).update(**{field: value})
            instance.refresh_from_db()
            return instance

        monkeypatch.setitem(OBJECTS, model, make_with_address)


@pytest.mark.parametrize("model", EDITED, ids=lambda model: model.__name__)
def test_a_value_that_changed_while_the_form_was_open_is_not_written_back(client, account, model):
    """Every column of every form of the page: the person is shown it, nothing is saved, and saving again keeps it."""
    instance = OBJECTS[model](account)
    page = page_of(instance)
    opened = client.get(page)
    data = filled_in(opened)
    refuse_to_take(client, instance, data | {"_shown": ""})
    expected = {}
    for form, row in list(forms_of(opened)):
        for name in columns_of(form):
            new = other_value(row, name)
            try:
                with transaction.atomic():
                    type(row)._default_manager.filter(pk=row.pk).update(**{name: new})
            except IntegrityError:  # it cannot change alone
                continue
            expected[type(row), row.pk, name] = (str(form.base_fields[name].label or name), new)
    if not expected:
        assert model._meta.label in {"imports.Format"}, "a page with nothing to edit: is that so?"
        return
    stands = everything(instance)
    answer = client.post(page, data)
    assert answer.status_code == 200
    assert MEANWHILE in text_of(answer)
    assert sorted(item.label for item in answer.context["differences"]) == sorted(
        label for label, _ in expected.values()
    )
    assert everything(instance) == stands
    saved = client.post(page, filled_in(answer))
    assert saved.status_code == 302 or MEANWHILE not in text_of(saved)
    for (kind, pk, name), (_, new) in expected.items():
        assert getattr(kind._default_manager.get(pk=pk), name) == new, name


def refuse_to_take(client, instance, data):
    """Send a form that does not say what it showed: nothing is saved, and the form that comes back says it."""
    before = everything(instance)
    answer = client.post(page_of(instance), data)
    assert answer.status_code == 200
    assert "did not say what it had been opened with" in text_of(answer)
    assert everything(instance) == before
    assert filled_in(answer)["_shown"]


def test_what_a_form_says_that_it_showed_is_believed_of_itself_alone(client, account):
    instance = OBJECTS[PaymentTerm](account)
    data = filled_in(client.get(page_of(instance)))
    of_another = filled_in(client.get(page_of(account)))["_shown"]
    for wrong in ("nonsense", data["_shown"][:-1], of_another):
        refuse_to_take(client, instance, data | {"_shown": wrong})


@pytest.fixture
def connection(account):
    return Connection.objects.get(account=account)


def record(connection, record, key, field, **values):
    return make_change(connection, action="updated", record=record, key=key, field=field, **values)


def test_what_a_file_changed_is_shown_beside_what_was_entered(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page)) | {"customer_alias": "Mine", "addresses-0-city": "Paris"}
    Connection.objects.filter(pk=connection.pk).update(
        customer_alias="Theirs", discount=5, discount_line_item_level=True
    )
    Address.objects.filter(connection=connection).update(city="Lyon", phone="0123")
    address = Address.objects.get()
    record(connection, "connection", "", "customer_alias", run_id=7, line=12, after="Theirs")
    record(connection, "address", f"S:{address.code}", "city", run_id=7, line=13, after="Lyon")
    answer = client.post(page, data)
    shown = {(item.where, item.label): item for item in answer.context["differences"]}
    alias = shown["", "Customer alias"]
    assert (alias.opened, alias.now, alias.entered) == ("blank", "Theirs", "Mine")
    assert alias.by.startswith("run 7, line 12, ")
    city = shown[f"address {address}", "City"]
    assert (city.opened, city.now, city.entered) == ("blank", "Lyon", "Paris")
    assert "run 7, line 13" in city.by
    assert shown["", "Discount"].entered == "not touched"
    assert shown[f"address {address}", "Phone"].now == "0123"
    again = filled_in(answer)
    assert (again["customer_alias"], again["discount"], again["addresses-0-city"]) == ("Mine", "5", "Paris")
    assert client.post(page, again).status_code == 302
    connection.refresh_from_db()
    address.refresh_from_db()
    assert (connection.customer_alias, connection.discount) == ("Mine", 5)
    assert (address.city, address.phone) == ("Paris", "0123")
    mine = Change.objects.filter(run_id=None).values_list("record", "field", "before", "after")
    assert set(mine) == {("connection", "customer_alias", "Theirs", "Mine"), ("address", "city", "Lyon", "Paris")}


def test_a_row_that_a_file_added_stays_and_is_shown(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page))
    new_row(data, "doors", code="MINE")
    connection.doors.create(code="THEIRS", name="New")
    answer = client.post(page, data)
    assert [(item.where, item.now) for item in answer.context["differences"]] == [("door THEIRS", "added")]
    assert client.post(page, filled_in(answer)).status_code == 302
    assert set(connection.doors.values_list("code", "name")) == {("S1", ""), ("MINE", ""), ("THEIRS", "New")}


@pytest.mark.parametrize(("touched", "left"), [(True, 1), (False, 0)])
def test_a_row_that_was_deleted_comes_back_only_where_it_was_touched(client, account, connection, touched, left):
    page = page_of(connection)
    data = filled_in(client.get(page)) | ({"doors-0-name": "Mine"} if touched else {})
    new_row(data, "doors", code="OTHER")
    connection.doors.all().delete()
    answer = client.post(page, data)
    assert [(item.where, item.now) for item in answer.context["differences"]] == [("door S1", "deleted")]
    assert not connection.doors.exists()
    assert client.post(page, filled_in(answer)).status_code == 302
    assert connection.doors.filter(code="S1", name="Mine").count() == left
    assert connection.doors.filter(code="OTHER").exists()


def test_a_row_to_be_deleted_that_changed_meanwhile_is_asked_about_again(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page)) | {"doors-0-DELETE": "on"}
    connection.doors.update(name="New")
    answer = client.post(page, data)
    assert [item.entered for item in answer.context["differences"]] == ["deleted"]
    assert connection.doors.exists()
    assert client.post(page, filled_in(answer)).status_code == 302
    assert not connection.doors.exists()


def test_rows_that_moved_to_another_page_meanwhile_are_still_saved(client, account):
    connection = make_connection(account, "MANY", addresses=[{"code": f"S{i:03}"} for i in range(25)])
    page = f"{page_of(connection)}?addresses-page=2"
    data = filled_in(client.get(page)) | {"addresses-0-city": "Paris"}
    for number in range(3):
        connection.addresses.create(kind="B", code=f"A{number}", country="FR")
    answer = client.post(page, data)
    assert {item.now for item in answer.context["differences"]} == {"added"}
    assert client.post(page, filled_in(answer)).status_code == 302
    assert connection.addresses.get(city="Paris").code == "S020"


def test_a_decision_of_another_reviewer_is_shown_before_mine_is_taken(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page))
    Connection.objects.filter(pk=connection.pk).update(status="rejected")
    record(connection, "connection", "", "status", user=account.memberships.get().user, after="rejected")
    answer = client.post(page, {**data, "connections_connection_save_and_approve": "1"})
    assert [(item.label, item.now) for item in answer.context["differences"]] == [("status", "rejected")]
    assert answer.context["differences"][0].by.startswith("eddie")
    connection.refresh_from_db()
    assert connection.status == "rejected"


def test_two_who_entered_the_same_are_not_asked(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page)) | {"customer_alias": "Same"}
    assert client.post(page, data).status_code == 302
    assert client.post(page, data).status_code == 302


def test_an_invalid_value_beside_a_change_is_named_too(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page)) | {"profile_name": ""}
    Connection.objects.filter(pk=connection.pk).update(customer_alias="Theirs")
    said = text_of(client.post(page, data))
    assert MEANWHILE in said
    assert "Profile name: This field is required." in said


def test_a_secret_that_was_replaced_is_told_and_not_shown(client, account):
    feed = OBJECTS[Feed](account)
    feed.password = "first-secret"
    feed.save()
    page = page_of(feed)
    data = filled_in(client.get(page))
    Feed.objects.filter(pk=feed.pk).update(password="second-secret")
    answer = client.post(page, data)
    assert [(item.label, item.opened, item.now) for item in answer.context["differences"]] == [
        ("Password", "set", "another one")
    ]
    assert "second-secret" not in answer.content.decode()
    assert client.post(page, filled_in(answer)).status_code == 302
    assert Feed.objects.get(pk=feed.pk).password == "second-secret"


def test_the_state_of_a_feed_is_nothing_that_people_change(client, account):
    feed = OBJECTS[Feed](account)
    page = page_of(feed)
    data = filled_in(client.get(page)) | {"mask": "*.csv"}
    Feed.objects.filter(pk=feed.pk).update(pulled_at=timezone.now(), failures=3)
    assert client.post(page, data).status_code == 302


def test_who_changed_a_list_is_told_where_it_is_known(client, account):
    term = PaymentTerm.objects.get(account=account, code="N30")
    page = page_of(term)
    stale = filled_in(client.get(page)) | {"name": "Mine"}
    client.post(page, filled_in(client.get(page)) | {"name": "Theirs"})
    answer = client.post(page, stale)
    (difference,) = answer.context["differences"]
    assert (difference.now, difference.entered) == ("Theirs", "Mine")
    assert difference.by.startswith("root, ")


def test_a_choice_of_a_list_is_shown_by_its_name(client, account, connection):
    page = page_of(connection)
    data = filled_in(client.get(page))
    Connection.objects.filter(pk=connection.pk).update(sales_rep=SalesRep.objects.get(account=account, code="REP1"))
    (difference,) = client.post(page, data).context["differences"]
    assert (difference.label, difference.opened, difference.now) == ("Sales rep", "blank", "REP1 · Rosa Diaz")


def test_a_record_that_was_deleted_meanwhile_is_told(client, account):
    term = PaymentTerm.objects.get(account=account, code="N30")
    data = filled_in(client.get(page_of(term)))
    term.delete()
    assert "Perhaps it was deleted" in text_of(client.post(page_of(term), data, follow=True))


@pytest.mark.parametrize("model", [model for model in EDITED if model is not Format], ids=lambda model: model.__name__)
def test_what_changed_since_the_question_is_not_deleted_before_it_is_asked_again(client, account, model):
    instance = OBJECTS[model](account)
    page = url(model, "delete", instance.pk)
    asked = filled_in(client.get(page))
    if "post" not in asked:
        return  # it is in use, and cannot be deleted at all
    form = client.get(page_of(instance)).context["adminform"].form
    name = next(columns_of(type(form)))
    model._default_manager.filter(pk=instance.pk).update(**{name: other_value(instance, name)})
    answer = client.post(page, asked, follow=True)
    assert "was changed since you were asked" in text_of(answer)
    assert model._default_manager.filter(pk=instance.pk).exists()
    assert client.post(page, filled_in(answer)).status_code == 302
    assert not model._default_manager.filter(pk=instance.pk).exists()


def test_a_row_added_since_the_question_is_asked_about_again(client, account, connection):
    page = url(Connection, "delete", connection.pk)
    asked = filled_in(client.get(page))
    connection.doors.create(code="NEW")
    assert "was changed since you were asked" in text_of(client.post(page, asked, follow=True))
    assert Connection.objects.filter(pk=connection.pk).exists()


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_list_does_not_undo_what_another_reviewer_decided_meanwhile(client, account, connection, action):
    other = make_connection(account, "C9", status="pending")
    page = url(Connection, "changelist")
    data = filled_in(client.get(page)) | {"action": action, "index": "0"}
    status = "rejected" if action == "approve" else "approved"
    Connection.objects.filter(pk=connection.pk).update(
        status=status, reviewed_at=timezone.now(), reviewed_by=account.memberships.get().user
    )
    answer = client.post(page, data | {"_selected_action": [connection.pk, other.pk]}, follow=True)
    assert f"was {status} by eddie since you opened the list" in text_of(answer)
    connection.refresh_from_db()
    other.refresh_from_db()
    assert connection.status == status
    assert other.status != "pending"
