"""Accounts, their sandboxes, and who may do what in them."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Account
from tests.builders import add_member, make_account, make_user

pytestmark = pytest.mark.django_db


def test_editors_edit_viewers_see_and_others_neither():
    maison, northwind, atelier = make_account("maison"), make_account("northwind"), make_account("atelier")
    user = make_user("eddie")
    add_member(maison, user, "editor")
    add_member(northwind, user, "viewer")
    assert set(Account.objects.visible_to(user)) == {maison, northwind}
    assert set(Account.objects.editable_by(user)) == {maison}
    assert [user.may_see(account.pk) for account in (maison, northwind, atelier)] == [True, True, False]
    assert [user.may_edit(account.pk) for account in (maison, northwind, atelier)] == [True, False, False]
    assert user.edits_any_account


def test_a_superuser_edits_every_account():
    account, user = make_account(), make_user("root", is_superuser=True)
    assert list(Account.objects.editable_by(user)) == [account]
    assert user.may_see(account.pk)
    assert user.may_edit(account.pk)


def test_an_account_with_sandboxes_cannot_become_one():
    maison, northwind = make_account("maison"), make_account("northwind")
    make_account("maison-test", sandbox_of=maison)
    maison.sandbox_of = northwind
    with pytest.raises(ValidationError, match="production account itself"):
        maison.full_clean()


def test_an_account_is_never_its_own_sandbox():
    account = make_account()
    account.sandbox_of = account
    with pytest.raises(ValidationError):
        account.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        account.save()
