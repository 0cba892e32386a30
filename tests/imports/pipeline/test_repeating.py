"""Warnings that many customers have are said once for a column."""

import json

from imports.describing import write_receipt
from imports.errors import Problem
from imports.pipeline.repeating import Repeated
from tests.imports.customer_files import NEW


def warning(line, field="alias", code="word_for_nothing", **values):
    return Problem(code=code, message="Said.", severity="warning", line=line, column=field, field=field, **values)


def test_the_first_warning_of_a_column_counts_the_others():
    repeated = Repeated()
    assert repeated.sift([warning(9), warning(5), warning(5, "city"), warning(3, code="encoded_twice")]) == []
    repeated.sift([warning(7)])
    assert [(problem.line, problem.field, problem.code, problem.more) for problem in repeated] == [
        (5, "alias", "word_for_nothing", 2),
        (5, "city", "word_for_nothing", 0),
        (3, "alias", "encoded_twice", 0),
    ]
    said = {problem.more: problem.message for problem in repeated}
    assert said == {2: "Said. The column has 2 more like this, of this customer or others.", 0: "Said."}


def test_the_customer_is_named_where_it_is_the_only_one():
    repeated = Repeated()
    repeated.sift([warning(1, customer_code="C1"), warning(1, "city", customer_code="C1")])
    repeated.sift([warning(2, customer_code="C2")])
    assert [problem.customer_code for problem in repeated] == ["", "C1"]


def test_errors_and_other_warnings_are_said_each():
    problems = [warning(1, code="near_key"), Problem(code="control_character", message="Said.", line=2)]
    repeated = Repeated()
    assert repeated.sift(problems) == problems
    assert list(repeated) == []


def test_a_file_of_many_customers_warns_once_of_each_column(send):
    rows = [
        NEW
        | {"customer_code": f"C{number}", "customer_alias": "-", "alternate_name": "CafÃ©", "shipping_zip": "N/A"}
        | {"shipping_code": "S1", "shipping_country": "FR", "shipping_city": "a\x07b", "payment_terms_code": "NULL"}
        for number in range(12)
    ]
    run = send(*rows)
    assert (run.status, run.created) == ("succeeded", 12)
    issues = list(run.issues.order_by("field").values_list("line", "field", "code", "more"))
    assert issues == [
        (2, "alternate_name", "encoded_twice", 11),
        (2, "customer_alias", "word_for_nothing", 11),
        (2, "payment_terms_code_1", "word_for_nothing", 11),
        (2, "shipping_city_1", "control_character", 11),
        (2, "shipping_zip_1", "word_for_nothing", 11),
    ]
    receipt = json.loads(write_receipt(run))
    assert (receipt["issues_found"], [issue["more"] for issue in receipt["issues"]]) == (60, [11] * 5)
