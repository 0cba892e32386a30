"""What other programs make of customer codes: spreadsheets, keyboards, databases, exports."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

CODES = st.from_regex(
    r"(0{0,3}[1-9][0-9]{1,6}|[A-ZÄÉÑa-zäéß]{1,4}[-/ ]?[0-9]{1,4}|0{1,2}[A-Z]{2}|[А-Я]{2}7)", fullmatch=True
)
"""Codes as ERPs have them."""

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202c\u061c\u180e\ufe0f"
SPACES = " \u00a0\u2007\u202f\u3000"
WRAPPINGS = ('="{}"', "'{}", "\u2019{}", '"{}"', "={}", "+{}", "\u201c{}\u201d", "{}.0", "{},0", "{}.00", "{}.")
FULL_WIDTH = {point: point + 0xFEE0 for point in range(0x21, 0x7F)}
DASHES = "\u2010\u2011\u2013\u2014\u2212\uff0d"


@st.composite
def mangled(draw: st.DrawFn, code: str) -> str:
    """The code after some of these accidents, trimmed; it may have met none."""
    changes = {
        "zeros lost": lambda text: text.lstrip("0") or text,
        "zeros gained": lambda text: draw(st.sampled_from(["0", "000"])) + text,
        "form": lambda text: unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])), text),
        "wide": lambda text: text.translate(FULL_WIDTH),
        "case": lambda text: draw(st.sampled_from([str.upper, str.lower, str.swapcase, str.title]))(text),
        "dashes": lambda text: text.replace("-", draw(st.sampled_from(DASHES))),
        "spaces": lambda text: _put(draw, text, SPACES),
        "invisible": lambda text: _put(draw, text, INVISIBLE),
        "wrapped": lambda text: draw(st.sampled_from(WRAPPINGS)).format(text),
    }
    order = list(changes)
    for name in sorted(draw(st.lists(st.sampled_from(order), max_size=3, unique=True)), key=order.index):
        code = changes[name](code)
    return code.strip()


def _put(draw: st.DrawFn, text: str, characters: str) -> str:
    """The text with one of the characters somewhere within it, behind it or in front."""
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.sampled_from(characters)) + text[place:]
