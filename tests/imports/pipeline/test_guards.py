"""Which files a person must look at first."""

import pytest

from imports.formats.policies import EncodedTwice
from tests.imports.customer_files import NEW, SHIPPING, issues_of
from tests.imports.formats.test_spec import column, spec


def send_encoded_twice(send, count, format_, **options):
    names = [f"Café N°{number}".encode().decode("cp1252") if number < count else "Elm" for number in range(6)]
    rows = [f"C{number}|{name}|{name}" for number, name in enumerate(names)]
    return send.text("customer_code|profile_name|customer_alias\n" + "\n".join([*rows, ""]), format_, **options)


def test_a_file_of_which_several_customers_are_encoded_twice_is_held(send):
    format_ = spec(column("customer_alias"))
    run = send_encoded_twice(send, 4, format_)
    assert (run.status, run.held_for, run.created) == ("held", "encoded_twice", 4 + 2)
    assert "The texts of 4 customers look as if they had been encoded twice" in run.message
    assert issues_of(run) == [(2, "customer_alias", "encoded_twice")]
    assert run.issues.get().more == 3
    assert "'Café N°0' may be meant" in run.issues.first().message
    assert send_encoded_twice(send, 4, spec(column("customer_alias"), encoded_twice=EncodedTwice.WARN)).created == 6
    again = send_encoded_twice(send, 4, format_)
    assert (again.status, again.updated) == ("succeeded", 0)  # nothing of it is new


def test_a_few_customers_encoded_twice_are_warnings(send):
    format_ = spec(column("customer_alias"))
    run = send_encoded_twice(send, 3, format_, dry_run=True)
    assert (run.status, run.issues.get().more) == ("succeeded", 2)
    ignoring = spec(column("customer_alias"), encoded_twice=EncodedTwice.IGNORE)
    assert send_encoded_twice(send, 6, ignoring, dry_run=True).issues.count() == 0


NAMES = ["Harbor", "Elm", "Oak", "Quince", "Lumen", "Fjord", "Moss", "Sage", "Olive", "Pebble"]


def customers(count=10):
    """Customers with what is their own, and a group that they share."""
    return [
        NEW | SHIPPING | {
            "customer_code": f"K{number}", "profile_name": name, "website": f"https://{name.lower()}.example",
            "customer_group_code": ("DEPT", "IND")[number % 2], "address_type": "",
            "shipping_address_1": f"{number} Quay", "shipping_city": f"{name}ville",
            "shipping_phone": f"555 01{number}", "billing_code": "B1", "billing_country": "FR",
            "billing_address_1": f"{number} Hill", "buyer_name": f"Ann {name}",
            "buyer_email": f"ann@{name.lower()}.example",
        }
        for number, name in enumerate(NAMES[:count])
    ]  # fmt: skip


def lower(rows, *fields):
    """The columns pasted one row lower, with the last cell at the top."""
    return [row | {name: before[name] for name in fields} for row, before in zip(rows, rows[-1:] + rows, strict=False)]


def exchange(rows, first, second):
    return [row | {first: row[second], second: row[first]} for row in rows]


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (
            lambda rows: lower(rows, "profile_name"),
            "profile_name of 10 customers would become what other ones had: 'K0' from 'Harbor' to 'Pebble', 'K1' from "
            "'Elm' to 'Harbor'. A column seems to be sorted",
        ),
        (lambda rows: lower(rows[:5], "shipping_phone"), "shipping_phone of 5 customers would become"),
        (lambda rows: rows[:4] + lower(rows[4:], "billing_address_1"), "billing_address_1 of 6 customers would become"),
        (lambda rows: lower(rows, "buyer_name"), "buyer_name of 10 customers would become"),
        (
            lambda rows: lower(rows, "website", "shipping_address_1", "shipping_city", "shipping_phone"),
            "website of 10 customers would become what other ones had: 'K0' from 'https://harbor.example' to "
            "'https://pebble.example', 'K1' from 'https://elm.example' to 'https://harbor.example'. shipping_address_1",
        ),
        (
            lambda rows: lower(rows, "buyer_email", "buyer_name"),
            "10 of 10 customers with new buyers would get the buyer of another one: 'K0' gets 'ann@pebble.example' of "
            "'K9', 'K1' gets",
        ),
        (lambda rows: lower(rows, "customer_code"), "more like these: it may be the codes."),
        (
            lambda rows: exchange(rows, "shipping_address_1", "shipping_city"),
            "shipping_address_1 and shipping_city of 10 customers would change places: 'K0' from '0 Quay' to "
            "'Harborville'",
        ),
        (
            lambda rows: exchange(rows, "customer_code", "profile_name"),
            "10 of 10 new customers bear the code of another one as their name: 'Harbor' is called 'K0', the code of "
            "'Harbor', 'Elm' is called",
        ),
    ],
)
def test_a_file_whose_columns_slipped_is_held(send, slip, said):
    rows = customers()
    send(*rows)
    run = send(*slip(rows))
    assert (run.status, run.held_for) == ("held", "shifted")
    assert said in run.message
    assert send.customer("K1")["profile_name"] == "Elm"


def honest_changes(rows):
    """What business brings, each as files that follow each other."""
    headquarters = {name: rows[0][name] for name in rows[0] if name.startswith("billing")}
    others = {"DEPT": "IND", "IND": "DEPT"}
    stores = [row | {"billing_code": "", "billing_country": "", "billing_address_1": ""} for row in rows]
    depots = [row | {"shipping_code": "S2", "shipping_address_1": f"{row['customer_code']} Pier"} for row in stores]
    yield [row | {"customer_group_code": others[row["customer_group_code"]]} for row in rows]
    yield [row | {"profile_name": row["profile_name"].upper()} for row in rows]
    yield [row | {"customer_alias": row["profile_name"]} for row in rows]
    yield [row | headquarters for row in rows]
    for turn in (0, 1):
        yield [row | {"customer_alias": f"Agent {(place + turn) % 4}"} for place, row in enumerate(rows)]
    yield [row | {"buyer_email": "agent@oak.example", "buyer_name": "Agent"} for row in rows]
    for place in (0, 1):  # the other shop of an owner, and a third one
        owners = [rows[at ^ 1 if place == 0 or at < 4 else 0] for at in range(len(rows))]
        people = [{name: owner[name] for name in ("buyer_email", "buyer_name")} for owner in owners]
        yield [row | person for row, person in zip(rows, people, strict=True)]
    yield lower(rows[:4], "profile_name", "shipping_address_1")
    yield rows
    yield stores + depots
    yield [row | {"shipping_code": "S2"} for row in stores] + [row | {"shipping_code": "S1"} for row in depots]
    yield [row | {"shipping_city": row["billing_address_1"]} for row in rows]


def test_values_that_several_customers_had_may_move_among_them(send):
    rows = [NEW | {"customer_code": f"K{number}", "customer_alias": f"Agent {number % 12}"} for number in range(24)]
    send(*rows)
    run = send(*(row | {"customer_alias": f"Agent {(number * 5 + 1) % 12}"} for number, row in enumerate(rows)))
    assert (run.status, run.updated) == ("succeeded", 24), run.message


def test_values_that_move_among_customers_as_business_goes_hold_nothing(send):
    rows = customers()
    send(*rows)
    for place, changed in enumerate(honest_changes(rows)):
        run = send(*changed)
        assert (run.status, run.rejected, run.updated > 0) == ("succeeded", 0, True), (place, run.message)
