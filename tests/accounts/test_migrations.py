"""Accounts of earlier releases, brought to what the models are now."""

import pytest
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Account
from tests.builders import make_account

pytestmark = pytest.mark.django_db


def migrate(name):
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(database)
    executor.migrate([("accounts", name)])


def test_accounts_that_approved_everything_go_on_doing_so():
    make_account("maison")
    make_account("atelier", auto_approval=Account.AutoApproval.ALWAYS)
    migrate("0003_login_attempts")
    with database.cursor() as cursor:
        cursor.execute("SELECT code, auto_approve FROM accounts_account ORDER BY code")
        assert cursor.fetchall() == [("atelier", True), ("maison", False)]
    migrate("0004_auto_approval")
    assert dict(Account.objects.values_list("code", "auto_approval")) == {"atelier": "always", "maison": "never"}
    assert make_account("new").review_hours == 48
