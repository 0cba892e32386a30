"""The page of what the database holds: estimated rather than counted, and of nobody else's accounts."""

import re
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse

from accounts import holdings
from accounts.holdings import MOST_COUNTED, describe_accounts, list_tables, say_bytes
from accounts.models import PruneTally
from connections.models import Change, Connection
from imports.models import Feed, Issue, KeptFile, Pull, Run
from tests.builders import add_member, make_account, make_user

pytestmark = pytest.mark.django_db

URL = reverse("admin:accounts_account_holdings")


@pytest.fixture
def account():
    return make_account("maison")


def text_of(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def said_of(account):
    (_, said), labels = next(describe_accounts([account])), [one.label for one in holdings.list_holdings()]
    return dict(zip(labels, said, strict=True))


def add_changes(account, count):
    Change.objects.bulk_create(
        Change(account=account, customer_code="C", connection_id=1, at="2026-01-01T00:00:00Z", action="updated")
        for _ in range(count)
    )


def test_an_account_is_told_by_kind(account):
    Connection.objects.create(account=account, customer_code="C1", profile_name="Harbor")
    kept = Run.objects.create(account=account, file_name="a", file_size=9_000_000)
    KeptFile.objects.create(account=account, key="a", stored_size=1_500_000)
    Run.objects.create(account=account, file_name="b", file_size=9_000_000)
    Issue.objects.bulk_create(Issue(run=kept, code="x", severity="error", message="") for _ in range(3))
    feed = Feed.objects.create(account=account, name="erp", protocol="sftp")
    Pull.objects.create(feed=feed, status="succeeded")
    expected = {"connections": "1", "changes": "0", "runs": "2", "copies of files": "1.5 MB", "issues": "3"}
    assert said_of(account).items() >= {**expected, "pulls": "1", "messages": "0"}.items()
    assert set(said_of(make_account("other")).values()) == {"0", "0 bytes"}


def test_what_is_many_is_not_counted(account):
    other = make_account("other")
    add_changes(account, MOST_COUNTED + 100)
    add_changes(other, MOST_COUNTED)
    assert said_of(account)["changes"] == "more than 2,000"
    assert said_of(other)["changes"] == "2,000"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE connections_change")
    assert said_of(account)["changes"] == "about 2,100"


def test_tables_are_the_largest_first_by_their_names():
    tables = list_tables()
    assert [table.size for table in tables] == sorted((table.size for table in tables), reverse=True)
    assert {"connections", "changes", "runs", "pulls"} <= {table.name for table in tables}


def test_a_member_sees_the_own_accounts_and_nothing_of_the_database(client, account):
    rosa = make_user("rosa")
    add_member(account, rosa, "viewer")
    make_account("stranger")
    client.force_login(rosa)
    page = text_of(client.get(URL))
    assert "maison" in page
    assert "stranger" not in page
    assert "The largest tables" not in page
    assert "Kept for how long" not in page
    assert "No account has “stranger”" in text_of(client.get(URL, {"q": "stranger"}))


def test_nobody_sees_it_without_logging_in(client):
    assert client.get(URL).status_code == 302


def test_a_superuser_sees_all_in_few_queries(client, account, django_assert_max_num_queries):
    for number in range(25):
        make_account(f"brand-{number:02}")
    PruneTally.objects.create(kind="pulls", total=1234)
    client.force_login(make_user("root", is_superuser=True))
    with django_assert_max_num_queries(30):
        page = text_of(client.get(URL))
    assert all(part in page for part in ("brand-19", "The largest tables", "Kept for how long", "1,234", "for ever"))
    assert "brand-20" not in page
    assert "maison" in text_of(client.get(URL, {"page": 2}))
    assert "brand-20" not in text_of(client.get(URL, {"q": "MAISON"}))


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (27_300_000_000, "27.3 GB")]
)
def test_bytes_are_said_in_large_units(count, said):
    assert say_bytes(count) == said
