"""The command `create_account`."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from tests.builders import make_account

pytestmark = pytest.mark.django_db


def refusal(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as raised:
        call_command("create_account", *arguments)
    return raised.value


def test_an_account_is_created_and_named_by_its_code(capsys):
    call_command("create_account", "maison")
    account = Account.objects.get()
    assert (account.code, account.name, account.sandbox_of, account.auto_approval) == (
        "maison",
        "maison",
        None,
        "never",
    )
    assert capsys.readouterr().out == "Created account maison.\n"


def test_name_sandbox_and_automatic_approval_can_be_given():
    production = make_account("maison")
    call_command("create_account", "maison-test", "--name", "Maison test", "--sandbox-of", "maison", "--auto-approve")
    account = Account.objects.get(code="maison-test")
    assert (account.name, account.sandbox_of, account.auto_approval) == ("Maison test", production, "always")


def test_a_code_that_is_taken_is_refused():
    make_account("maison")
    error = refusal("maison")
    assert error.returncode == 2
    assert str(error) == "There is an account maison already; choose another code."


def test_a_sandbox_of_an_unknown_account_is_refused():
    error = refusal("maison-test", "--sandbox-of", "maison")
    assert error.returncode == 2
    assert str(error) == "There is no account maison to be a sandbox of."


def test_a_sandbox_of_a_sandbox_is_refused():
    make_account("maison-test", sandbox_of=make_account("maison"))
    error = refusal("third", "--sandbox-of", "maison-test")
    assert error.returncode == 2
    assert "not to another sandbox" in str(error)
    assert not Account.objects.filter(code="third").exists()


@pytest.mark.parametrize("code", ["Maison Paris", "maison/paris", "é", "m" * 51, ""])
def test_a_code_that_is_no_slug_is_refused(code):
    error = refusal(code)
    assert error.returncode == 2
    assert str(error).startswith("code: ")
    assert not Account.objects.exists()
