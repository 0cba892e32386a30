"""Masks of lines, and footers that count."""

import pytest

from imports.formats.masks import Footer, compile_masks, write_footer
from imports.formats.policies import FormatError
from imports.formats.spec import Dialect, FormatSpec
from tests.imports.formats.test_spec import column


@pytest.mark.parametrize(
    ("mask", "line", "matches"),
    [
        ("---*", "-----\r\n", True),
        ("---*", "  ---  ", True),
        ("---*", "-- -", False),
        ("Page ?", "Page 1", True),
        ("Page ?", "Page 12", False),
        ("*Page*of*", "ACME  Page 3 of 9 (end)", True),
        ("[Page *]", "[Page 3]", True),
        ("[Page *]", "P", False),
        ("# é?", "# éé", True),
        ("a.c", "abc", False),
        ("#*", "\ufeff# exported", True),
    ],
)
def test_a_mask_is_compared_with_the_whole_line(mask, line, matches):
    ignores = compile_masks(("nothing like it", mask))
    assert ignores is not None
    assert ignores(line.encode()) is matches


def test_no_masks_ignore_nothing():
    assert compile_masks(()) is None


@pytest.mark.parametrize(
    ("mask", "line", "counts"),
    [
        ("T|{rows}", "T|000019", {"rows": 19}),
        ("T|{rows}", "T|x", {}),
        ("T|{rows}", "T|1 9", {}),
        ("Total: {customers}", "  Total: 1,234\n", {"customers": 1234}),
        ("Total:*{customers}", "Total:    1.234.567", {"customers": 1234567}),
        ("Total {customers}*", "Total 12\u00a0345 Kunden", {"customers": 12345}),
        ("*{rows}*", "Total: 19 of 26.11.2026", {"rows": 19}),
        ("T|{rows}|{customers}", "T|12|008", {"rows": 12, "customers": 8}),
        ("{customers} customers?", "5 customers.", {"customers": 5}),
        ("*T*{rows} of *{customers}", "A T T 12 of all, 1,234", {"rows": 12, "customers": 1234}),
    ],
)
def test_a_footer_counts(mask, line, counts):
    footer = Footer(Dialect(footer=mask))
    assert (footer.matches(line), footer.read_counts(line)) == (bool(counts), counts)


def test_the_delimiter_is_no_part_of_a_number():
    assert Footer(Dialect(footer="T,{rows},*", delimiter=",")).read_counts("T,19,123,x") == {"rows": 19}


def test_spaces_around_a_count_are_no_part_of_it():
    footer = Footer(Dialect(footer="T|{rows}|{customers}"))
    assert footer.read_counts("T|   19|  7  ") == {"rows": 19, "customers": 7}
    assert footer.recount("T|   19|  7  ", {"rows": 20, "customers": 8}) == "T|   20|  8  "


@pytest.mark.parametrize(
    ("mask", "line", "recounted"),
    [
        ("T|{rows}", "T|000019\r\n", "T|000007\r\n"),
        ("T|{rows}", "T|19", "T|7"),
        ("{customers} of {rows}", " 12 of 090 ", " 5 of 007 "),
        ("END*", "END 12\n", "END 12\n"),
        ("END {rows}", "other 12\n", "other 12\n"),
        ("T|{rows}", '"T"|"0019"\n', '"T"|"0007"\n'),
        ("T|{rows}", "T|19||\n", "T|7||\n"),
    ],
)
def test_a_footer_is_counted_anew(mask, line, recounted):
    assert Footer(Dialect(footer=mask)).recount(line, {"rows": 7, "customers": 5}) == recounted


@pytest.mark.parametrize(
    ("mask", "line", "matches"),
    [
        ("Total: *", '"Total: 3"', True),
        ("Total: {rows}", '"Total: 3"', True),
        ("Total: {rows}", ' "Total: 3"\r\n', True),
        ("T|{rows}|*", '"T"|"3"|""', True),
        ("T|*", '"T"|"3"|"x, y"', True),
        ("TRAILER", '"TRAILER"', True),
        ("Total: {rows}", "Total: 3|||", True),
        ("Total: {rows}", '"Total: 3"|""|', True),
        ("T|{rows}", "T|3| | ", True),
        ("Total: {rows}", "Total: 3|x", False),
        ('"T"|*', '"T"|"3"', True),
        ("Total: *", '"Total: 3', False),
        ("T*", '"T100"|Harbor', False),
        ("T|{rows}", '"T"|"x"', False),
    ],
)
def test_a_mask_matches_a_line_of_quoted_cells_and_one_with_blank_cells_behind_it(mask, line, matches):
    footer = Footer(Dialect(footer=mask))
    assert footer.matches_loosely(line) is matches
    assert footer.matches(line) is (matches and '"' in mask)
    assert not Footer(Dialect(footer="X*", quotechar=None)).matches_loosely(line)


@pytest.mark.parametrize(
    ("mask", "line"),
    [
        ("END", "x" + "\t" * 60_000 + "y"),
        ("END", "x" + "\t" * 60_000 + '"'),
        ("*a*a*a*a*a*b", "a" * 60_000),
        ("END*{rows}*", "END" + " " * 60_000 + "x"),
        ("*{rows}*{customers}*x", "1,234" + ",234" * 15_000),
        ("*{rows}*{customers}*x", "1 " * 30_000),
    ],
)
def test_no_line_keeps_a_footer_busy(mask, line):
    """Each would take hours where what a mask leaves open is tried in every way."""
    footer = Footer(Dialect(footer=mask, delimiter="\t"))
    assert not footer.matches_loosely(line)
    assert footer.read_counts(line) == {}


def test_a_footer_is_written_with_its_counts():
    assert write_footer("T|{rows}|{customers}*", {"rows": 7, "customers": 5}) == "T|7|5*"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"footer": "T|{lines}"}, "can count {rows} and {customers}, not {lines}"),
        ({"footer": "{rows}|{rows}"}, "once each"),
        ({"footer": "{rows}{customers}"}, "something between"),
        ({"ignore_lines": ("*", "---*")}, "matches every line"),
        ({"ignore_lines": ("Page {rows}",)}, "Only the footer counts"),
    ],
)
def test_a_mask_that_cannot_work_is_refused(settings, message):
    with pytest.raises(FormatError, match=message):
        Dialect(**settings)


def test_a_mask_may_not_match_the_approved_header():
    columns = (column("customer_code", "Nr"),)
    with pytest.raises(FormatError, match="would never be found"):
        FormatSpec("erp", Dialect(ignore_lines=("Nr*",)), columns, header=("Nr", "Name"))
