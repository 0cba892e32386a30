"""The project without imports; `test_plugins` runs this in a process of its own."""

import pytest
import yaml
from aiosmtpd.controller import Controller
from django.apps import apps
from django.core.mail import send_mail
from django.core.management import call_command
from django.urls import reverse

from accounts.health import find_problems
from connections.models import Change
from customersync.settings import SMTP_BACKEND
from tests.builders import add_lookups, make_account, make_change, make_connection, make_user
from tests.processes import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    account = make_account("maison")
    add_lookups(account)
    return make_connection(account, "C1")


@pytest.fixture
def staff(client):
    client.force_login(make_user("root", is_superuser=True))
    return client


def test_imports_is_not_there():
    assert not apps.is_installed("imports")


def test_every_check_passes():
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True)


def test_the_navigation_holds_the_pages_that_are_there(staff):
    answer = staff.get(reverse("admin:index"))
    groups = answer.context["sidebar_navigation"]
    assert [group["title"] for group in groups] == ["Customers", "Lookups", "Accounts"]
    for group in groups:
        for item in group["items"]:
            link = item["link"](None) if callable(item["link"]) else str(item["link"])
            assert staff.get(link).status_code == 200, item["title"]


def test_a_customer_has_its_pages(staff, connection):
    make_change(connection, run_id=7, line=2)
    make_change(connection, action=Change.Action.UPDATED, field="website", before="", after="https://example.com")
    assert "run 7" in staff.get(reverse("admin:connections_connection_change", args=[connection.pk])).text
    assert b"run 7" in staff.get(reverse("admin:connections_change_changelist")).content
    assert reverse("admin:lookups_pricetype_add") in staff.get(reverse("admin:lookups_pricetype_changelist")).text


def test_the_api_serves_customers_and_lists(staff, connection):
    customers = staff.get("/api/v1/accounts/maison/connections/").json()["results"]
    assert [customer["customer_code"] for customer in customers] == ["C1"]
    assert len(staff.get("/api/v1/accounts/maison/lookups/warehouses/").json()["results"]) == 2
    assert staff.get("/api/v1/accounts/maison/runs/").status_code == 404


def test_the_schema_tells_of_what_is_there(staff):
    schema = yaml.load(staff.get("/api/v1/schema/").content, yaml.CSafeLoader)
    assert "/api/v1/accounts/{account}/connections/" in schema["paths"]
    assert not [path for path in schema["paths"] if "runs" in path or "feeds" in path]


def test_mail_goes_out_by_the_way_that_the_settings_name(settings):
    """Passwords are sent by mail, whichever apps there are."""
    took: list[bytes] = []

    class Keep:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802  (the library's name)
            took.append(envelope.content)
            return "250 OK"

    mailbox = Controller(Keep(), hostname="127.0.0.1", port=free_port())
    mailbox.start()
    try:
        settings.EMAIL_BACKEND = SMTP_BACKEND
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        assert send_mail("Hello", "It works.", None, ["rosa@example.com"]) == 1
    finally:
        mailbox.stop()
    assert b"It works." in took[0]


def test_health_and_documents_answer(client):
    assert find_problems() == []
    assert client.get("/health/").json() == {"ok": True, "problems": []}
    assert client.get("/api/v1/docs/").status_code == 200
