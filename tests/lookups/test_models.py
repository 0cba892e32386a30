"""The rules of single entries and the uniqueness of lists, in forms and in the database."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from lookups.directory import CODED_LISTS
from lookups.models import PriceType, SalesRep
from tests.builders import add_lookups, make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = make_account()
    add_lookups(account)
    return account


@pytest.mark.parametrize("currency", ["XYZ", "EU", "", "978"])
def test_a_currency_is_one_of_iso_4217(account, currency):
    with pytest.raises(ValidationError, match="currency"):
        PriceType(account=account, currency=currency, label="Any").full_clean()
    entered = PriceType(account=account, currency="eur", label="Any")
    entered.full_clean()
    assert entered.currency == "EUR"


@pytest.mark.parametrize("model", CODED_LISTS.values(), ids=lambda model: model.__name__)
def test_codes_and_names_are_as_files_say_them_and_unique(account, model):
    email = {"email": "new@example.com"} if model is SalesRep else {}
    for bad in ({"code": "\u200b "}, {"code": ""}, {"code": "X", "name": "Y\x07"}, {"code": "X\0"}):
        with pytest.raises(ValidationError):
            model(account=account, **{"name": "New", **email, **bad}).full_clean()
    entry = model(account=account, **{"code": " \u200bE\u0301 1\u00a0", "name": "Neu\u00ad ", **email})
    entry.full_clean()
    entry.save()
    assert (entry.code, entry.name) == ("É 1", "Neu")
    entry.refresh_from_db()
    assert (entry.code, entry.name) == ("É 1", "Neu")
    with pytest.raises(ValidationError, match="already exists"):
        model(account=account, code="E\u03011".replace("1", " 1"), **email).full_clean()
    taken = model.objects.filter(account=account)[0].code
    with pytest.raises(ValidationError, match="already exists"):
        model(account=account, code=taken, **email).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(account=account, code=taken, **email)


def test_a_price_type_is_unique_by_currency_and_label(account):
    with pytest.raises(IntegrityError), transaction.atomic():
        PriceType.objects.create(account=account, currency="EUR", label="EU Wholesale")
    PriceType.objects.create(account=account, currency="EUR", label="US Wholesale")
    PriceType.objects.create(account=make_account("northwind"), currency="EUR", label="EU Wholesale")


def test_a_sales_reps_email_is_unique_in_any_case(account):
    with pytest.raises(ValidationError):
        SalesRep(account=account, code="REP9", email="ROSA@example.com").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        SalesRep.objects.create(account=account, code="REP9", email="ROSA@example.com")
    SalesRep.objects.create(account=make_account("northwind"), code="REP9", email="ROSA@example.com")
