"""Marked names: what people write into a customer's name who have no other place to say that it is gone.

"*** CLOSED *** Oak & Ash", "Oak & Ash (inactive)", "DO NOT USE - Oak & Ash". A word alone is none: Closed is a brand.
"""

from __future__ import annotations

import re

from imports.formats.marks import says_gone

_ALSO = """
duplicate duplicated dupe duplikat dublette doublon duplicato duplicado dubbel doppelt blocked gesperrt bloqué bloccato
bloqueado geblokkeerd zablokowany suspended insolvent bankrupt insolvenz konkurs faillite fallito quiebra failliet
liquidated inliquidation liquidazione old notused unused stopship nichtaktiv nonattivo noactivo nietactief
閉店 廃業 取引停止 使用禁止 停业 關閉 关闭 已关闭 倒闭 폐업
"""
"""What says so beside the words of columns, without what stands between their parts."""
_NAMES_TOO = "del dele void voided purge remove removed drop dropped baja debaja disabled old"
"""Words that are parts of names as well: marks in brackets alone."""
_PHRASES = (
    "(?:do not|don'?t) (?:use|order|ship|sell|deliver)",
    "nicht(?: mehr)? (?:verwenden|benutzen|nutzen|beliefern)",
    "ne(?: plus| pas) (?:utiliser|livrer)",
    "non (?:usare|utilizzare)",
    "no (?:usar|utilizar)",
    "n[ãa]o (?:usar|utilizar)",
    "niet(?: meer)? (?:gebruiken|leveren)",
    "nie używać",
    "no longer (?:active|trading|used|in use|in business)",
    "ceased trading",
    "(?:gone )?out of business",
)
_PHRASE = re.compile(rf"\b(?:{'|'.join(_PHRASES)})\b", re.IGNORECASE)
_HINT = re.compile(r"n(?:ot|'t|t|icht|on|o|ão|ao|iet|ie) |ne p|out of |ceased ")
"""What is in every such phrase in small letters; to look for it first is many times as fast."""
_BRACKETED = re.compile(r"[(\[{<（【［]\s*([^()\[\]{}<>（）【】［］]+?)\s*[)\]}>）】］]")
_BETWEEN = re.compile(r"\s*(?:\*+|#{2,}|!{2,}|-{2,}|={2,}|~+)\s*|\s+[-–—/|]\s*|\s*[-–—/|]\s+|:\s+")
"""What stands between a mark and the name."""
_BEHIND = re.compile(r"[\s,.:-]*(?:\b(?:since|as of|on|in|seit|am|depuis|le|dal|desde|sinds|per)\b)?\s*\d[\d./-]*$")
"""A day or a year behind a mark."""
_SIGNS = frozenset("([{<（【［*#!=~:/|–—-")
_TWO_CAPITALS = r"[^\W\d_a-z]{2}"
"""Two letters that are no small ones of ASCII."""
UNMARKED = rf"(?!\W?{_TWO_CAPITALS}|System\.)[^])}}>'\"@{re.escape(''.join(sorted(_SIGNS)))}\n]*(?<!{_TWO_CAPITALS})"
"""A pattern of lines that have no mark unless `may_say_gone`, and are no printed values."""


_WORDS = {name: frozenset(words.split()) for name, words in {"also": _ALSO, "names too": _NAMES_TOO}.items()}


def find_mark(name: str) -> str:
    """The part of a trimmed name that says that the customer is gone or not to be used; "" where none does."""
    if may_say_gone(name) and (phrase := _PHRASE.search(name)):
        return phrase[0]
    if _SIGNS.isdisjoint(name):
        return _find_capitals(name)
    if found := next((piece for piece in _BRACKETED.findall(name) if _is_mark(piece)), ""):
        return found
    pieces = [piece.strip() for piece in _BETWEEN.split(_BRACKETED.sub(" ", name)) if piece.strip()]
    if pieces == [name]:
        return _find_capitals(name)
    return next(
        (piece for piece in pieces[:1] + pieces[-1:] if _is_mark(piece) and piece.lower() not in _NAMES_TOO), ""
    )


def may_say_gone(names: str) -> bool:
    """Whether a look at some names, put together, is worth it."""
    return _HINT.search(names.lower()) is not None


def _find_capitals(name: str) -> str:
    """The first or last word of a name, where it alone is in capitals and says so: Oak & Ash INACTIVE."""
    if not (name[:2].isupper() or name[-1:].isupper()) or name.isupper():
        return ""
    words = name.split()
    capitals = [word for word in words if len(word) > 1 and word.isupper()]
    is_marked = len(capitals) == 1 and capitals[0] in (words[0], words[-1]) and _is_mark(capitals[0])
    return capitals[0] if is_marked and not _is_name_too(capitals[0]) and capitals[0] != "CLOSED" else ""


def _is_mark(text: str) -> bool:
    folded = _BEHIND.sub("", text.casefold().strip(" .,;"))
    return says_gone(folded) or "".join(re.findall(r"\w+", folded)) in _WORDS["also"]


def _is_name_too(mark: str) -> bool:
    return mark.casefold() in _WORDS["names too"]
