"""Issues are capped by code; counts and rejects are not."""

import json
from collections import Counter

import pytest

from imports.describing import write_receipt
from imports.formats.spec import Dialect
from imports.pipeline import issues
from imports.pipeline.checking import Checker
from tests.imports.customer_files import NEW, SHIPPING, as_text
from tests.imports.formats.test_spec import column, spec

HEADER = "customer_code|profile_name|price_type_currency|price_type_name|website"


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(issues, "MOST_OF_A_CODE", 5)


@pytest.fixture
def junk(few, send):
    rows = [f"J{number}|Junk|EUR|EU Wholesale|?" for number in range(30)] + ["|Nobody|EUR|EU Wholesale|"] * 12
    rows += ["C1|Harbor Row|EUR|EU Wholesale|", "J0|only"]
    return send.text("\n".join([HEADER, *rows, ""]), rejects=send.folder / "rejects.txt")


def test_a_run_keeps_so_many_issues_of_a_code_and_counts_the_rest(junk):
    assert (junk.created, junk.rejected, junk.rows_rejected) == (1, 30, 12)
    kept = {code: junk.issues.filter(code=code, more=0).count() for code in ("invalid_website", "required")}
    assert kept == {"invalid_website": 5, "required": 5}
    more = {issue.code: issue for issue in junk.issues.exclude(more=0)}
    assert {code: issue.more for code, issue in more.items()} == {"invalid_website": 25, "required": 7}
    assert more["required"].line is None
    assert more["invalid_website"].message.startswith("25 more like this; the first 5 are listed.")


def test_every_rejected_row_has_its_reason_all_the_same(junk, send):
    header, *rows = [line.split("|") for line in (send.folder / "rejects.txt").read_text().splitlines()]
    code = header.index("_code")
    assert len(rows) == 43
    assert [row[code] for row in rows[:30]] == ["invalid_website"] * 30
    assert [row[code] for row in rows[30:42]] == ["required"] * 12
    assert rows[42][code] == "wrong_number_of_cells"
    again = send.bytes((send.folder / "rejects.txt").read_bytes())
    assert (again.rejected, again.rows_rejected) == (30, 12)


def test_the_receipt_says_how_many_were_found(junk):
    receipt = json.loads(write_receipt(junk))
    assert receipt["issues_found"] == 43
    assert len(receipt["issues"]) == 13
    assert sorted(issue["more"] for issue in receipt["issues"])[-2:] == [7, 25]


def test_a_run_keeps_its_issues_in_groups_that_count_what_is_not_kept(junk):
    junk.refresh_from_db()
    groups = [(group["code"], group["issues"], group["customers"], group["has_more"]) for group in junk.issue_groups]
    assert groups == [
        ("invalid_website", 30, 5, True), ("wrong_number_of_cells", 1, 1, False), ("required", 12, 0, True),
    ]  # fmt: skip
    first = junk.issue_groups[0]
    assert (first["line"], first["column"], first["value"], first["customer_code"]) == (2, "website", "?", "J0")
    assert junk.issues.get(pk=first["issue"]).message == first["message"]


def test_a_file_that_is_refused_as_a_whole_has_its_groups_too(send):
    run = send.text("profile_name\nHarbor Row\n")
    run.refresh_from_db()
    assert [(group["code"], group["customers"]) for group in run.issue_groups] == [(run.issues.get().code, 0)]
    assert send(NEW).issue_groups == []


def test_reasons_without_a_header_are_complete_too(few, send):
    format_ = spec(
        *(column(name, place) for place, name in enumerate(("customer_code", "profile_name", "website"), 1)),
        dialect=Dialect(has_header=False, width=3),
    )
    rejects = send.folder / "rejects.txt"
    send.text("".join(f"J{number}|Junk|?\n" for number in range(9)) + "|no|\n", format_, rejects=rejects)
    reasons = (send.folder / "rejects.txt.reasons.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in reasons] == ["_line", *map(str, range(1, 11))]


def test_fewer_issues_are_all_kept(few, send):
    run = send.text(as_text([NEW | {"customer_code": f"J{number}", "website": "?"} for number in range(5)]))
    assert (run.issues.count(), run.issues.exclude(more=0).count()) == (5, 0)


def test_a_customer_with_many_bad_rows_keeps_few_problems_and_loses_none(send, monkeypatch):
    """Problems of rows, of what stands in no list, and warnings of a customer that is accepted."""
    kept = []
    note = Checker._note

    def watch(checker, problems):
        kept.append(len(problems))
        note(checker, problems)

    monkeypatch.setattr(Checker, "_note", watch)
    for module in ("files.customers", "pipeline.examining"):
        monkeypatch.setattr(f"imports.{module}.MOST_PROBLEMS", 10)
    bad = [NEW | {"website": "?", "warehouse_code": f"X{number}"} for number in range(40)]
    repeated = [NEW | SHIPPING | {"customer_code": "C2"}] * 40
    rejects = send.folder / "rejects.txt"
    run = send(*bad, *repeated, rejects=rejects)
    found = Counter(run.issues.values_list("customer_code", "code"))
    assert found == {("C1", "invalid_website"): 40, ("C1", "unknown_lookup"): 40, ("C2", "repeated_address"): 39}
    assert (run.created, run.rejected) == (1, 1)
    assert max(kept) <= 20
    assert rejects.read_text().count("invalid_website") == rejects.read_text().count("unknown_lookup") == 40
