"""Countries: every spelling of every one, and what is none."""

import gettext
import unicodedata

import pycountry
import pytest

from imports.errors import CellError
from imports.formats.countries import LANGUAGES, find_country, suggest_countries
from imports.formats.widgets import CountryWidget
from imports.template import FIELDS

COUNTRIES = list(pycountry.countries)
OURS = {"de": ["de"], "fr": ["fr"], "it": ["it"], "es": ["es"], "nl": ["nl"], "pt": ["pt", "pt_BR"]}


def names_of(country):
    return [name for field in ("name", "common_name", "official_name") if (name := getattr(country, field, None))]


def without_accents(text):
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def inverted(text):
    """ "Republic of Korea" as "Korea, Republic of", and the other way round."""
    before, comma, behind = text.partition(", ")
    if comma:
        return f"{behind} {before}"
    before, of, behind = text.partition(" of ")
    return f"{behind}, {before} of" if of else " ".join(reversed(text.split(" ", 1)))


def wide(text):
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


SPELLINGS = [
    *(str, without_accents, str.upper, str.lower, inverted, wide),
    *(lambda text: f"  The {text} ", lambda text: text.replace(" and ", " & "), lambda text: text.replace(" ", "-")),
    *(lambda text: text.replace("Saint", "St."), lambda text: text.replace("'", "’").replace(" ", "  ")),
    *(lambda text: unicodedata.normalize("NFD", text), lambda text: without_accents(inverted(text)).upper()),
]  # fmt: skip


def test_there_are_as_many_countries_as_iso_3166_has():
    assert len(COUNTRIES) == 249


@pytest.mark.parametrize("spell", SPELLINGS)
def test_every_country_is_known_by_its_english_names(spell):
    wrong = {
        spell(name): country.alpha_2
        for country in COUNTRIES
        for name in names_of(country)
        if find_country(spell(name)) != country.alpha_2
    }
    assert not wrong


@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title, wide, lambda code: f" {code}. "])
def test_every_country_is_known_by_its_codes(spell):
    assert all(
        find_country(spell(code)) == country.alpha_2 or (country.alpha_2 == "NA" and spell(code).strip() == "NA.")
        for country in COUNTRIES
        for code in (country.alpha_2, country.alpha_3)
    )


@pytest.mark.parametrize("spell", [str, without_accents, str.upper, str.lower, wide])
@pytest.mark.parametrize(("language", "locale"), [(name, locale) for name, of in OURS.items() for locale in of])
def test_every_country_is_known_by_its_names_in_a_language_of_the_format(language, locale, spell):
    translate = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [locale]).gettext
    wrong = {
        spell(translate(name)): find_country(spell(translate(name)), (language,))
        for country in COUNTRIES
        for name in names_of(country)[: 1 if locale == "pt_BR" else 3]
        if find_country(spell(translate(name)), (language,)) != country.alpha_2
    }
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_takes_no_english_name_away(language):
    assert all(
        find_country(name, (language,)) == country.alpha_2 for country in COUNTRIES for name in names_of(country)
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("U.S.A.", "US"), ("U. S. A.", "US"), ("u.s.", "US"), ("United States (US)", "US"), ("United-States", "US"),
        ("US of A", "US"), ("U.K.", "GB"), ("Great-Britain", "GB"), ("GREAT BRITAIN", "GB"), ("U.A.E.", "AE"),
        ("TÜRKİYE", "TR"), ("Turkiye", "TR"), ("türkiye", "TR"), ("Turkey", "TR"), ("Tuerkiye", "TR"),
        ("COTE D'IVOIRE", "CI"), ("Cote dIvoire", "CI"), ("Ivory Coast", "CI"), ("CURACAO", "CW"), ("Reunion", "RE"),
        ("Bosnia/Herzegovina", "BA"), ("Bosnia + Herzegovina", "BA"), ("St Lucia", "LC"), ("ST. KITTS & NEVIS", "KN"),
        ("Republic of Korea", "KR"), ("Rep. of Korea", "KR"), ("Korea, South", "KR"), ("S. Korea", "KR"),
        ("DPRK", "KP"), ("Hongkong", "HK"), ("Hong Kong (China)", "HK"), ("Macau SAR", "MO"), ("Viet Nam", "VN"),
        ("Vietnam", "VN"), ("P.R. China", "CN"), ("China, People's Republic of", "CN"), ("Taiwan R.O.C.", "TW"),
        ("Czech Republic", "CZ"), ("Slovak Republic", "SK"), ("Kyrgyz Republic", "KG"), ("Lao PDR", "LA"),
        ("Virgin Islands (U.S.)", "VI"), ("U.S. Virgin Is.", "VI"), ("British Virgin Islands", "VG"),
        ("Congo", "CG"), ("DR Congo", "CD"), ("Democratic Republic of Congo", "CD"), ("Congo (Kinshasa)", "CD"),
        ("Macedonia, FYR", "MK"), ("The Gambia", "GM"), ("Vatican City", "VA"), ("Myanmar (Burma)", "MM"),
        ("East Timor", "TL"), ("Isle of Man", "IM"), ("Åland", ""), ("Aland Islands", "AX"), ("Micronesia", "FM"),
        ("UK", "GB"), ("EL", "GR"), ("XK", "XK"), ("XKX", "XK"), ("Kosovo", "XK"), ("CH-", "CH"), ("(de)", "DE"),
        ("NA", "NA"), ("Namibia", "NA"),
    ],
)  # fmt: skip
def test_countries_as_people_write_them(text, code):
    assert find_country(text) == code


@pytest.mark.parametrize(
    "text",
    ["N/A", "n.a.", "#N/A", "(NA)", "<NA>", "-NA-", "NA.", "s.o.", "n.c.", "k.A.", "-", ".", "?", "", "none", "NULL"],
)
def test_words_for_nothing_are_no_country(text):
    assert find_country(text, tuple(LANGUAGES)) == ""
    assert suggest_countries(text) == ""


@pytest.mark.parametrize(
    ("text", "languages", "code"),
    [
        ("ÖSTERREICH", "de", "AT"), ("Oesterreich", "de", "AT"), ("D", "de", "DE"), ("Südkorea", "de", "KR"),
        ("Suedkorea", "de", "KR"), ("Großbritannien", "de", "GB"), ("GROSSBRITANNIEN", "de", "GB"), ("D", "", ""),
        ("la Suisse", "fr", "CH"), ("Etats Unis d’Amérique", "fr", "US"), ("Pays-Bas", "fr", "NL"),
        ("EE.UU.", "es", "US"), ("Países Bajos", "es", "NL"), ("E.U.A.", "pt", "US"), ("Coréia do Sul", "pt", "KR"),
        ("Paesi Bassi", "it", "NL"), ("Città del Vaticano", "it", "VA"), ("V.S.", "nl", "US"), ("België", "nl", "BE"),
        ("Schweiz", "fr", ""), ("Suisse", "fr de", "CH"), ("Schweiz", "fr de", "CH"), ("Sverige", "sv", "SE"),
    ],
)  # fmt: skip
def test_a_language_is_read_where_the_format_says_so(text, languages, code):
    assert find_country(text, tuple(languages.split())) == code


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("England", "United Kingdom (GB)"), ("NORTHERN IRELAND", "United Kingdom (GB)"),
        ("Schottland", "United Kingdom (GB)"), ("GB-ENG", "United Kingdom (GB)"), ("XI", "United Kingdom (GB)"),
        ("Canary Islands", "Spain (ES)"), ("Österreich", "Austria (AT)"), ("Autsria", "Austria (AT)"),
        ("Germny", "Germany (DE)"), ("Untied States", "United States (US)"), ("840", "United States (US)"),
        ("36", "Australia (AU)"), ("日本", "Japan (JP)"), ("A", "Austria (AT)"),
    ],
)  # fmt: skip
def test_what_is_only_like_a_country_is_refused_with_a_suggestion(text, meant):
    with pytest.raises(CellError, match="is not a country of ISO 3166, such as FR, FRA or France") as refused:
        CountryWidget(FIELDS["shipping_country"]).clean(text)
    assert f"Did you mean {meant}" in str(refused.value)
    assert refused.value.code == "invalid_country"


@pytest.mark.parametrize("text", ["Freedonia", "Channel Islands", "AN", "Serbia and Montenegro", "???", "12345"])
def test_what_is_like_no_country_gets_no_suggestion(text):
    assert find_country(text) == suggest_countries(text) == ""
