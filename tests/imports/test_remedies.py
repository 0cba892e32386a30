"""What ends an issue is said of codes that there are."""

from pathlib import Path

from imports.remedies import MAPPED, REMEDIES, find_remedy

SOURCE = "".join(path.read_text() for path in Path("imports").rglob("*.py") if path.name != "remedies.py")


def test_every_code_is_given_somewhere():
    assert [code for code in REMEDIES if f'"{code}"' not in SOURCE] == []


def test_other_codes_have_a_remedy_by_their_severity():
    assert find_remedy("something_else", "error").startswith("The sender corrects")
    assert find_remedy("something_else", "warning").startswith("Nothing has to be done")
    assert REMEDIES.keys() >= MAPPED
