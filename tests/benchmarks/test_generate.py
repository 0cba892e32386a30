"""The generator of benchmark files: repeatable, and true to what the workloads ask for."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.generate import ADDRESS, make_file, write_lookups
from imports.template import find_target

GENERATOR = Path(__file__).resolve().parents[2] / "benchmarks/generate.py"
CUSTOMERS = 200


def rows_of(*arguments, **options):
    header, *lines = (line.removesuffix("\n").split("|") for line in make_file(*arguments, **options))
    return [dict(zip(header, cells, strict=True)) for cells in lines]


def customers_of(rows):
    customers = defaultdict(list)
    for row in rows:
        customers[row["customer_code"]].append(row)
    return customers


@pytest.fixture(scope="module")
def full():
    return rows_of(CUSTOMERS)


@pytest.mark.parametrize("options", [{}, {"layout": "wide"}, {"change": 0.1}, {"delta": 50}, {"shuffle": True}])
def test_the_same_seed_gives_the_same_file(options):
    assert list(make_file(20, **options)) == list(make_file(20, **options))
    assert list(make_file(20, **options)) != list(make_file(20, seed=2, **options))


def test_a_customer_does_not_depend_on_how_many_there_are(full):
    few = rows_of(20)
    assert few == full[: len(few)]


@pytest.mark.parametrize("layout", ["standard", "wide"])
def test_every_column_is_a_field_of_the_template_and_no_field_stands_twice(layout):
    header = next(make_file(1, layout)).strip().split("|")
    targets = [find_target(name) for name in header]
    assert None not in targets
    assert len(set(targets)) == len(targets)


def test_there_are_about_three_rows_per_customer_and_one_billing_address_each(full):
    customers = customers_of(full)
    assert len(customers) == CUSTOMERS
    assert 2.8 < len(full) / CUSTOMERS < 3.2
    for rows in customers.values():
        assert [row["address_type"] for row in rows] == ["B"] + ["S"] * (len(rows) - 1)
        assert 2 <= len(rows) <= 4


def test_a_row_carries_the_address_of_its_type_and_no_other(full):
    for row in full:
        own, other = ("billing", "shipping") if row["address_type"] == "B" else ("shipping", "billing")
        assert row[f"{own}_code_1"]
        assert row[f"{own}_country_1"]
        assert not any(row.get(f"{other}_{part}_1") for part in (*ADDRESS, "email", "phone"))


def test_the_wide_layout_holds_the_same_customers_on_one_row_each(full):
    wide = rows_of(CUSTOMERS, "wide")
    customers = customers_of(full)
    assert [row["customer_code"] for row in wide] == list(customers)
    for row in wide:
        billing, *shipping = customers[row["customer_code"]]
        assert row["billing_code_1"] == billing["billing_code_1"]
        codes = [row[f"shipping_code_{number}"] for number in (1, 2, 3)]
        assert [code for code in codes if code] == [address["shipping_code_1"] for address in shipping]


def test_a_change_alters_the_share_of_customers_asked_for(full):
    before, after = customers_of(full), customers_of(rows_of(CUSTOMERS, change=0.1))
    assert after.keys() == before.keys()
    assert sum(after[code] != before[code] for code in before) == CUSTOMERS * 0.1


def test_a_delta_is_four_parts_known_customers_and_one_part_new(full):
    before, rows = customers_of(full), rows_of(CUSTOMERS, delta=100)
    delta = customers_of(rows)
    assert 100 <= len(rows) < 104
    new = [code for code in delta if code not in before]
    assert len(new) == len(delta) // 5
    assert all(rows != before[code] for code, rows in delta.items() if code not in new)


def test_shuffled_rows_are_the_same_in_another_order(full):
    shuffled = rows_of(CUSTOMERS, shuffle=True)
    assert shuffled != full

    def ordered(rows):
        return sorted(tuple(row.values()) for row in rows)

    assert ordered(shuffled) == ordered(full)


def test_the_lookups_hold_every_code_that_the_files_name(full, tmp_path):
    path = tmp_path / "lookups.csv"
    write_lookups(path)
    with path.open(encoding="utf-8", newline="") as file:
        known = {(row["list"], row["code"] or f"{row['currency']} {row['name']}") for row in csv.DictReader(file)}
    for row in full:
        named = {
            ("payment_terms", row["payment_terms_code_1"]),
            ("shipping_terms", row["shipping_terms_1"]),
            ("sales_reps", row["sales_rep_code"]),
            ("warehouses", row["warehouse_code_1"]),
            ("customer_groups", row["customer_group_code"]),
            ("company_numbers", row["company_number_code"]),
        }
        for number in (1, 2):
            if row[f"price_type_currency_{number}"]:
                label = f"{row[f'price_type_currency_{number}']} {row[f'price_type_name_{number}']}"
                named.add(("price_types", label))
        assert named <= known


def test_the_command_writes_the_file_and_the_lookups(tmp_path):
    out, lookups = tmp_path / "customers.txt", tmp_path / "lookups.csv"
    command = [sys.executable, GENERATOR, "30", "--seed", "7", "--layout", "wide", "--out", out, "--lookups", lookups]
    subprocess.run(command, check=True)
    assert out.read_text(encoding="utf-8") == "".join(make_file(30, "wide", seed=7))
    assert lookups.read_text(encoding="utf-8").startswith("list,code,name,currency,email\n")


def test_the_command_says_what_to_give_when_nothing_is_to_be_written():
    ended = subprocess.run([sys.executable, GENERATOR, "30"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "--out" in ended.stderr
