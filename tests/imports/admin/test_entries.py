"""Entries that lists lack: which of them were added meanwhile."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from imports.admin.entries import find_present
from imports.runs.awaiting import Awaited
from lookups.models import PaymentTerm, PriceType, SalesRep
from tests.builders import make_account

pytestmark = pytest.mark.django_db


def test_what_is_in_any_list_is_found_at_once():
    account, other = make_account("maison"), make_account("other")
    PaymentTerm.objects.create(account=account, code="N45", name="Net 45")
    PriceType.objects.create(account=account, currency="CHF", label="Retail")
    SalesRep.objects.create(account=other, code="R1", name="Rosa", email="r@example.com")
    present = {
        Awaited("payment_terms", "N45", True, 1, (1,)),
        Awaited("payment_terms", "Net 45", False, 1, (1,)),
        Awaited("price_types", "CHF Retail", True, 1, (1,)),
    }
    lacking = {
        Awaited("payment_terms", "N45", False, 1, (1,)),
        Awaited("price_types", "CHF", True, 1, (1,)),
        Awaited("sales_reps", "R1", True, 1, (1,)),
    }
    with CaptureQueriesContext(database) as asked:
        assert find_present(account, present | lacking) == present
    assert len(asked) == 1
    assert find_present(account, []) == set()
