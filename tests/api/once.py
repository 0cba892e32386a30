"""A world that is made once for all tests of a module, where hundreds of them would make the same.

Each works in a transaction of its own within that of the world, and leaves it as it was. Not for tests that commit.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction

from tests.api.conftest import make_world
from tests.api.routes import fill_account


@pytest.fixture(scope="module")
def _made(django_db_setup, django_db_blocker):
    outer: Any = transaction.atomic()
    outer._from_testcase = True  # as those of Django's own tests: it is none to code that must begin one
    with django_db_blocker.unblock():
        outer.__enter__()
        world = make_world()
        made = world, fill_account(world.maison)
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@pytest.fixture
def world(db, _made):
    return deepcopy(_made[0])


@pytest.fixture
def things(world, _made):
    return _made[1]
