"""Times in the zone of whoever looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from imports.models import Run
from tests.builders import make_account, make_user


@pytest.fixture
def run(db, client):
    client.force_login(make_user("root", is_superuser=True))
    run = Run.objects.create(account=make_account(), file_name="customers.txt", format_name="standard")
    Run.objects.update(started_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    return run


@pytest.mark.parametrize(
    ("cookie", "zone", "time"),
    [
        ("Europe%2FParis", "Europe/Paris", "2026-07-02\xa000:30"),
        ("America/New_York", "America/New_York", "2026-07-01\xa018:30"),
        ("Asia/Kathmandu", "Asia/Kathmandu", "2026-07-02\xa004:15"),
        ("Mars/Olympus", "UTC", "2026-07-01\xa022:30"),
        ("../../etc/passwd", "UTC", "2026-07-01\xa022:30"),
        ("", "UTC", "2026-07-01\xa022:30"),
    ],
)
def test_pages_are_written_in_the_zone_of_the_browser_and_name_it(run, client, cookie, zone, time):
    client.cookies["zone"] = cookie
    page = client.get(reverse("admin:imports_run_changelist")).content.decode()
    assert f"Times are in the zone {zone}." in page
    assert time in page


def test_the_day_of_a_list_is_that_of_the_zone(run, client):
    client.cookies["zone"] = "Europe/Paris"
    address = f"{reverse('admin:imports_run_changelist')}?day="
    assert [client.get(address + day).context["cl"].result_count for day in ("2026-07-01", "2026-07-02")] == [0, 1]


def test_programs_get_utc(run, client):
    client.cookies["zone"] = "Europe/Paris"
    answer = client.get(f"/api/v1/accounts/{run.account.code}/runs/{run.pk}/").json()
    assert answer["started_at"] == "2026-07-01T22:30:00Z"
