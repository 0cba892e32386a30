"""New codes that look like known ones, or like each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.models import Change, Connection
from imports.files.codes import Codes
from imports.formats.policies import Policies
from imports.formats.spec import STANDARD
from imports.pipeline.comparing import find_near_keys
from tests.builders import add_lookups, make_account, make_connection
from tests.imports.customer_files import NEW, Sender
from tests.imports.mangling import CODES, mangled


def rows_of(codes):
    return [NEW | {"customer_code": code} for code in codes]


def near_keys(run):
    return dict(run.issues.filter(code="near_key").values_list("customer_code", "message"))


def test_a_new_code_that_looks_like_a_known_one_warns_and_names_it(send):
    send(*rows_of(["00123", "10017"]))
    run = send(*rows_of(["10017", "123", "10017.0", "200"]))
    assert (run.status, run.created) == ("succeeded", 3)
    assert near_keys(run) == {
        "123": "'123' is new, but the account has '00123', which differs only in leading zeros. "
        "Send the code as the account has it if they are one customer.",
        "10017.0": "'10017.0' is new, but the account has '10017', which differs only in zeros behind a decimal point. "
        "Send the code as the account has it if they are one customer.",
    }
    issue = run.issues.get(customer_code="123")
    assert (issue.line, issue.column, issue.field, issue.value) == (3, "customer_code", "customer_code", "123")
    assert issue.severity == "warning"
    assert not send(*rows_of(["10017", "123", "10017.0", "200"])).issues.exists(), "known by now"


def test_new_codes_that_programs_made_of_known_ones_are_told(send):
    """What each is made of, `tests/connections/test_mangled_codes.py` says."""
    send(*rows_of(["1-2", "MAR-10", "MÜLLER", "A&B", "42", "-55", "Ñandú", "GÖTZ", "MULLE"]))
    made = {
        "02-Jan": "'1-2', which differs only in the form of a date",
        "10-Mar": "'MAR-10', which differs only in the form of a date",
        "MULLER": "'MÜLLER', which differs only in accents",
        "MUELLER": "'MÜLLER', which differs only in accents",
        "M?LLER": "'MÜLLER', which differs only in letters that a program did not have",
        "MÃœLLER": "'MÜLLER', which differs only in its encoding",
        "MÜLLE": "'MULLE', which differs only in accents",
        "A&amp;B": "'A&B', which differs only in signs written as HTML",
        "42.000": "'42', which differs only in zeros behind a decimal point",
        "(55)": "'-55', which differs only in the place of its minus",
        "#42": "'42', which differs only in marks around it",
    }
    told = near_keys(send(*rows_of([*made, "GÄTZ", "MÖLLER", "MAR-11", "2-3"])))
    assert "so is that of line 6: 'M?LLER'" in told.pop("MÖLLER")
    assert {code: message.split("the account has ")[1].split(". ")[0] for code, message in told.items()} == made


def test_a_new_address_whose_code_looks_like_another_of_the_customer_warns(send):
    def row(kind, code):
        return NEW | {"address_type": kind, "address_code": code, "address_country": "FR"}

    send(row("S", "007"), row("B", "A1"))
    run = send(row("S", "7"), row("S", "7.0"), row("B", "a1"), row("B", "7"), row("S", "A1"))
    told = run.issues.filter(code="near_address").order_by("line")
    assert [(issue.line, issue.field, issue.value, issue.severity) for issue in told] == [
        (2, "address_code_1", "7", "warning"),
        (3, "address_code_1", "7.0", "warning"),
        (4, "address_code_1", "a1", "warning"),
    ]
    assert told[0].message == (
        "address_code_1 '7' is new, but the customer has '007', which differs only in leading zeros. "
        "Send the code as it was if they are one address."
    )
    assert not send(row("S", "7"), row("B", "a1")).issues.exists(), "known by now"


def test_a_new_address_that_stands_where_one_does_that_the_file_leaves_out_warns(send):
    def row(code, street="12 Quai Nord", floor=""):
        place = {"shipping_address_1": street, "shipping_address_2": floor, "shipping_city": "Rouen"}
        return NEW | {"shipping_code": code, "shipping_country": "FR"} | place

    send(row("PARIS"))
    (issue,) = send(row("0001", "12 QUAI NORD"), dry_run=True).issues.all()
    assert (issue.line, issue.field, issue.code, issue.severity) == (2, "shipping_code_1", "near_address", "warning")
    assert issue.message == (
        "shipping_code_1 '0001' is new, but the customer has 'PARIS' with the same name and place, which the file does "
        "not mention. Send the code as it was if they are one address."
    )
    for others in ([row("0001", floor="Dock B")], [row("0001", "9 Pier")], [row("0001", ""), row("2", "")]):
        assert not send(*others, dry_run=True).issues.exists()
    assert not send(row("PARIS"), row("0001"), dry_run=True).issues.exists(), "the file has both"


def test_a_rejected_code_that_looks_like_a_known_one_tells_what_it_may_have_meant(send):
    send(*rows_of(["00123"]))
    run = send({"customer_code": "123", "customer_alias": "x"})
    assert run.status == "rejected"
    assert "'00123'" in near_keys(run)["123"]


def test_new_codes_of_one_file_that_look_alike_warn_of_each_other(send, monkeypatch):
    monkeypatch.setattr("imports.pipeline.importing.BATCH", 1)
    monkeypatch.setattr("imports.pipeline.comparing.ASKED_AT_ONCE", 1)
    run = send(*rows_of(["ab1", "C2", "AB1", "Ab1", "É1", "é1", "c3", "C4", "007", "7"]))
    assert {code: message.split(". ")[0] for code, message in near_keys(run).items()} == {
        "ab1": "'ab1' is new, and so is that of line 4: 'AB1', which differs only in case",
        "AB1": "'AB1' is new, and so is that of line 2: 'ab1', which differs only in case",
        "Ab1": "'Ab1' is new, and so is that of line 2: 'ab1', which differs only in case",
        "É1": "'É1' is new, and so is that of line 7: 'é1', which differs only in case",
        "é1": "'é1' is new, and so is that of line 6: 'É1', which differs only in case",
        "007": "'007' is new, and so is that of line 11: '7', which differs only in leading zeros",
        "7": "'7' is new, and so is that of line 10: '007', which differs only in leading zeros",
    }
    assert (run.status, run.created) == ("succeeded", 10)
    run = send({"customer_code": "ab1", "customer_alias": "x"}, *rows_of(["aB1", "AB1", "0 7"]))
    assert near_keys(run).keys() == {"aB1", "0 7"}
    assert "'AB1'" in near_keys(run)["aB1"]
    assert "'Ab1'" in near_keys(run)["aB1"]
    assert "'ab1'" in near_keys(run)["aB1"]
    assert "'007', which differs only in spaces and leading zeros, and '7'" in near_keys(run)["0 7"]


def test_customers_of_other_accounts_do_not_count(send):
    make_connection(make_account("atelier"), "00123")
    assert not near_keys(send(*rows_of(["123"])))


def test_of_many_that_look_alike_those_that_are_not_rejected_are_named(send, account):
    for code, status in [("7", "rejected"), ("07", "approved"), ("007", "approved"), ("0007", "pending")]:
        make_connection(account, code, status=status)
    message = near_keys(send(*rows_of(["00007"])))["00007"]
    assert [code in message for code in ("'7'", "'07'", "'007'", "'0007'")] == [False, True, True, True]
    assert "and 1 more." in message


def test_a_connection_that_the_release_before_added_during_an_upgrade_is_found(send, account):
    make_connection(account, "00123")
    Connection.objects.update(near_key="")
    assert "'00123'" in near_keys(send(*rows_of(["123"])))["123"]


def test_every_way_in_stores_the_near_key(send, account):
    send(*rows_of(["00AB"]))
    make_connection(account, "00CD")
    assert set(Connection.objects.values_list("near_key", flat=True)) == {"ab", "cd"}


# The limit


def limited(percent):
    return replace(STANDARD, policies=Policies(max_near_key_percent=percent))


@pytest.mark.parametrize(
    ("percent", "near", "others", "is_held"),
    [(5, 3, 0, True), (5, 2, 0, False), (5, 3, 56, True), (5, 3, 57, False), (None, 5, 0, False), (0, 3, 900, True),
     (100, 5, 0, False)],
)  # fmt: skip
def test_a_file_with_many_near_keys_is_held(send, percent, near, others, is_held):
    send(*rows_of(f"00{number}" for number in range(1001, 1006)))
    rows = rows_of([*(str(number) for number in range(1001, 1001 + near)), *(f"N{n}" for n in range(others)), "001005"])
    run = send(*rows, spec=limited(percent))
    assert (run.status, run.held_for) == (("held", "near_keys") if is_held else ("succeeded", ""))
    assert len(near_keys(run)) == near, "the evidence"
    assert Connection.objects.count() == 5 + (0 if is_held else near + others)
    if is_held:
        assert run.message.startswith(f"{near} of {near + others} new customer codes look like others")
        assert "'1001' like '001001', '1002' like '001002'" in run.message


def test_codes_of_a_first_file_that_look_alike_count_too(send):
    run = send(*rows_of(["A1", "a1", "B2", "b2"]), spec=limited(5))
    assert (run.status, run.held_for) == ("held", "near_keys")
    assert run.message.startswith("4 of 4 new customer codes look like others")
    assert "'A1' like 'a1'" in run.message


def test_a_delta_that_lost_its_zeros_is_held_for_its_codes_and_not_for_its_errors(send):
    send(*rows_of(f"00{number}" for number in range(1001, 1021)))
    spec = replace(STANDARD, policies=Policies(max_near_key_percent=5, max_error_percent=10))
    run = send(*({"customer_code": str(number), "customer_alias": "x"} for number in range(1001, 1021)), spec=spec)
    assert (run.status, run.held_for, run.rejected) == ("held", "near_keys", 20)


# What it costs


def asked_for_near_keys(send, *codes):
    with CaptureQueriesContext(connection) as captured:
        send(*rows_of(codes))
    return [query["sql"] for query in captured if 'near_key" IN' in query["sql"]]


def test_near_keys_are_asked_for_once_a_file_and_only_where_there_can_be_any(send, monkeypatch):
    monkeypatch.setattr("imports.pipeline.importing.BATCH", 2)
    assert asked_for_near_keys(send, "001", "1", "2", "3") == [], "a first load"
    assert asked_for_near_keys(send, "001", "1", "2", "3") == [], "nothing new"
    (query,) = asked_for_near_keys(send, "001", "2", "4", "5", "6", "7")
    assert "'4'" in query
    assert "'2'" not in query, "only for new codes"


@pytest.mark.django_db
def test_of_codes_that_are_unlike_nothing_is_kept():
    near = find_near_keys(0, Codes(["a", "b", "C"]), range(3), any_known=False)
    assert (near.new, near.count, near.known, near.doubles) == (3, 0, {}, {})


# The law


@st.composite
def files(draw):
    """Codes of known customers, and codes of a file, each with the one that it was made of."""
    known = draw(st.lists(CODES, min_size=1, max_size=12, unique=True))
    made: dict[str, str] = {}
    for code in [*known, *draw(st.lists(CODES, max_size=4))]:
        for _ in range(draw(st.integers(1, 3))):
            made.setdefault(draw(mangled(code)), code)
    return known, list(made.items())


@settings(max_examples=8)
@given(file=files())
def test_no_second_customer_comes_without_a_warning_that_names_the_first(db, tmp_path, file):
    known, made = file
    account = make_account(f"maison{Connection.objects.count()}-{Change.objects.count()}")
    add_lookups(account)
    send = Sender(account, tmp_path)
    assert send(*rows_of(known)).created == len(known)
    run = send(*rows_of(cell for cell, _ in made))
    warned, firsts = near_keys(run), {code: code for code in known}
    created = Change.objects.filter(run_id=run.pk, record=Change.Record.CONNECTION, action=Change.Action.CREATED)
    for code, line in created.order_by("line").values_list("customer_code", "line"):
        first = firsts.setdefault(made[(line or 0) - 2][1], code)
        if first != code:
            assert code in warned
            assert first not in known or repr(first) in warned[code] or "more." in warned[code]


def test_new_codes_that_programs_made_of_each_other_are_told(send):
    send(*rows_of(["9876543210987654321"]))
    pairs = [("1-5", "05-Jan"), ("KÖLN", "KOLN"), ("M?LL", "MÜLL"), ("A&amp;B", "A&B"), ("00777", "777")]
    pairs.append(("1234567890123456789", "1234567890123450000"))
    run = send(*rows_of([code for pair in pairs for code in pair] + ["9876543210987650000", "X-1", "Y-1", "ÄÖ", "ÜÖ"]))
    said = near_keys(run)
    assert len(said) == 2 * len(pairs) + 1
    for one, other in pairs:
        assert f" {other!r}, which differs only in" in said[one] and f" {one!r}, which differs only in" in said[other]
    assert "'9876543210987654321', which differs only in the digits behind the fifteenth" in said["9876543210987650000"]


@pytest.mark.parametrize("is_known", [True, False])
def test_address_codes_that_programs_made_of_each_other_warn(send, is_known):
    def rows(codes):
        return [NEW | {"shipping_code": code, "shipping_country": "FR"} for code in codes]

    pairs = {"02-Jan": "1-2", "KOLN": "KÖLN", "A&amp;B": "A&B"}
    if is_known:
        send(*rows(pairs.values()))
    run = send(*rows([*pairs, "X-1", *(() if is_known else pairs.values())]))
    told = {issue.value: issue.message for issue in run.issues.filter(code="near_address")}
    assert len(told) == len(pairs) * (1 if is_known else 2)
    for made, code in pairs.items():
        assert f"{'the customer' if is_known else 'the file also'} has {code!r}, which differs only in" in told[made]
