#!/usr/bin/env python3
"""Customer files for benchmarks: seeded, of any size, with the standard library alone.

    benchmarks/generate.py 100000 --out full.txt
    benchmarks/generate.py 100000 --change 0.01 --out changed.txt     1 % of the customers differ
    benchmarks/generate.py 100000 --delta 500 --out delta.txt         about 500 rows: changed and new customers
    benchmarks/generate.py 100000 --lookups lookups.csv               the lists that the files refer to

A customer depends only on the seed and its number, so files of one seed agree with each other. There are about three
rows per customer in the standard layout: one billing address and one to three shipping addresses.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PRICE_TYPES = [("EUR", "Europe"), ("USD", "United States"), ("GBP", "Britain"), ("JPY", "日本"), ("AUD", "Australia")]
PAYMENT_TERMS = [("30 days", "D30"), ("60 days", "D60"), ("In advance", "ADV"), ("Card", "CRD"), ("Deposit", "DEP")]
SHIPPING_TERMS = ["Road", "Air", "Sea", "Pick-up"]
WAREHOUSES = [(f"Depot {number}", f"D{number}") for number in range(8)]
GROUPS = [(f"Circle {number:02}", f"CG{number:02}") for number in range(25)]
COMPANIES = [(f"Entity n° {number}", f"E{number}") for number in range(9)]
SALES_REPS = [f"SR{number:02}" for number in range(40)]
CITIES = [
    ("Paris", "", "FR", "750##"), ("Lyon", "", "FR", "690##"), ("Köln", "", "DE", "50###"),
    ("Łódź", "", "PL", "90-###"), ("Milano", "", "IT", "201##"), ("Málaga", "", "ES", "290##"),
    ("København", "", "DK", "21##"), ("London", "", "GB", "SW#A #AA"), ("Seoul", "", "KR", "04###"),
    ("Austin", "TX", "US", "787##"), ("Boston", "MA", "US", "021##"), ("Denver", "CO", "US", "802##"),
    ("Toronto", "ON", "CA", "M#K #V#"), ("京都", "Kyoto", "JP", "60#-####"), ("Perth", "WA", "AU", "60##"),
]  # fmt: skip
"""City, state, country, and what its postal codes are like: # stands for a digit."""
FIRST = ["Ana", "Björn", "Chloé", "Dmitri", "Elif", "Fiona", "Güler", "健", "Inês", "Jonas", "Łucja", "Noor"]
LAST = ["Ferreira", "Østby", "O'Dowd", "Kovács", "Yılmaz", "佐藤", "Nowak", "Peeters", "Ruiz", "Weiß"]
WORDS = ["Atelier", "Boutique", "Galerie", "Loft", "Maison", "Studio", "Wardrobe", "Café", "Corner", "Señora", "Żaba"]
STREETS = ["Rue du Bac", "Hauptstraße", "High Street", "Via Roma", "Gran Vía", "Elm Street", "Storgatan", "中央通り"]

OWN = [
    "profile_name", "customer_code", "customer_alias", "alternate_name", "website", "company_number_name",
    "company_number_code", "customer_group_name", "customer_group_code", "discount", "discount_line_item_level",
    "sales_rep_code", "warehouse_name_1", "warehouse_code_1", "buyer_name_1", "buyer_email_1", "buyer_name_2",
    "buyer_email_2", "payment_terms_1", "payment_terms_code_1", "shipping_terms_1", "price_type_currency_1",
    "price_type_name_1", "price_type_currency_2", "price_type_name_2",
]  # fmt: skip
ADDRESS = ["code", "name", "address_1", "address_2", "city", "state", "zip", "country"]
WIDE = 3

Customer = tuple[dict[str, str], dict[str, str], list[dict[str, str]]]


def make_customer(seed: int, number: int) -> Customer:
    """Fields of a customer, its billing address, its shipping addresses."""
    dice = random.Random(f"{seed}/{number}")
    code = f"K{number:07}"
    name = f"{dice.choice(WORDS)} {dice.choice(LAST)} {number}"
    own = dict.fromkeys(OWN, "")
    own |= {"profile_name": name, "customer_code": code, "sales_rep_code": dice.choice(SALES_REPS)}
    own["company_number_name"], own["company_number_code"] = dice.choice(COMPANIES)
    own["customer_group_name"], own["customer_group_code"] = dice.choice(GROUPS)
    own["warehouse_name_1"], own["warehouse_code_1"] = dice.choice(WAREHOUSES)
    own["payment_terms_1"], own["payment_terms_code_1"] = dice.choice(PAYMENT_TERMS)
    own["shipping_terms_1"] = dice.choice(SHIPPING_TERMS)
    prices = dice.sample(PRICE_TYPES, 2 if dice.random() < 1 / 3 else 1)
    for position, (currency, label) in enumerate(prices, 1):
        own[f"price_type_currency_{position}"], own[f"price_type_name_{position}"] = currency, label
    for position in range(1, dice.choice((2, 3))):
        own[f"buyer_name_{position}"] = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
        own[f"buyer_email_{position}"] = f"buyer{position}.{number}@example.com"
    if dice.random() < 0.7:
        own["customer_alias"] = name
    if dice.random() < 0.15:
        own["alternate_name"] = f"{name} & Co."
    if dice.random() < 0.6:
        own["website"] = f"https://www.store{number}.example.com"
    if dice.random() < 0.2:
        own["discount"], own["discount_line_item_level"] = str(dice.randrange(5, 55, 5)), dice.choice(("yes", "no"))
    billing = make_address(dice, f"{code}-B", name)
    shipping = []
    for position in range(1, dice.choice((1, 2, 2, 3)) + 1):
        address = make_address(dice, f"{code}-{position}", f"{name} {position}")
        address["email"] = f"goods{position}@store{number}.example.com"
        address["phone"] = f"+{dice.randrange(1, 99)} {dice.randrange(10**8, 10**9)}"
        address["create_doors"] = dice.choice(("true", "false"))
        shipping.append(address)
    return own, billing, shipping


def make_address(dice: random.Random, code: str, name: str) -> dict[str, str]:
    city, state, country, form = dice.choice(CITIES)
    return {
        "code": code,
        "name": name,
        "address_1": f"{dice.randrange(1, 400)} {dice.choice(STREETS)}",
        "address_2": f"Floor {dice.randrange(1, 9)}" if dice.random() < 0.3 else "",
        "city": city,
        "state": state,
        "zip": "".join(str(dice.randrange(10)) if sign == "#" else sign for sign in form),
        "country": country,
    }


def change_customer(seed: str, number: int, customer: Customer) -> None:
    """Alter one or two values in place."""
    own, billing, shipping = customer
    dice = random.Random(f"{seed}/{number}")
    for change in dice.sample(range(6), dice.choice((1, 2))):
        if change == 0:
            own["buyer_name_1"] += " jr."
        elif change == 1:
            own["discount"], own["discount_line_item_level"] = str(dice.randrange(60, 70)), "yes"
        elif change == 2:
            shipping[0]["phone"] = f"+1 {dice.randrange(10**8, 10**9)}"
        elif change == 3:
            shipping[0]["address_1"] = f"{dice.randrange(1000, 9999)} New Street"
        elif change == 4:
            other = [term for term in PAYMENT_TERMS if term[1] != own["payment_terms_code_1"]]
            own["payment_terms_1"], own["payment_terms_code_1"] = dice.choice(other)
        else:
            billing["address_2"] = f"Suite {dice.randrange(100, 999)}"


def header(layout: str) -> list[str]:
    groups = range(1, WIDE + 1) if layout == "wide" else [1]
    names = [*OWN] if layout == "wide" else [*OWN, "address_type"]
    names += [f"shipping_{part}_{number}" for number in groups for part in (*ADDRESS, "email", "phone")]
    return [*names, "create_doors", *(f"billing_{part}_1" for part in ADDRESS)]


def make_rows(layout: str, customer: Customer) -> Iterator[dict[str, str]]:
    """The rows of a customer, as cells by column."""
    own, billing, shipping = customer
    bill = {f"billing_{part}_1": value for part, value in billing.items()}
    if layout == "wide":
        row = own | bill | {"create_doors": shipping[0]["create_doors"]}
        for number, address in enumerate(shipping, 1):
            row |= {f"shipping_{part}_{number}": value for part, value in address.items() if part != "create_doors"}
        yield row
        return
    yield own | bill | {"address_type": "B"}
    for address in shipping:
        cells = {part if part == "create_doors" else f"shipping_{part}_1": value for part, value in address.items()}
        yield own | cells | {"address_type": "S"}


def make_file(
    customers: int, layout: str = "standard", seed: int = 1, change: float = 0.0, delta: int = 0, shuffle: bool = False
) -> Iterator[str]:
    """The lines of a file, its header first."""
    columns = header(layout)
    yield "|".join(columns) + "\n"
    lines = _lines(customers, layout, seed, change, delta, columns)
    if shuffle:
        shuffled = list(lines)
        random.Random(seed).shuffle(shuffled)
        lines = iter(shuffled)
    yield from lines


def _lines(customers: int, layout: str, seed: int, change: float, delta: int, columns: list[str]) -> Iterator[str]:
    dice = random.Random(f"{seed}/{change}/{delta}")
    numbers: Iterable[int] = range(customers)
    changed = set(dice.sample(range(customers), int(customers * change)))
    if delta:
        known = dice.sample(range(customers), min(customers, delta))
        changed = set(known)
        # Of five customers four are known and one is new.
        numbers = [customers + place if place % 5 == 4 else number for place, number in enumerate(known)]
    count = 0
    for number in numbers:
        customer = make_customer(seed, number)
        if number in changed:
            change_customer(f"{seed}/{change}/{delta}", number, customer)
        for row in make_rows(layout, customer):
            yield "|".join(row.get(column, "") for column in columns) + "\n"
            count += 1
        if delta and count >= delta:
            return


def write_lookups(path: Path) -> None:
    """The lists that the files refer to, as `load_lookups` takes them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["list", "code", "name", "currency", "email"])
        writer.writerows(["price_types", "", label, currency, ""] for currency, label in PRICE_TYPES)
        writer.writerows(["payment_terms", code, name, "", ""] for name, code in PAYMENT_TERMS)
        writer.writerows(["shipping_terms", code, code, "", ""] for code in SHIPPING_TERMS)
        writer.writerows(["warehouses", code, name, "", ""] for name, code in WAREHOUSES)
        writer.writerows(["customer_groups", code, name, "", ""] for name, code in GROUPS)
        writer.writerows(["company_numbers", code, name, "", ""] for name, code in COMPANIES)
        writer.writerows(["sales_reps", code, code, "", f"{code.lower()}@example.com"] for code in SALES_REPS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("customers", type=int)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--lookups", type=Path)
    parser.add_argument("--layout", choices=("standard", "wide"), default="standard")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--change", type=float, default=0.0, metavar="FRACTION")
    parser.add_argument("--delta", type=int, default=0, metavar="ROWS")
    parser.add_argument("--shuffle", action="store_true")
    options = parser.parse_args()
    if options.lookups:
        write_lookups(options.lookups)
    if options.out:
        with options.out.open("w", encoding="utf-8", newline="") as file:
            file.writelines(
                make_file(
                    options.customers, options.layout, options.seed, options.change, options.delta, options.shuffle
                )
            )
    if not options.lookups and not options.out:
        sys.exit("Give --out, --lookups or both.")


if __name__ == "__main__":
    main()
