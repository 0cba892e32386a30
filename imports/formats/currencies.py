"""Currencies: what a cell may mean that is no code of ISO 4217: a sign, a name, an abbreviation.

Nothing but a code is read; what is found here is only asked.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from unicodedata import normalize

import pycountry

from lookups.validators import currencies

_CALLED = {
    "EUR": "€|eur€|€uro|eu|ecu",
    "USD": "us$|$us|usd$|u$s|usdollar|american dollar|united states dollar|dollar us|dollar usa|dólar|dólares",
    "USD CAD AUD": "$|dollar|dlr",
    "CAD": "ca$|c$|can|can$|cdn|cdn$|cad$|dollar canadien",
    "AUD": "a$|au$|aud$",
    "NZD": "nz$",
    "HKD": "hk$",
    "SGD": "s$|sg$",
    "TWD": "nt$",
    "MXN": "mx$|mex$|mxp|peso mexicano",
    "BRL": "r$|real|reais",
    "GBP": "£|gb£|stg|ukp|uk£|sterling|pound|british pound|pound sterling|pfund|libra esterlina|livre sterling",
    "CHF": "fr|sfr|sfr.|swiss franc|schweizer franken|franken|franc suisse|franco svizzero",
    "JPY": "jp¥|円|japanese yen",
    "JPY CNY": "¥|￥",
    "CNY": "cn¥|元|rmb|renminbi|yuan|chinese yuan|cnh",
    "SEK NOK DKK": "kr|crown",
    "SEK": "skr|krona|svensk krona",
    "NOK": "nkr|norsk krone",
    "NOK DKK": "krone",
    "DKK": "dkr|dansk krone",
    "PLN": "zł|zl|złoty|zloty|plz",
    "CZK": "kč|kc|czech crown|koruna",
    "HUF": "ft",
    "RUB": "₽|rur|rouble|ruble",
    "TRY": "₺|tl|ytl|trl|turkish lira|lira",
    "INR": "₹|rs|indian rupee",
    "KRW": "₩",
    "ILS": "₪|nis|shekel|new shekel",
    "UAH": "₴",
    "VND": "₫",
    "THB": "฿",
    "ZAR": "rand|south african rand",
}
_WORD = re.compile(r"[^\W\d_]+|[^\w\s.,;:()/\[\]\-]")


def _fold(text: str) -> str:
    """The words and signs of a text, in no case and without what marks a plural."""
    words = _WORD.findall(normalize("NFKC", text).replace("U.S.", "US").casefold())
    return " ".join(word.removesuffix("s") if len(word) > 3 else word for word in words)


@cache
def _meanings() -> dict[str, list[str]]:
    named = {_fold(currency.name): [currency.alpha_3] for currency in pycountry.currencies}
    listed = {_fold(word): codes.split() for codes, words in _CALLED.items() for word in words.split("|")}
    return named | listed


@lru_cache(4096)
def suggest_currencies(text: str) -> str:
    """A question after the currency that a cell may mean; "" where nothing is known by that name."""
    folded = _fold(text)
    within = [word.upper() for word in folded.split() if word.upper() in currencies()]
    codes = _meanings().get(folded) or _meanings().get(folded.replace(" ", "")) or list(dict.fromkeys(within))
    return f" Did you mean {' or '.join(codes)}?" if 0 < len(codes) <= 3 else ""
