"""Countries: what a cell calls one → ISO 3166-1 alpha-2, by code or by name in English and in a format's languages.

Names are compared without accents, punctuation, width, case and the order of their words ("Korea, Republic of"),
never by likeness: likeness only makes suggestions.
"""

from __future__ import annotations

import gettext
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pycountry
from rapidfuzz import fuzz, process

from connections.rules import country_names
from imports.formats.data import read_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LANGUAGES = {
    "de": "German",
    "fr": "French",
    "it": "Italian",
    "es": "Spanish",
    "nl": "Dutch",
    "pt": "Portuguese",
    "sv": "Swedish",
    "da": "Danish",
    "nb": "Norwegian",
    "fi": "Finnish",
    "pl": "Polish",
    "cs": "Czech",
    "hu": "Hungarian",
    "el": "Greek",
    "tr": "Turkish",
    "ja": "Japanese",
    "sk": "Slovak",
    "hr": "Croatian",
    "ro": "Romanian",
    "ru": "Russian",
    "zh": "Chinese",
    "ko": "Korean",
}
"""The languages beside English in which a format may name countries."""
_LOCALES = {"pt": ("pt", "pt_BR"), "nb": ("nb_NO",), "zh": ("zh_CN", "zh_TW")}
_LITTLE_WORDS = {
    "en": "the of and",
    "de": "der die das und von",
    "fr": "le la les l de du des d et",
    "it": "il la le gli l di del della dei delle d e",
    "es": "la las los de del y",
    "nl": "de het van en",
    "pt": "o a os as de do da dos das e",
}
"""Words that a name is the same name without."""
_SHORTENED = {
    "saint": "saint sainte sankt st ste",
    "republic": "republic republik republique repubblica republica republiek rep",
    "democratic": "democratic demokratische democratique democratica democratische dem",
    "islands": "islands island isl is",
}
_SAME_WORDS = {word: meant for meant, words in _SHORTENED.items() for word in words.split()}
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "_": " "})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_WORD = re.compile(r"\w+")
_TWICE = re.compile(r"(.+?)\s*[(\[](.+)[)\]]")
_BRACKETS = re.compile(r"\s*\([^)]*\)")
_AROUND = " .,:;-_/()[]{}"
_KANA_MARKS = "\u3099\u309a"
"""Make another letter; an accent makes the same one."""
_POINTED = re.compile(r"([^\W\d_]+)(\.?)")
_IN_STATES = ("US", "CA", "AU")
"""Countries whose states are written in the place of the country."""
FEWEST_LETTERS = 3
"""How many letters one of the words of an abbreviated name has at least."""
LEAST_LIKE = 80
"""From 0 to 100: how alike a name must be to be suggested."""


@cache
def _listed() -> dict[str, Any]:
    return read_data(Path(__file__).with_name("countries.yaml"))


@cache
def _codes() -> dict[str, str]:
    """Alpha-2 and alpha-3 codes, and those that others made for what ISO 3166 has no or another one for."""
    codes = {country.alpha_2: country.alpha_2 for country in pycountry.countries}
    codes |= {country.alpha_3: country.alpha_2 for country in pycountry.countries}
    codes |= _listed()["codes"]
    return codes


@lru_cache(4096)
def find_country(text: str, languages: tuple[str, ...] = ()) -> str:
    """The alpha-2 code of what a cell calls a country, by code or by name in English or these languages; "" for none.

    NA in brackets or between signs is a word for nothing, and not Namibia.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    bare = plain.strip(_AROUND).upper()
    if code := _codes().get(bare):
        return code if bare != "NA" or len(plain) == len(bare) else ""
    if any(map(str.isdigit, plain)):
        return ""  # no country has a digit in its name
    for language in ("en", *languages):
        if code := _find_name(plain, language):
            return code
    if languages and (code := _listed()["signs"].get(bare)):
        return str(code)
    twice = _TWICE.fullmatch(plain)
    if twice and (code := find_country(twice[1], languages)) and code == find_country(twice[2], languages):
        return code
    return ""


def find_namesakes(languages: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Names, as people write them, that two countries have: the one that they are read as, and the other one."""
    return {
        text: (code, other)
        for name, (code, other, *named_in) in _listed()["namesakes"].items()
        if not {"en", *languages}.isdisjoint(named_in)
        for text in (name, name.upper(), name.lower())
    }


def find_part(text: str) -> tuple[str, str]:
    """Country and language of a name that means a part of a country without a code of its own, such as England."""
    for language, parts in _parts().items():
        if code := next((parts[key] for key in _keys(text, language) if key in parts), ""):
            return code, language
    return "", ""


@cache
def _parts() -> dict[str, dict[str, str]]:
    """By language, what parts of countries are called, as names are compared, to the codes of the countries."""
    parts: dict[str, dict[str, str]] = {}
    for code, by_language in _listed()["parts"].items():
        for language, names in by_language.items():
            parts.setdefault(language, {}).update((key, code) for name in names for key in _keys(name, language))
    return parts


@lru_cache(4096)
def find_abbreviated(text: str) -> str:
    """The alpha-2 code of the one country whose name in some language a cell abbreviates with points, "Dom. Rep."

    "" for none or several. It is a proposal for a person to look at: a file's cells are never read so.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    beginnings = [(bool(point), word) for word, point in _POINTED.findall(plain)]
    if not any(point for point, _ in beginnings) or any(map(str.isdigit, plain)):
        return ""
    for language in ("en", *LANGUAGES):
        said = [(point, word) for point, raw in beginnings for word in _words(raw, language)]
        longest = max((word for _, word in said), key=len, default="")
        if len(longest) < FEWEST_LETTERS:
            return ""
        names = _names_by_beginning(language).get(longest[:FEWEST_LETTERS], ())
        if len(codes := {code for words, code in names if _begins(said, words)}) == 1:
            return codes.pop()
    return ""


def _begins(said: list[tuple[bool, str]], words: tuple[str, ...]) -> bool:
    """Whether each word is that of a name, or begins it where a point stands behind; one word alone any name's."""
    if len(said) == 1:
        return any(word.startswith(said[0][1]) for word in words)
    return len(said) == len(words) and all(
        word.startswith(beginning) if point else word == beginning
        for (point, beginning), word in zip(said, words, strict=True)
    )


@cache
def _names_by_beginning(language: str) -> dict[str, set[tuple[tuple[str, ...], str]]]:
    """The names of countries in a language, each word by word, with their codes, by the first letters of any word."""
    everyday = [(name, code) for code, names in _listed()["names"].get(language, {}).items() for name in names]
    names: dict[str, set[tuple[tuple[str, ...], str]]] = {}
    for source in (everyday, *(_iso_names(translate) for translate in _translations(language))):
        for name, code in source:
            for words in {tuple(_words(spelling, language)) for spelling in _spellings(name)}:
                for word in words:
                    names.setdefault(word[:FEWEST_LETTERS], set()).add((words, code))
    return names


def parts_named(code: str, language: str) -> list[str]:
    """What the parts of a country are called in a language."""
    return list(_listed()["parts"][code][language])


@lru_cache(4096)
def suggest_countries(text: str, languages: tuple[str, ...] = ()) -> str:
    """A question after what a cell may have meant that is no country; "" where nothing comes near."""
    codes = _find_elsewhere(text) or _find_alike(text, languages)
    named = [f"{country_names()[code]} ({code})" for code in codes]
    return f" Did you mean {' or '.join(named)}?" if named else ""


def _find_elsewhere(text: str) -> list[str]:
    """The country that the text is a name, a number, a region or a part of, in whatever language or list."""
    plain = text.strip().upper()
    if code := find_country(text, tuple(LANGUAGES)) or find_part(text)[0] or find_abbreviated(text):
        return [code]
    if found := pycountry.countries.get(numeric=plain.zfill(3)) if plain.isdigit() else None:
        return [found.alpha_2]
    regions: Any = pycountry.subdivisions
    region = regions.get(code=plain) if "-" in plain else None
    return [region.country_code] if region else [code for code in _IN_STATES if text.casefold() in _state_names(code)]


@cache
def _state_names(country: str) -> frozenset[str]:
    """The codes and names of a country's states, in small letters."""
    regions: Any = pycountry.subdivisions
    names = (name for state in regions.get(country_code=country) for name in (state.code.partition("-")[2], state.name))
    return frozenset(name.casefold() for name in names)


def _find_alike(text: str, languages: tuple[str, ...]) -> list[str]:
    names = {key: code for language in reversed(("en", *languages)) for key, code in _names(language).items()}
    key = " ".join(sorted(_words(text, "en")))
    alike = process.extract(key, names.keys(), scorer=fuzz.ratio, limit=6, score_cutoff=LEAST_LIKE)
    return list(dict.fromkeys(names[name] for name, *_ in alike))[:3]


# -- names


def _find_name(text: str, language: str) -> str:
    names = _names(language)
    return next((names[key] for key in _keys(text, language) if key in names), "")


@lru_cache(4096)
def _fold(text: str) -> tuple[str, ...]:
    """The words of a text without accents, width and case."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter) or letter in _KANA_MARKS)
    return tuple(_WORD.findall(unicodedata.normalize("NFC", plain).translate(_LETTERS)))


def _words(text: str, language: str) -> list[str]:
    """The words of a name, folded, without those that it is the same name without."""
    words = _fold(text)
    is_abbreviation = all(len(word) == 1 for word in words)  # "E.U.A.", of which no letter is a little word
    little = "" if is_abbreviation else _LITTLE_WORDS.get(language, "").split()
    return [_SAME_WORDS.get(word, word) for word in words if word not in little]


def _keys(text: str, language: str) -> set[str]:
    """How a name is compared: its words in any order, and in its own order as one (Hongkong, Viet Nam, U. S. A.)."""
    words = _words(text, language)
    return {" ".join(sorted(words)), "".join(words)} - {""}


def _spellings(name: str) -> set[str]:
    """A name as ISO 3166 writes it, in its natural order, without what stands in brackets, and without umlauts."""
    written = {name, _BRACKETS.sub("", name)}
    natural = {f"{behind} {before}" for before, comma, behind in (text.partition(", ") for text in written) if comma}
    return {spelling for text in written | natural for spelling in (text, text.translate(_UMLAUTS))}


@cache
def _names(language: str) -> Mapping[str, str]:
    """The names of countries in a language, as they are compared, to their codes.

    What two countries could be called by is no name of either; where two sources disagree the first one is right.
    """
    everyday = {name: code for code, names in _listed()["names"].get(language, {}).items() for name in names}
    sources = [everyday.items(), *(_iso_names(translate) for translate in _translations(language))]
    sources += [[(name.partition(",")[0], code) for name, code in _iso_names(_translations(language)[0])]]
    names: dict[str, str] = {}
    for source in sources:
        claims: dict[str, set[str]] = {}
        for name, code in source:
            for key in {key for spelling in _spellings(name) for key in _keys(spelling, language)}:
                claims.setdefault(key, set()).add(code)
        names = {key: codes.pop() for key, codes in claims.items() if len(codes) == 1} | names
    return names


def _iso_names(translate: Callable[[str], str]) -> list[tuple[str, str]]:
    """The names that ISO 3166 gives the countries, in a language."""
    return [
        (translate(name), country.alpha_2)
        for country in pycountry.countries
        for field in ("name", "common_name", "official_name")
        if (name := getattr(country, field, ""))
    ]


def _translations(language: str) -> list[Callable[[str], str]]:
    if language == "en":
        return [str]
    locales = _LOCALES.get(language, (language,))
    return [gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [locale]).gettext for locale in locales]
