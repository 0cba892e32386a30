"""What may have been meant by what is in no list, and what cannot be seen of the difference."""

import pytest

from imports.pipeline.suggesting import Budget, Suggestions, describe_difference, describe_hidden
from lookups.directory import Entry, LookupList


def entries(**codes):
    found = LookupList("payment_terms")
    for number, (code, name) in enumerate(codes.items(), 1):
        found.add(number, Entry(code, name))
    return found


TERMS = {"N30": "Net 30", "N60": "Net 60", "EOM-15": "End of month", "CASH": "", "PRE": "Prepaid", "VOR": "Prepaid"}


def suggest(text, *, is_code=True):
    close = Suggestions(entries(**TERMS), Budget()).close_to(text, is_code=is_code)
    assert close is not None
    return [entry.text if entry.is_code is is_code else (entry.code, entry.name) for entry in close]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("n30", ["N30"]),
        (" N30", ["N30"]),
        ("Ｎ３０", ["N30"]),
        ("N\u200b30", ["N30"]),
        ("eom\u201315", ["EOM-15"]),
        ("net  60", [("N60", "Net 60")]),
        ("NET\xa060", [("N60", "Net 60")]),
        ("prepaid", [("PRE", "Prepaid"), ("VOR", "Prepaid")]),
        ("0N30", ["N30"]),
        ("CASHH", ["CASH"]),
        ("month, End of", [("EOM-15", "End of month")]),
        ("End of mnth", [("EOM-15", "End of month")]),
        ("zzzz", []),
    ],
)
def test_codes_and_names_are_suggested_for_what_is_no_code(text, meant):
    assert suggest(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"), [("NET 30", ["Net 30"]), ("n60", [("N60", "Net 60")]), ("Prepayd", ["Prepaid", "Prepaid"])]
)
def test_names_and_codes_are_suggested_for_what_is_no_name(text, meant):
    assert suggest(text, is_code=False) == meant


@pytest.mark.parametrize("text", ["N30;N60", "n30, n60", "N30 / N60", "N30 N60", "N30\nN60"])
def test_several_codes_in_one_cell_are_told_apart(text):
    assert Suggestions(entries(**TERMS), Budget()).split(text) == ["N30", "N60"]


@pytest.mark.parametrize("text", ["N30", "N30;N90", "N30 days", ";", ""])
def test_a_cell_of_one_code_or_of_others_is_not_taken_apart(text):
    assert Suggestions(entries(**TERMS), Budget()).split(text) == []


@pytest.mark.parametrize(
    ("sent", "meant", "said"),
    [
        ("US Wholesale", "US Wholesale", ""),
        ("us wholesale", "US Wholesale", ""),
        ("Café", "Cafe", ""),
        ("US  Wholesale", "US Wholesale", "The cell has two spaces in a row."),
        ("US\xa0Wholesale", "US Wholesale", "The cell has a no-break space (U+00A0)."),
        ("US Wholesale", "US\xa0Wholesale", "The list has a no-break space (U+00A0)."),
        ("N\u201360", "N60", "The cell has an en dash (U+2013)."),
        ("UPS\u200b", "UPS", "The cell has a zero width space (U+200B)."),
        ("U\x07PS", "UPS", "The cell has the character U+0007."),
        ("UP\u0405", "UPS", "The cell has a cyrillic capital letter dze (U+0405)."),
        ("Склад 1", "Склад 2", ""),
        ("A  B", "A\u2003B", "The cell has two spaces in a row; the list has an em space (U+2003)."),
    ],
)
def test_what_cannot_be_seen_is_said_in_words(sent, meant, said):
    assert describe_hidden(sent, meant) == said


def test_a_budget_that_is_used_up_is_told_from_finding_nothing():
    suggestions = Suggestions(entries(**{f"T{number:02}": "" for number in range(100)}), Budget(250))
    first = suggestions.close_to("T077", is_code=True)
    assert first
    assert suggestions.close_to("T088", is_code=True)
    assert suggestions.close_to("T099", is_code=True) is None
    assert suggestions.close_to("t55", is_code=True) == [("T55", "", True)]  # the same but for case costs nothing
    assert suggestions.close_to("T077", is_code=True) == first


def test_a_label_alone_does_not_stand_for_a_price_type():
    prices = LookupList("price_types")
    prices.add(1, Entry("EUR Wholesale", "Wholesale"))
    close = Suggestions(prices, Budget()).close_to("USD wholesale", is_code=True)
    assert close == [("EUR Wholesale", "Wholesale", True)]


PRICES = ["EUR EU Wholesale", "EUR UK Wholesale", "EUR US Wholesale", "USD US Wholesale"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("EUR EU Wholesal", ["EUR EU Wholesale"]),
        ("EUR EU Wholsale", ["EUR EU Wholesale"]),
        ("EUR XX Wholesale", ["EUR EU Wholesale", "EUR UK Wholesale", "EUR US Wholesale"]),
    ],
)
def test_only_the_clearly_best_ones_are_suggested(text, meant):
    prices = LookupList("price_types")
    for number, code in enumerate(PRICES, 1):
        prices.add(number, Entry(code, code[4:]))
    close = Suggestions(prices, Budget()).close_to(text, is_code=True)
    assert sorted(entry.code for entry in close or []) == sorted(meant)


@pytest.mark.parametrize(
    ("sent", "meant", "said"),
    [
        ("EU Wholesal", "EU Wholesale", "The cell lacks 'e' at the end."),
        ("U Wholesale", "EU Wholesale", "The cell lacks 'E' at the beginning."),
        ("EU Wholsale", "EU Wholesale", "The cell lacks 'e' after 'EU Whol'."),
        ("EU Wholesales", "EU Wholesale", "The cell has 's' too much at the end."),
        ("N3O", "N30", "The cell has 'O' where the list has '0'."),
        ("net 30", "NET 30", "They differ in case."),
        ("UPS\u200b", "UPS", "The cell has a zero width space (U+200B)."),
        ("Wholesale of everything", "Wholesale", ""),
        ("AxBxC", "AyByC", ""),
        ("UPS", "UPS", ""),
    ],
)
def test_a_small_difference_is_said_in_words(sent, meant, said):
    assert describe_difference(sent, meant) == said
