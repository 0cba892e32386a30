"""How likely two connections are one customer, and the reasons."""

from typing import Any

from connections.matching.blocking import MOST_KEYS, keys_of
from connections.matching.normalising import name_of
from connections.matching.profiles import make_profile
from connections.matching.scoring import SUGGESTED, compare, similarity_of

ELM = ("", "12 Elm Street", "Portland", "97205", "US", "buy@elm.example", "(503) 555-0142")


def test_reasons_are_said_in_words_the_strongest_first():
    first = make_profile(["Elm Street Outfitters"], addresses=[ELM])
    second = make_profile(["Elm St Outfiters Inc"], addresses=[(*ELM[:5], "", "503-555-0142")])
    match = compare(first, second)
    assert match.score > 0.9
    assert match.reasons == ("same phone number 503-555-0142", "names nearly alike", "same address")


def test_a_name_of_three_words_or_more_is_like_its_initials():
    names: dict[str, Any] = {
        text: name_of(text) for text in ("Harbor Island Traders", "HIT", "Harbor Island", "HI", "HIP")
    }
    similar = {(one, other) for one in names for other in names if similarity_of(names[one], names[other]) == 0.85}
    assert similar == {("Harbor Island Traders", "HIT"), ("HIT", "Harbor Island Traders")}


def test_doors_of_a_chain_are_not_suggested():
    first = make_profile(["Nordham's #102"], "nordhams.example", [("", "500 Way", "Bellevue", "98004", "US", "", "")])
    second = make_profile(["Nordham's #117"], "nordhams.example", [("", "4502 St", "Bellevue", "98004", "US", "", "")])
    match = compare(first, second)
    assert match.score < SUGGESTED
    assert match.reasons[-1] == "but numbers in the names differ"


def test_a_mailbox_at_a_provider_of_many_is_known_by_the_mailbox_alone():
    first, second = (
        make_profile(["Bloom"], mails=["a@gmail.com"]),
        make_profile(["Bloom Vintage"], mails=["b@gmail.com"]),
    )
    assert not first.webs
    assert not any("domain" in reason for reason in compare(first, second).reasons)
    assert "same e-mail a@gmail.com" in compare(first, make_profile(["Bloom"], mails=["A@Gmail.com"])).reasons


def test_a_code_that_looks_the_same_is_always_suggested_and_says_what_differs():
    first = make_profile(["Rosa"], addresses=[ELM], code="123", near_key="123")
    second = make_profile(["Otto"], addresses=[("", "", "Paris", "75001", "FR", "", "")], code="00123", near_key="123")
    match = compare(first, second)
    assert match.score >= SUGGESTED
    assert match.reasons[0] == "codes differ only in leading zeros"


def test_comparing_has_no_direction():
    first, second = (
        make_profile(["Elm Outfitters"], addresses=[ELM]),
        make_profile(["Elm & Oak"], "https://elm.example"),
    )
    assert compare(first, second).score == compare(second, first).score


def test_what_has_nothing_to_compare_is_not_suggested():
    assert compare(make_profile([]), make_profile([])).score < SUGGESTED


def test_a_customer_of_very_many_doors_has_a_bounded_number_of_keys():
    doors = [
        ("", f"{number} Elm Street", "Portland", f"97{number:03}", "US", "", str(5550000 + number))
        for number in range(300)
    ]
    assert len(keys_of(make_profile(["Elm Street Outfitters"], addresses=doors))) == MOST_KEYS
