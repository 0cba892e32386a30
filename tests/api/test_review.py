"""The API of the review: what waits, what it may duplicate, and decisions about many."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.matching.finding import look_for_duplicates
from connections.models import Change, Connection
from tests.builders import ELM, make_change, make_connection

PATH = "accounts/maison/review/"


@pytest.fixture
def waiting(world):
    """Two that wait, of which the second may be the approved C1."""
    make_connection(world.maison, "C1", profile_name="Elm Street Outfitters", addresses=[ELM])
    make_connection(world.maison, "C2", profile_name="Oak Supplies", status="pending")
    twin = make_connection(world.maison, "C3", profile_name="Elm St Outfiters", addresses=[ELM], status="pending")
    make_change(twin, run_id=7, line=12)
    look_for_duplicates(world.maison.pk)
    return twin


def decide(program, *decisions):
    return program("post", PATH, {"decisions": list(decisions)})


def outcomes(answer):
    return [(each["customer_code"], each["outcome"], each["status"]) for each in answer.json()["results"]]


def test_the_queue_tells_what_each_may_duplicate_and_where_it_came_from(world, waiting):
    first, second = world.vera("get", PATH).json()["results"]
    assert (first["customer_code"], first["suggestions"], first["run"]) == ("C2", [], None)
    assert (second["customer_code"], second["run"], second["line"]) == ("C3", 7, 12)
    (suggestion,) = second["suggestions"]
    assert (suggestion["customer_code"], suggestion["status"], suggestion["duplicate_of"]) == ("C1", "approved", None)
    assert suggestion["score"] > 0.5
    assert suggestion["reasons"] == ["names nearly alike", "same address"]
    assert not second["is_overdue"]


def test_the_queue_tells_until_when_a_review_is_due(world, waiting):
    world.maison.review_hours = 24
    world.maison.save()
    Connection.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(hours=25))
    overdue, due = (world.rosa("get", f"{PATH}?overdue={value}").json()["results"] for value in ("true", "false"))
    assert [each["customer_code"] for each in overdue] == ["C3"]
    assert [each["customer_code"] for each in due] == ["C2"]
    assert overdue[0]["is_overdue"]


def test_the_queue_is_asked_for_those_that_are_like_others(world, waiting):
    for value, code in (("true", "C3"), ("false", "C2")):
        found = world.rosa("get", f"{PATH}?similar={value}").json()["results"]
        assert [each["customer_code"] for each in found] == [code]


def test_the_queue_takes_a_fixed_number_of_queries(world, waiting, django_assert_max_num_queries):
    for number in range(20):
        make_connection(world.maison, f"N{number}", status="pending")
    with django_assert_max_num_queries(14):
        assert len(world.rosa("get", PATH).json()["results"]) == 22


def test_many_are_decided_at_once_and_each_has_its_outcome(world, waiting):
    answer = decide(
        world.rosa,
        {"customer_code": "C3", "decision": "reject", "duplicate_of": "C1", "note": "Entered twice."},
        {"customer_code": "C2", "decision": "approve"},
        {"customer_code": "C9", "decision": "approve"},
        {"customer_code": "C1", "decision": "approve"},
    )
    assert answer.status_code == 200
    assert outcomes(answer) == [
        ("C3", "decided", "rejected"),
        ("C2", "decided", "approved"),
        ("C9", "refused", None),
        ("C1", "unchanged", "approved"),
    ]
    assert answer.json()["results"][0]["duplicate_of"] == "C1"
    assert answer.json()["results"][2]["problem"] == "The account has no connection 'C9'."
    waiting.refresh_from_db()
    assert waiting.review_note == "Entered twice."


def test_one_that_is_refused_keeps_none_of_the_others_back(world, waiting):
    make_connection(world.maison, "C4", status="rejected", duplicate_of=Connection.objects.get(customer_code="C1"))
    answer = decide(world.rosa, *({"customer_code": code, "decision": "reject"} for code in ("C1", "C2", "C4")))
    assert outcomes(answer) == [
        ("C1", "refused", "approved"),
        ("C2", "decided", "rejected"),
        ("C4", "unchanged", "rejected"),
    ]
    assert "stands for its duplicates C4" in answer.json()["results"][0]["problem"]


def test_a_duplicate_of_an_unknown_one_is_refused(world, waiting):
    decision = {"customer_code": "C3", "decision": "reject", "duplicate_of": "nowhere"}
    (result,) = decide(world.rosa, decision).json()["results"]
    assert (result["outcome"], result["problem"]) == ("refused", "The account has no connection 'nowhere'.")


def test_decisions_are_taken_back(world, waiting):
    decide(world.rosa, {"customer_code": "C3", "decision": "reject", "duplicate_of": "C1"})
    assert outcomes(decide(world.rosa, {"customer_code": "C3", "decision": "reopen"})) == [("C3", "decided", "pending")]
    rejected = world.rosa("post", f"accounts/maison/connections/{waiting.pk}/reject/", {"note": "No shop."})
    assert (rejected.json()["status"], rejected.json()["review_note"]) == ("rejected", "No shop.")
    reopened = world.rosa("post", f"accounts/maison/connections/{waiting.pk}/reopen/", {"note": "Or is it?"})
    assert (reopened.json()["status"], reopened.json()["review_note"]) == ("pending", "Or is it?")


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        [{"customer_code": "C2", "decision": "approve"}, {"customer_code": "C2", "decision": "reject"}],
        [{"customer_code": "C2", "decision": "approve", "duplicate_of": "C1"}],
        [{"customer_code": "C2", "decision": "keep"}],
        [{"customer_code": "C2", "decision": "approve", "note": "x" * 501}],
        [{"customer_code": "C2"}],
    ],
)
def test_decisions_that_make_no_sense_are_refused_before_any_is_taken(world, waiting, decisions):
    assert decide(world.rosa, *decisions).status_code == 400
    assert not Change.objects.filter(field="status").exists()


def test_a_request_that_is_repeated_is_done_once(world, waiting):
    body = {"decisions": [{"customer_code": "C2", "decision": "approve"}]}
    answers = [world.rosa("post", PATH, body, Idempotency_Key="1") for _ in range(2)]
    assert outcomes(answers[0]) == outcomes(answers[1]) == [("C2", "decided", "approved")]


def test_who_may_only_look_or_nothing_decides_nothing(world, waiting):
    decision = {"customer_code": "C2", "decision": "approve"}
    assert decide(world.vera, decision).status_code == 403
    assert decide(world.luc, decision).status_code == 404
    assert world.luc("get", PATH).status_code == 404


def test_an_editor_chooses_how_new_connections_are_reviewed(world):
    chosen = {"auto_approval": "nothing_similar", "review_hours": 24}
    answer = world.rosa("patch", "accounts/maison/", chosen)
    assert {name: answer.json()[name] for name in chosen} == chosen
    for wrong in ({"auto_approval": "sometimes"}, {"review_hours": 0}, {"review_hours": 9000}, {"auto_approve": True}):
        assert world.rosa("patch", "accounts/maison/", wrong).status_code == 400
    assert world.vera("patch", "accounts/maison/", chosen).status_code == 403
