"""Profiles: what the cells of a column look like, and what they would have to become."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, cached_property
from typing import TYPE_CHECKING

import pycountry

from connections.nothing import says_nothing
from imports.formats.countries import LANGUAGES, find_country, find_part, parts_named
from imports.formats.widgets import FALSE_WORDS, TRUE_WORDS
from imports.onboarding.values import values
from imports.onboarding.vocabulary import fold
from imports.template import Kind
from lookups.validators import currencies

if TYPE_CHECKING:
    from collections.abc import Callable

_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[A-Za-z]{2,}")
_WEBSITE = re.compile(
    r"(https?://|www\.)\S+|[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|net|org|de|fr|it|es|nl|pt|co\.uk|eu|ch|at|be|shop|store|fashion)(/\S*)?",
    re.I,
)
_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4}))([ T]\d{1,2}:\d{2}.*)?|(19|20)\d{6}"
)
_DECIMAL = re.compile(r"-?[€$£]?\s?\d{1,3}([.,' ]?\d{3})*[.,]\d{2,4}")
_PERCENT = re.compile(r"\d{1,3}([.,]\d{1,2})?\s?%?")
_ZIP = re.compile(r"(?=.*\d)(?![A-Z][a-z]{2})[A-Za-z0-9][A-Za-z0-9 -]{2,10}")
_PHONE = re.compile(r"[+(]?[\d][\d\s()./+-]{5,}(\s?(x|ext\.?|Durchwahl)\s?\d+)?", re.I)
_WHOLE = re.compile(r"-?\d+")
_STREET = re.compile(r"(?=.*\d)(?=.*[^\W\d_]{3})(?=.* ).{5,}|(?=.*\d)(?=.*[\u3041-\u9fff\uac00-\ud7a3]{2}).{4,}")
"""Where letters are words, neither spaces nor as many of them are needed."""
_ZIP_AND_CITY = re.compile(
    r"(?:[A-Z]{1,3}[- ])?(?=\S*\d)[A-Z0-9]{2,5}(?:[ -][A-Z0-9]{2,4})? [^\W\d_]{3}\D*"
    r"|[^\W\d_]{3}\D*,? (?:[A-Z]{2} )?\d{4,5}(?:-\d{3,4})?"
)
"""What a line of an address has in one: "50672 Köln", "D-50672 Köln", "Portland, OR 97209"."""
_NAME_OF_PERSON = re.compile(r"[^\W\d_][\w'’.-]*( [^\W\d_][\w'’.-]*){1,3}")
_DAYS = re.compile(r"[A-Z]{0,3}[ -]?0?(7|8|10|14|15|20|21|30|45|60|75|90|120)[ -]?[A-Z]{0,3}", re.IGNORECASE)
"""A short code of terms of payment: N30, 30D, ZB60, 014."""
_MACHINE_KEY = re.compile(
    r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|00(?=\d*[a-z])[0-9a-z]{13}([0-9a-z]{3})?|__export__.*|[0-9a-f]{24,}|(?!000)\d{15,}",
    re.I,
)
_HOUSE_NUMBER = re.compile(r"\d{1,4}( ?[a-zA-Z])?([ /-]{1,3}\d{1,4} ?[a-zA-Z]?)?")
_TAX_NUMBER = re.compile(
    r"(AT|BE|BG|CHE|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)[-. ]?"
    r"(?=.*\d{4})[A-Z0-9.]{7,14}"
)
_NOT_PAID_IN = frozenset(
    {"", "XAU", "XAG", "XPT", "XPD", "XDR", "XSU", "XUA", "XBA", "XBB", "XBC", "XBD", "XTS", "XXX", "XAD"}
    | {"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"}
)
"""Metals, units of account, funds and codes for tests among the currencies of ISO 4217."""
ENOUGH = 0.6
"""The share of the values that must be of a kind for the column to be."""

FLAGS = frozenset("AINS")
"""Signs of cars that alone are no countries but states of a record: active, inactive, new, suspended."""
MOST_ENTRIES = 400
"""There are no more countries, nor currencies, than that, in several spellings."""


@cache
def _states() -> frozenset[str]:
    """The codes of the states, provinces and the like of all countries."""
    return frozenset(code.code.partition("-")[2] for code in pycountry.subdivisions)


class Profile:
    """The cells of one column, trimmed; those that say "nothing", such as NULL, count as blank."""

    def __init__(self, cells: list[str]) -> None:
        trimmed = [cell.strip() for cell in cells]
        words = {cell for cell in trimmed if says_nothing(cell)}
        self.rows = len(trimmed)
        self.says_nothing = bool(words)
        self.blank_words = sorted(word for word in words if any(letter.isalnum() for letter in word))
        self.cells = [cell if cell not in words else "" for cell in trimmed]
        self.counts = Counter(cell for cell in self.cells if cell)
        self.filled = self.counts.total()

    @property
    def is_blank(self) -> bool:
        return not self.filled

    @property
    def fill(self) -> float:
        return self.filled / max(1, self.rows)

    @property
    def distinct(self) -> int:
        return len(self.counts)

    @property
    def uniqueness(self) -> float:
        return self.distinct / max(1, self.filled)

    def share(self, test: Callable[[str], object]) -> float:
        """The share of the filled cells that pass."""
        return sum(count for cell, count in self.counts.items() if test(cell)) / max(1, self.filled)

    @cached_property
    def emails(self) -> float:
        return self.share(_EMAIL.fullmatch)

    @cached_property
    def websites(self) -> float:
        return self.share(lambda cell: _WEBSITE.fullmatch(cell) and "@" not in cell)

    @cached_property
    def countries(self) -> float:
        if self.distinct > MOST_ENTRIES or FLAGS.issuperset(self.counts):
            return 0.0
        return self.share(values().country)

    @cached_property
    def currencies(self) -> float:
        """The share of the cells that name a currency which people pay in."""
        if self.distinct > MOST_ENTRIES:
            return 0.0
        return self.share(lambda cell: values().currency(cell) not in _NOT_PAID_IN)

    @cached_property
    def dates(self) -> float:
        return self.share(_DATE.fullmatch)

    @cached_property
    def decimals(self) -> float:
        return self.share(_DECIMAL.fullmatch)

    @cached_property
    def wholes(self) -> float:
        return self.share(_WHOLE.fullmatch)

    @cached_property
    def zips(self) -> float:
        return self.share(lambda cell: _ZIP.fullmatch(cell) and sum(letter.isdigit() for letter in cell) >= 2)

    @cached_property
    def phones(self) -> float:
        return self.share(lambda cell: _PHONE.fullmatch(cell) and sum(letter.isdigit() for letter in cell) >= 6)

    @cached_property
    def percents(self) -> float:
        return self.share(lambda cell: _PERCENT.fullmatch(cell) and float(re.split(r"[.,\s%]", cell)[0]) <= 100)

    @cached_property
    def booleans(self) -> float:
        words = values()
        return (
            self.share(lambda cell: fold(cell) in words.true or fold(cell) in words.false) if self.distinct < 4 else 0.0
        )

    @cached_property
    def address_kinds(self) -> float:
        kinds = values().kinds
        return (
            self.share(lambda cell: fold(cell) in kinds["B"] or fold(cell) in kinds["S"]) if self.distinct < 8 else 0.0
        )

    @cached_property
    def letters(self) -> float:
        """The share of the cells that are words: with letters, and more of them than digits."""
        return self.share(lambda cell: sum(letter.isalpha() for letter in cell) > len(cell) / 2)

    @cached_property
    def marks(self) -> float:
        """The share of the cells of one or two signs that are no words: A, 01."""
        return self.share(lambda cell: len(cell) < 3 and cell.isascii())

    @cached_property
    def codes(self) -> float:
        """The share of the cells that look like codes: one word, with digits or all in capitals, not long."""
        return self.share(
            lambda cell: (
                len(cell) <= 20
                and " " not in cell
                and (any(letter.isdigit() for letter in cell) or cell.isupper() or len(cell) <= 3)
            )
        )

    @cached_property
    def streets(self) -> float:
        return self.share(lambda cell: _STREET.fullmatch(cell) and "@" not in cell)

    @cached_property
    def states(self) -> float:
        return self.share(lambda cell: cell.isupper() and cell in _states())

    @cached_property
    def terms(self) -> float:
        return self.share(lambda cell: values().terms.search(fold(cell)))

    @cached_property
    def days(self) -> float:
        """The share of the cells that hold a number of days as terms of payment have, with a letter or two."""
        return self.share(lambda cell: len(cell) < 7 and _DAYS.fullmatch(cell) and not cell.isdigit())

    @cached_property
    def is_counter(self) -> bool:
        """Whether the cells count the rows: 1, 2, 3, …"""
        return self.rows > 2 and self.cells == [str(number) for number in range(1, self.rows + 1)]

    @cached_property
    def carriers(self) -> float:
        """The share of the cells that name a carrier, a way of shipping or an Incoterm."""
        return self.share(lambda cell: values().carriers.search(fold(cell)))

    @cached_property
    def machine_keys(self) -> float:
        return self.share(_MACHINE_KEY.fullmatch)

    @cached_property
    def house_numbers(self) -> float:
        return self.share(_HOUSE_NUMBER.fullmatch)

    @cached_property
    def tax_numbers(self) -> float:
        """The share of the cells that are VAT numbers of European countries."""
        return self.share(_TAX_NUMBER.fullmatch)

    @cached_property
    def whole_addresses(self) -> float:
        """The share of the cells with a street, a city and more in one."""
        return self.share(lambda cell: cell.count(",") > 1 and any(letter.isdigit() for letter in cell))

    @cached_property
    def zips_and_cities(self) -> float:
        """The share of the cells with a postal code and a city in one."""
        return self.share(_ZIP_AND_CITY.fullmatch)

    @cached_property
    def persons(self) -> float:
        return self.share(_NAME_OF_PERSON.fullmatch)

    @cached_property
    def length(self) -> float:
        return sum(len(cell) * count for cell, count in self.counts.items()) / max(1, self.filled)

    def languages(self, preferred: str) -> list[str]:
        """Those, as few as there can be, in which the cells name countries that English does not; of two that name as
        many the preferred one.
        """
        unread = {cell for cell in self.counts if not find_country(cell)}
        found: list[str] = []
        order = sorted(LANGUAGES, key=lambda language: language != preferred)
        while unread:
            read = {language: {cell for cell in unread if find_country(cell, (language,))} for language in order}
            best = max(order, key=lambda language: len(read[language]))
            if not read[best]:
                break
            found.append(best)
            unread -= read[best]
        return found

    def value_map(self, kind: Kind, blank: str = "") -> dict[str, str]:
        """What cells must become that a field of this kind does not take as they are."""
        mapped = dict.fromkeys(self.blank_words, blank)
        words = values()
        for cell in self.counts:
            if kind is Kind.COUNTRY and not find_country(cell):
                mapped |= _parts_like(cell) | {cell: words.country(cell)}
            elif kind is Kind.CURRENCY and cell.upper() not in currencies():
                mapped[cell] = words.currency(cell)
            elif kind is Kind.BOOLEAN and cell.lower() not in TRUE_WORDS | FALSE_WORDS:
                mapped[cell] = "true" if fold(cell) in words.true else "false" if fold(cell) in words.false else ""
            elif kind is Kind.ADDRESS_TYPE and cell.upper() not in ("B", "S"):
                mapped[cell] = next((kind for kind, of_kind in words.kinds.items() if fold(cell) in of_kind), "")
        return {cell: value for cell, value in mapped.items() if value or cell in self.blank_words}


def _parts_like(cell: str) -> dict[str, str]:
    """Where a cell names a part of a country, such as England: all its parts in that language."""
    code, language = find_part(cell)
    if not code:
        return {}
    known = cell.casefold()
    return {name: code for name in parts_named(code, language) if name.casefold() != known}
