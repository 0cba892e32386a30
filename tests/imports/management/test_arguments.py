"""What the commands of imports have in common."""

import pytest
from django.core.management.base import CommandError

from imports.errors import AccountBusy, SettingsWrong, TryAgainLater
from imports.management.arguments import as_command_error


@pytest.mark.parametrize(("error", "code"), [(SettingsWrong, 2), (TryAgainLater, 1), (AccountBusy, 1)])
def test_who_must_act_decides_the_exit_code_and_a_terminal_obeys_no_name(error, code):
    with pytest.raises(CommandError) as raised, as_command_error():
        raise error("a\x1b[2J.csv of 3\xa0MB\nis gone")
    assert (raised.value.returncode, str(raised.value)) == (code, "a\\x1b[2J.csv of 3 MB\\nis gone")
