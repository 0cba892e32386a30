from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.builders import add_lookups, make_account
from tests.dropbox.visitors import make_box, start_dropbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dropbox.visitors import Running


@pytest.fixture(scope="module")
def dropbox(django_db_setup, django_db_blocker) -> Iterator[Running]:
    """A drop box of a process of its own, for a module's tests."""
    with django_db_blocker.unblock():
        running = start_dropbox()
    yield running
    os.killpg(running.process.pid, signal.SIGTERM)
    said = running.process.communicate(timeout=60)
    assert running.process.returncode == 0, said


@pytest.fixture
def account(transactional_db):
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def box(account, tmp_path):
    return make_box(account, tmp_path)
