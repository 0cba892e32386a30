"""Accounts of earlier releases, brought to what the models are now."""

from importlib import import_module

import pytest
from django.db import connection

from accounts.models import Account
from tests.builders import make_account

pytestmark = pytest.mark.django_db


def test_accounts_that_approved_everything_go_on_doing_so():
    """The column of the release before still stands beside the new one."""
    migration = import_module("accounts.migrations.0004_auto_approval")
    make_account("maison")
    make_account("atelier", auto_approval=Account.AutoApproval.ALWAYS)
    with connection.cursor() as cursor:
        cursor.execute(migration.FILL_BACK)
        cursor.execute("SELECT code, auto_approve FROM accounts_account ORDER BY code")
        assert cursor.fetchall() == [("atelier", True), ("maison", False)]
        Account.objects.update(auto_approval=Account.AutoApproval.NEVER)
        cursor.execute(migration.FILL)
    assert dict(Account.objects.values_list("code", "auto_approval")) == {"atelier": "always", "maison": "never"}
    assert make_account("new").review_hours == 48
