"""An account whose editor is logged in, and two connections that may be one customer."""

import pytest

from tests.builders import ELM, add_lookups, add_member, make_account, make_connection, make_user


@pytest.fixture
def account(client):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, user := make_user("eddie"))
    client.force_login(user)
    return account


@pytest.fixture
def known(account):
    return make_connection(account, "C1", profile_name="Elm Street Outfitters", addresses=[ELM])


@pytest.fixture
def twin(account, known):
    return make_connection(account, "C2", profile_name="Elm St Outfiters", addresses=[ELM], status="pending")
