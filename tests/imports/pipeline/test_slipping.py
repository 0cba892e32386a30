"""Columns of new customers that slipped against the others."""
# ruff: noqa: E501  (a table of customers)

import pytest

from tests.imports.customer_files import NEW

TOWNS = (
    ("Harbor Goods", "Jane Doe", "Portland", "OR", "97205", "US"), ("Lumen Supply", "Rosa Diaz", "Austin", "TX", "78701", "US"),
    ("Fjord Atelier", "Jun Mori", "Newark", "NJ", "07102", "US"), ("Quince House", "Ada Weber", "Chicago", "IL", "60601", "US"),
    ("Velvet Market", "Omar Khan", "Denver", "CO", "80202", "US"), ("Saffron Shop", "Pia Berg", "London", "", "SW1A 1AA", "GB"),
    ("Cobalt Studio", "Tom Rossi", "Toronto", "ON", "M5V 2T6", "CA"), ("Maple Boutique", "Eva Novak", "Amsterdam", "", "1017 AB", "NL"),
    ("Willow Goods", "Max Lind", "Lisboa", "", "1000-001", "PT"), ("Cédar Supply", "Lena Silva", "Dublin", "", "D02 X285", "IE"),
)  # fmt: skip


def customers(count=10):
    rows = []
    for number, (name, person, city, state, code, country) in enumerate(TOWNS[:count]):
        host = name.replace(" ", "").replace("é", "e").lower() + ".example"
        first, last = person.lower().split()
        rows.append(
            NEW | {
                "customer_code": f"K{number}", "profile_name": name, "website": f"www.{host}", "buyer_name": person,
                "buyer_email": f"{first}.{last}@{host}", "shipping_code": f"S{number}", "shipping_city": city,
                "shipping_state": state, "shipping_zip": code, "shipping_country": country,
            }
        )  # fmt: skip
    return rows


def lower(rows, *fields):
    """The columns pasted one row lower, with the last cell at the top."""
    return [row | {name: before[name] for name in fields} for row, before in zip(rows, rows[-1:] + rows, strict=False)]


def said_of(run):
    return list(run.issues.filter(code="slipped_column").values_list("field", "message"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("shipping_state",), "shipping_state and shipping_zip go with other customers in 5 of 5 cases: 'K0' has 'CO'"),
        (
            ("shipping_country",),
            "'K0' has 'IE' with '97205', which is of US; 'K5' has 'US' with 'SW1A 1AA', which is of GB",
        ),
        (("website",), "'K0' has 'https://www.cedarsupply.example', but 'K9' has 'lena.silva@cedarsupply.example'"),
        (("buyer_email",), "buyer_email and buyer_name go with other customers in 10 of 10 cases"),
        (("buyer_name", "buyer_email"), "profile_name and buyer_email go with other customers in 10 of 10 cases"),
        (("profile_name",), "profile_name and website go with other customers in 10 of 10 cases"),
    ],
)
def test_what_slipped_among_new_customers_is_said_with_counts_and_examples(send, fields, said):
    rows = customers(5) if fields == ("shipping_state",) else customers()
    if fields == ("shipping_country",):
        for row in rows:
            row["shipping_state"] = row["shipping_state"] or "ON"
    run = send(*lower(rows, *fields), dry_run=True)
    assert any(said in message for _, message in said_of(run)), said_of(run)


def test_what_goes_together_or_is_shared_is_no_slip(send):
    rows = customers()
    assert not send(*rows, dry_run=True).issues.exists()
    for row in rows:  # of one agency, all at one shop's website, under other names
        row |= {"buyer_email": "orders@cobaltstudio.example", "website": "cobaltstudio.example", "buyer_name": "Agent"}
    assert not send(*rows, dry_run=True).issues.exists()
    assert not said_of(send(*lower(customers(4), "shipping_state", "profile_name"), dry_run=True))  # chance


def test_slips_are_said_of_a_file_that_is_held_or_merged_and_not_of_known_customers(send):
    rows = lower(customers(), "profile_name")
    run = send(*rows)
    assert (run.status, run.created) == ("succeeded", 10)
    assert [field for field, _ in said_of(run)] == ["profile_name"] * 2
    assert "undo this run" in run.issues.first().message
    assert not send(*[row | {"customer_alias": "A"} for row in rows]).issues.exists()
