from __future__ import annotations

import pytest

from tests.builders import add_lookups, make_account
from tests.feeds import make_feed
from tests.imports.customer_files import Sender
from tests.servers import run_sftp


@pytest.fixture
def account(db):
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def send(account, tmp_path):
    return Sender(account, tmp_path)


@pytest.fixture
def folder(tmp_path):
    """What a server serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def server(folder):
    with run_sftp(folder) as running:
        yield running


@pytest.fixture
def feed(account, server):
    return make_feed(account, server)
