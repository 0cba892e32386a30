"""What cells say in the languages of the data files: countries, currencies, yes and no, terms and carriers."""

from __future__ import annotations

import gettext
import re
from functools import cache

import pycountry

from imports.formats.countries import LANGUAGES, find_abbreviated, find_country, find_part
from imports.formats.widgets import FALSE_WORDS, TRUE_WORDS
from imports.onboarding import vocabulary
from imports.onboarding.vocabulary import fold
from lookups.validators import currencies

_LOCALES = ("de", "fr", "it", "es", "nl", "pt", "pt_BR", "sv", "da", "nb_NO", "fi", "pl", "cs", "hu", "el", "tr", "ja")


class Values:
    """The words of cells in the data files, folded."""

    def __init__(self) -> None:
        listed = vocabulary.load("values")
        self.true = {fold(word) for word in listed["true"]} | TRUE_WORDS
        self.false = {fold(word) for word in listed["false"]} | FALSE_WORDS
        self.kinds = {kind: {fold(word) for word in listed[kind]} for kind in ("B", "S")}
        self.currencies = {fold(word): code for code, words in listed["currencies"].items() for word in words}
        terms = "|".join(re.escape(fold(word)) for word in listed["payment_terms"])
        self.terms = re.compile(rf"\b({terms})\b")
        carriers = "|".join(re.escape(fold(word)) for word in listed["carriers"])
        self.carriers = re.compile(rf"\b({carriers})\b")

    def country(self, text: str) -> str:
        """ISO 3166 code of a country or of what is a part of one, in any of the languages, abbreviated or not; "" for
        none.
        """
        return find_country(text, tuple(LANGUAGES)) or find_part(text)[0] or find_abbreviated(text)

    def currency(self, text: str) -> str:
        """ISO 4217 code of a currency's code, sign or name, "" where it is none."""
        code = text.strip().upper()
        name = fold(text.strip())
        return code if code in currencies() else self.currencies.get(name) or _currency_names().get(name, "")


@cache
def values() -> Values:
    return Values()


@cache
def _currency_names() -> dict[str, str]:
    """The names of currencies in the languages of the data files, folded, to the codes."""
    names = {fold(currency.name): currency.alpha_3 for currency in pycountry.currencies}
    for locale in _LOCALES:
        try:
            translate = gettext.translation("iso4217", pycountry.LOCALES_DIR, languages=[locale]).gettext
        except OSError:
            continue
        for currency in pycountry.currencies:
            names.setdefault(fold(translate(currency.name)), currency.alpha_3)
    return names
