"""Marks of an ERP's users in the names of customers."""

import pytest

from imports.formats.marked_names import find_mark


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("*** CLOSED *** Oak & Ash", "CLOSED"), ("Oak & Ash **closed**", "closed"), ("Oak (inactive)", "inactive"),
        ("[DELETED] Oak", "DELETED"), ("Oak {closed}", "closed"), ("Oak <gelöscht>", "gelöscht"),
        ("Oak (closed 2024)", "closed 2024"), ("Kaufhaus (gesperrt seit 01.02.2023)", "gesperrt seit 01.02.2023"),
        ("Oak - CLOSED", "CLOSED"), ("INACTIVE: Oak", "INACTIVE"), ("--closed-- Oak", "closed"), ("Oak (old)", "old"),
        ("DO NOT USE - Oak", "DO NOT USE"), ("Oak ***Do not ship***", "Do not ship"), ("NICHT VERWENDEN Oak",
        "NICHT VERWENDEN"), ("Boutique (FERMÉ)", "FERMÉ"), ("NON USARE - Bottega", "NON USARE"),
        ("Ne pas utiliser Boutique", "Ne pas utiliser"), ("Winkel (niet gebruiken)", "niet gebruiken"),
        ("DUPLICATE - use 10018", "DUPLICATE"), ("Oak INACTIVE", "INACTIVE"), ("Oak (Out of business)",
        "Out of business"), ("(inactive)", "inactive"), ("カフェ（閉店）", "閉店"), ("カフェ(閉店)", "閉店"),
    ],
)  # fmt: skip
def test_what_says_that_a_customer_is_gone(name, mark):
    assert find_mark(name) == mark


@pytest.mark.parametrize(
    "name",
    [
        "Closed", "CLOSED", "Closed Jeans", "CLOSED Store Berlin", "The Inactive Collective", "Old Navy", "Old - Town",
        "Never Closed Deli", "Shop 24/7 (never closed)", "Oak (Closed Loop Textiles)", "Do Not Disturb Bedding",
        "Duplicate Keys (Main St)", "*Star* Boutique", "Oak - Main Street", "Boutique Fermé", "La Chiusa",
        "Blocked & Reported", "Del - Mar", "Baja - Surf", "Remove - It", "INACTIVE WEAR", "***", "()", "-", "",
    ],
)  # fmt: skip
def test_names_are_no_marks(name):
    assert find_mark(name) == ""
