"""The log of changes is shortened, and nothing that needs all of it is told half of it."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts import pruning
from accounts.pruning import count_prunable, list_prunables
from connections.history.following import BEGINNING, read_on
from connections.history.origins import find_origins
from connections.history.provenance import Provenance
from connections.history.stamping import take_watermark
from connections.models import Change, Connection
from imports.errors import SettingsWrong
from imports.models import Run
from imports.pipeline.claiming import claim_account
from imports.runs.replaying import replay_run
from imports.runs.undoing import undo_run
from tests.builders import add_lookups, keep_values, let_values_go, make_account, make_user
from tests.imports.customer_files import NEW, SHIPPING, Sender
from tests.pruning import prune_all
from tests.threads import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 100
AGE = timedelta(days=DAYS + 1)
ALIAS = ("connection", "", "customer_alias")


@pytest.fixture(autouse=True)
def _days(settings, monkeypatch):
    settings.PRUNE_CHANGES_AFTER_DAYS = DAYS
    monkeypatch.setattr(pruning, "BATCH", 2)


def age():
    """Time passes."""
    Change.objects.update(at=F("at") - AGE)
    Run.objects.update(started_at=F("started_at") - AGE, read_at=F("read_at") - AGE)


def log():
    """What the log says of fields, and of records that came and went."""
    return [(change.field or f"{change.action} {change.key}", change.after) for change in Change.objects.order_by("id")]


def follow(account, place):
    return read_on(Change.objects.filter(account=account), place, take_watermark(account.pk), 100)


def test_of_old_changes_the_last_of_each_value_stays_and_tells_what_stands(account, send, client):
    rosa = make_user("rosa")
    made = send(NEW | SHIPPING | {"customer_alias": "A", "shipping_city": "Lyon"})
    send(NEW | {"customer_alias": "B"})
    one = account.connections.get()
    keep_values(one, rosa, ALIAS)
    let_values_go(one, rosa, ALIAS)
    send(NEW | SHIPPING | {"customer_alias": "C", "shipping_city": "Nice"})
    _, place, _ = follow(account, BEGINNING)
    old = send(NEW | SHIPPING | {"customer_alias": "D", "shipping_city": "Rome"})
    age()
    young = [send(NEW | {"customer_alias": alias}) for alias in "EF"]
    before = (Provenance(one).show(), find_origins(one), one.changes.count())
    assert count_prunable(list_prunables(["changes"])) == {"changes": 4}
    assert Change.objects.count() == before[2], "a look lets nothing go"

    assert prune_all("changes").total == 4
    assert log() == [
        ("created ", None), ("customer_alias", None),
        ("city", "Rome"), ("customer_alias", "D"), ("customer_alias", "E"), ("customer_alias", "F"),
    ]  # fmt: skip
    assert (Provenance(one).show(), find_origins(one)) == before[:2]
    told, _, _ = follow(account, place._replace(at=place.at - AGE))
    assert [change.after for change in told] == ["Rome", "D", "E", "F"], "whoever was away knows what stands"
    assert prune_all("changes").total == 0
    client.force_login(make_user("sue", is_superuser=True, is_staff=True))
    for run in (made, old):
        assert "Of changes from before 20" in client.get(f"/admin/imports/run/{run.pk}/report/").content.decode()
        with pytest.raises(SettingsWrong, match=r"cannot be undone: of changes from before 20.*are kept no longer\.$"):
            undo_run(run)
    Connection.objects.update(created_at=F("created_at") - AGE)
    assert (
        "All changes</a>; of changes" in client.get(f"/admin/connections/connection/{one.pk}/change/").content.decode()
    )
    for run in reversed(young):
        assert "Of changes" not in client.get(f"/admin/imports/run/{run.pk}/report/").content.decode()
        assert undo_run(run)[1].left == []
    assert Connection.objects.get().customer_alias == "D"


def test_of_a_customer_that_is_gone_stays_how_it_went(account, send):
    send(NEW)
    send(NEW | {"customer_alias": "A"})
    first = send(NEW | {"customer_code": "C2"})
    undo_run(first)
    age()
    prune_all("changes")
    assert [(change.customer_code, change.action) for change in Change.objects.order_by("id")] == [
        ("C1", "created"), ("C1", "updated"), ("C2", "deleted"),
    ]  # fmt: skip


def test_records_of_a_kind_replace_nothing_of_each_other(send):
    shop = NEW | SHIPPING
    send(shop | {"shipping_city": "Lyon"}, shop | {"shipping_code": "S2", "shipping_city": "Lyon"})
    send(shop | {"shipping_city": "Nice"})
    send(shop | {"shipping_code": "S2", "shipping_city": "Rome"})
    age()
    assert prune_all("changes").total == 0


def test_what_a_replay_asks_stays_with_all_from_there_on(account, send, settings):
    """However long copies are kept."""
    settings.KEEP_FILES_DAYS = 1000
    send(NEW)
    for alias in "AB":
        send(NEW | {"customer_alias": alias})
    replayable = send(NEW | {"customer_alias": "C", "warehouse_code": "NOWHERE"})
    for alias in "DE":
        send(NEW | {"customer_alias": alias})
    account.connections.update(customer_alias="by hand")
    age()
    assert count_prunable(list_prunables(["changes"])) == {"changes": 1}
    assert prune_all("changes").total == 1
    assert [after for field, after in log() if field == "customer_alias"] == ["B", "D", "E"]
    assert "has taken it since" in replay_run(replayable).issues.get(code="not_replayed").message
    settings.KEEP_FILES_DAYS = 30
    prune_all()
    assert [after for field, after in log() if field == "customer_alias"] == ["E"]


def test_an_account_that_something_goes_into_waits_and_keeps_no_other_waiting(account, send, tmp_path):
    other = make_account("other")
    add_lookups(other)
    for sender in (send, Sender(other, tmp_path)):
        for alias in "ABC":
            sender(NEW | {"customer_alias": alias})
    age()
    with elsewhere(lambda: claim_account(account)):
        assert prune_all("changes").total == 1
    assert set(Change.objects.filter(field="customer_alias", after="B").values_list("account", flat=True)) == {
        account.pk
    }
    assert prune_all("changes").total == 1
