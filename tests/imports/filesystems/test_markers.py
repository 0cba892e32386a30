"""Markers: how they are called, and what they say of their files."""

import hashlib

import pytest

from imports.filesystems.markers import Marker, MarkerError

SUM = hashlib.sha256(b"content").hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


def marker(text):
    parsed = Marker.parse(text)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("text", "name", "holds"),
    [
        ("{name}.done", "a.b.txt.done", ""),
        ("{stem}.ctl", "a.b.ctl", ""),
        ("ready {name}", "ready a.b.txt", ""),
        ("{stem}.ctl rows", "a.b.ctl", "rows"),
        ("{name}.sha256 sha256", "a.b.txt.sha256", "sha256"),
    ],
)
def test_the_marker_of_a_file(text, name, holds):
    parsed = marker(text)
    assert (parsed.name_for("a.b.txt"), parsed.holds) == (name, holds)
    assert parsed.may_be(name)
    assert parsed.may_be(name.upper())
    assert not parsed.may_be("a.b.txt")


def test_no_marker_is_needed_where_files_settle():
    assert Marker.parse("settled") is None


@pytest.mark.parametrize("text", ["", "done", "{name}", "{stem}", "{name}{stem}.x", "{day}.x", "x/{name}", "{name}{x}"])
def test_what_is_no_pattern_is_told(text):
    with pytest.raises(MarkerError, match="marker"):
        Marker.parse(text)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("8", ""),
        ("rows=8", ""),
        ("customers.txt|20261124|8\r\n", ""),
        ("19", "it has 8 rows, and its marker says 19"),
        ("8.5", "no number"),
        ("", "no number"),
    ],
)
def test_a_count_is_compared(said, problem):
    found = marker("{stem}.ctl rows").find_number_problem(said, {8})
    assert problem in found
    assert bool(found) == bool(problem)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (SUM, True),
        (f"{SUM.upper()}  a.txt\n", True),
        (f"{OTHER}  b.txt\n{SUM} *a.txt\n", True),
        (f"{SUM}  b.txt\n{OTHER} *a.txt\n", False),
        (OTHER, False),
        (f"{SUM}00", False),
        ("", False),
    ],
)
def test_a_checksum_is_compared(said, fits):
    assert (marker("{name}.sha256 sha256").find_checksum_problem(said, "a.txt", SUM) == "") is fits
