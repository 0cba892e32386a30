"""Databases of earlier releases, brought to what the models are now."""

import pytest
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.builders import make_account, make_connection

pytestmark = pytest.mark.django_db


def migrate(name):
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(database)
    executor.migrate([("connections", name)])
    return executor.loader.project_state([("connections", name)]).apps


def test_earlier_changes_are_given_their_account_and_customer_code():
    first, second = (make_connection(make_account(code), f"{code}-C1") for code in ("maison", "atelier"))
    old = migrate("0001_initial").get_model("connections", "Change")
    known = {"at": timezone.now(), "action": "created", "record": "connection"}
    for pk in (first.pk, second.pk, first.pk, 0):
        old.objects.create(connection_id=pk, **known)
    now = migrate("0004_index_changes").get_model("connections", "Change")
    assert list(now.objects.order_by("id").values_list("account_id", "customer_code")) == [
        (first.account_id, "maison-C1"),
        (second.account_id, "atelier-C1"),
        (first.account_id, "maison-C1"),
        (0, ""),
    ]
    now.objects.all().delete()
    database.cursor().execute(
        "INSERT INTO connections_change (connection_id, at, action, record, key, field)"
        " VALUES (1, now(), 'created', 'connection', '', '')"
    )
    assert now.objects.count() == 1, "code that still runs goes on"
