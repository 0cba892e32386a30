"""What is asked of an import: it cannot be changed once it is asked, nor say two things at once."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from accounts.models import Account
from imports.formats.spec import STANDARD
from imports.models import Feed, FormatVersion, Run
from imports.pipeline import ImportRequest, Origin, Release

HERE, ELSEWHERE = Account(pk=1, code="maison"), Account(pk=2, code="atelier")
FILE = Path("customers.txt")
ORIGIN = Origin(file_name="customers.txt")


def ask(**options):
    return ImportRequest(account=HERE, path=FILE, **options)


def waiting(account=HERE, **fields):
    return Run(account=account, **fields)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"spec": STANDARD, "version": FormatVersion()}, "each say how the file is read"),
        ({"queued": waiting(), "origin": ORIGIN}, "says itself where"),
        ({"queued": waiting(), "dry_run": True}, "says itself"),
        ({"queued": waiting(), "release": Release(waiting(), "rosa")}, "says itself"),
        ({"release": Release(waiting(), "rosa"), "dry_run": True}, "takes back"),
        ({"rejects": FILE}, "overwrite"),
        ({"queued": waiting(ELSEWHERE)}, "queued belongs to another account"),
        ({"release": Release(waiting(ELSEWHERE), "rosa")}, "release belongs to another account"),
        ({"origin": replace(ORIGIN, feed=Feed(account=ELSEWHERE))}, "feed belongs to another account"),
    ],
)
def test_what_contradicts_itself_is_refused_when_it_is_asked(options, why):
    with pytest.raises(ValueError, match=why):
        ask(**options)


def test_a_request_does_not_change():
    request = ask(dry_run=True)
    with pytest.raises(FrozenInstanceError):
        request.dry_run = False


@pytest.mark.parametrize(
    ("options", "keeps"),
    [
        ({}, True),
        ({"keep": False}, False),
        ({"dry_run": True}, False),
        ({"queued": waiting()}, True),
        ({"queued": waiting(dry_run=True)}, False),
    ],
)
def test_a_copy_is_kept_of_what_is_applied(options, keeps):
    assert ask(**options).keeps_copy is keeps


def test_without_a_format_the_file_is_of_the_standard_template():
    other = replace(STANDARD, name="other")
    assert ask().find_spec() is STANDARD
    assert ask(spec=other).find_spec() is other
