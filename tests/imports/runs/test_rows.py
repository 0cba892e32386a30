"""What stood in a line of a run's file, while its copy is kept."""

from __future__ import annotations

import pytest

from imports.runs.rows import read_row
from tests.api.conftest import Program
from tests.builders import add_member, make_user
from tests.imports.customer_files import NEW, kept_path

pytestmark = pytest.mark.django_db


def test_a_row_is_shown_as_it_came_with_all_its_lines(send):
    run = send(NEW | {"profile_name": "Two\nlines"}, NEW | {"customer_code": "C2", "profile_name": "Zoë"})
    assert read_row(run, 1) == ["|".join(NEW)]
    assert read_row(run, 2) == ['C1|"Two', 'lines"|EUR|EU Wholesale']
    assert read_row(run, 4) == ["C2|Zoë|EUR|EU Wholesale"]
    assert read_row(run, 5) == []


def test_there_is_none_once_the_copy_is_gone(send):
    run = send(NEW)
    kept_path(run.kept_file).unlink()
    assert read_row(run, 2) == []
    run.kept_file = None
    assert read_row(run, 2) == []


def test_programs_are_given_rows_of_their_account(send, account):
    run = send(NEW)
    add_member(account, rosa := make_user("rosa"))
    place = f"accounts/maison/runs/{run.pk}/rows/"
    assert Program(rosa)("get", f"{place}2/").json() == {"line": 2, "text": "C1|Harbor Row|EUR|EU Wholesale"}
    assert Program(rosa)("get", f"{place}9/").status_code == 404
    assert Program(make_user("luc"))("get", f"{place}2/").status_code == 404
