from __future__ import annotations

import pytest

from tests.builders import add_lookups, make_account
from tests.imports.files import Sender


@pytest.fixture
def account(db):
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def send(account, tmp_path):
    return Sender(account, tmp_path)
