"""What is left of names, telephones and addresses."""

import pytest

from connections.matching.normalising import names_in, phone_of, place_of, same_phone, web_of


def name_of(text):
    return names_in(text)[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Lindqvist Mode AB", "Lindqvist Mode"),
        ("S.A.R.L. Ateliers Beaumarchais", "Ateliers Beaumarchais SARL"),
        ("Textil Hoffmann GmbH & Co. KG", "Textil Hoffmann"),
        ("KONFEKCIA HORVATH, spol. s r.o.", "Konfekcia Horváth s.r.o."),
        ("Grupo Salvatierra S.A. de C.V.", "Grupo Salvatierra"),
        ("株式会社さくら", "さくら"),
        ("ООО Ромашка", "Romashka LLC"),
        ("Møller & Sønner A/S", "Moeller og Soenner"),
        ("H.P. Langford", "H P Langford"),
        ("Nordham's", "Nordhams"),
        ("The Blue Moon", "Bluemoon"),
        ("Αφοί Παπαδόπουλοι Ο.Ε.", "Afoi Papadopouloi"),
    ],
)
def test_a_name_is_the_same_however_it_is_written(first, second):
    assert name_of(first).joined == name_of(second).joined


def test_words_that_mean_the_same_are_one():
    assert name_of("Saint James Department Store").common == name_of("St. James Dept. Store").common
    assert name_of("Gebrüder Schuster").common == name_of("Schuster Bros.").common == {"brother"}


def test_numbers_of_a_name_stand_apart_without_leading_zeros():
    assert name_of("Filiale 07").numbers == name_of("T7").numbers == {"7"}


@pytest.mark.parametrize("text", ["", "…", "   "])
def test_nothing_is_left_of_what_is_no_name(text):
    assert names_in(text) == []


def test_a_name_that_is_nothing_but_a_legal_form_is_kept():
    assert name_of("GmbH").joined == "gmbh"


def test_what_stands_in_brackets_and_behind_doing_business_as_is_a_name_too():
    joined = [name.joined for name in names_in("Mia Torrance dba Blank Canvas (new)")]
    assert name_of("Blank Canvas").joined in joined
    assert name_of("Mia Torrance").joined in joined


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("+49 (0)69 90012233", "069 9001 2233"),
        ("(503) 555-0142", "+1 503.555.0142 ext. 12"),
        ("+44 161 496 0101", "0161 4960101"),
        ("+45 86123455", "86 12 34 55"),
        ("+359 2 555 0150", "02 555 0150"),
        ("٠٤ ٥٥٥ ٠١١٢", "04 555 0112"),
    ],
)
def test_telephones_are_known_by_their_last_digits(first, second):
    assert same_phone(phone_of(first), phone_of(second))


def test_telephones_of_other_areas_and_short_ones_are_not_the_same():
    assert not same_phone(phone_of("512-555-0110"), phone_of("212-555-0110"))
    assert phone_of("110") == ""


@pytest.mark.parametrize(
    ("website", "web"),
    [
        ("https://www.shop.example.co.uk/en?x=1", "example.co.uk"),
        ("HTTP://Example.com:8080", "example.com"),
        ("https://www.facebook.com/AvaHandmade/", "facebook.com/avahandmade"),
        ("https://facebook.com", ""),
        ("mintyvintage.myshopify.com", "mintyvintage.myshopify.com"),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_a_web_address_names_its_owner(website, web):
    assert web_of(website) == web


def test_streets_are_compared_without_what_streets_are_called():
    first, second = (
        place_of("DE", "60311", "Frankfurt/M.", "Kaiserstr. 14"),
        place_of("DE", "60311", "", "14, Kaiserstraße"),
    )
    assert (first.street, first.numbers) == (second.street, second.numbers)
    assert place_of("US", "78701-2411", "", "").zip == "78701"
