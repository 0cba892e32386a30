"""Suggest: what is in no list → the entries that may have been meant, and what cannot be seen of the difference."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category, name, normalize

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookups.directory import LookupList

LIKENESS = 60
"""From 0 to 100: how alike two texts must be for one to be suggested for the other."""
CLEARLY_BETTER = 1.5
"""How many times as much others differ that are not suggested beside the best one."""
MOST_SUGGESTED = 3
MOST_COMPARISONS = 200_000_000
"""How many short texts a run compares at most, in some seconds; 10,000 codes beside a list of 5,000 need half of it."""

LONGEST_DIFFERENCE = 8
"""Characters of a difference that is put into words."""

_DASH, _SPACE = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"), re.compile(r"\s+")
_BETWEEN_CODES = re.compile(r"\s*[,;/|+&\n]\s*|\s+")
_CODE_AND_NAME = re.compile(r"(?P<code>\S+?)(?:\s*[-\u2013\u2014:;,/|(\[]\s*|\s+)(?P<name>\S.*?)[)\]]?")


class Suggestion(NamedTuple):
    """An entry that may have been meant: its code and name, and which of the two is like what came."""

    code: str
    name: str
    is_code: bool

    @property
    def text(self) -> str:
        return self.code if self.is_code else self.name


class Suggested(NamedTuple):
    """What was looked for in a list: the text, whether it stands for a code, what was found, and how many comparisons
    that took.
    """

    list_name: str
    text: str
    is_code: bool
    found: list[Suggestion]
    cost: int


@dataclass(slots=True)
class Budget:
    """How many comparisons are left, so that lists of any length and any number of wrong codes cost little time.

    It is short once it did not last for something.
    """

    left: int = MOST_COMPARISONS
    is_short: bool = False

    def spend(self, texts: int, length: int) -> bool:
        """Whether a text of a length may be compared with so many others."""
        cost = texts * (1 + length // 32)
        if cost > self.left:
            self.is_short = True
            return False
        self.left -= cost
        return True


class Suggestions:
    """The codes and names of a list, made comparable once."""

    def __init__(self, entries: LookupList, budget: Budget) -> None:
        self.entries = entries
        self.budget = budget
        codes, names = list(entries.ids), list(dict.fromkeys(filter(None, entries.names.values())))
        self.codes = _Texts(codes)
        # A price type is a currency and a label; the label alone is no name that could stand in its place.
        self.names = _Texts(names if entries.name != "price_types" else [])
        self.found: dict[tuple[str, bool], Suggested] = {}

    def close_to(self, text: str, *, is_code: bool) -> list[Suggestion] | None:
        """Up to three entries that look like a code or a name, the closest first; none when the budget is used up.

        What is the same but for case, spaces, dashes or the order of words is meant, and nothing else; else codes are
        compared with a code and names with a name, and the other kind where that finds nothing.
        """
        known = self.found.get((text, is_code))
        if known is None:
            left = self.budget.left
            folded, kinds = fold(text), (is_code, not is_code)
            ways = (folded, _sort_words(folded))
            texts = [(kind, other) for kind in kinds for way in ways for other in self._texts(kind).same.get(way, ())]
            for kind in kinds:
                if texts:
                    break
                close = self._texts(kind).close_to(folded, self.budget)
                if close is None:
                    return None
                texts = [(kind, other) for other in close]
            entries = dict.fromkeys(entry for kind, other in texts for entry in self._entries(other, is_code=kind))
            found = list(entries)[:MOST_SUGGESTED]
            known = Suggested(self.entries.name, text, is_code, found, left - self.budget.left)
            self.found[text, is_code] = known
        return known.found

    def split(self, text: str) -> list[str]:
        """The codes that one cell holds, where it holds several and nothing else."""
        codes = [self.codes.same.get(fold(part), [""])[0] for part in _BETWEEN_CODES.split(text)]
        return codes if len(codes) > 1 and all(codes) else []

    def code_with_name(self, text: str) -> str:
        """The code of the entry whose code and name one cell holds, such as "N30 - Net 30"; "" for none."""
        found = _CODE_AND_NAME.fullmatch(text.strip())
        codes = self.codes.same.get(fold(found["code"]), ()) if found else ()
        return next((code for code in codes if found and fold(self.entries.names[code]) == fold(found["name"])), "")

    def _texts(self, are_codes: bool) -> _Texts:
        return self.codes if are_codes else self.names

    def _entries(self, text: str, *, is_code: bool) -> Iterable[Suggestion]:
        codes = [text] if is_code else self.entries.codes_named(text)
        return (Suggestion(code, self.entries.names[code], is_code) for code in codes)


@dataclass(slots=True)
class _Texts:
    """Texts as they are compared, and which of them are the same then."""

    texts: list[str]
    folded: list[str] = field(init=False)
    same: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.folded = [fold(text) for text in self.texts]
        self.same = {}
        for text, folded in zip(self.texts, self.folded, strict=True):
            for way in {folded, _sort_words(folded)}:
                self.same.setdefault(way, []).append(text)

    def close_to(self, folded: str, budget: Budget) -> list[str] | None:
        if not budget.spend(len(self.texts), len(folded)):
            return None
        matches = process.extract(
            folded, self.folded, scorer=fuzz.ratio, processor=None, limit=MOST_SUGGESTED, score_cutoff=LIKENESS
        )
        return [
            self.texts[index]
            for _, likeness, index in matches
            if 100 - likeness <= (100 - matches[0][1]) * CLEARLY_BETTER
        ]


def _sort_words(folded: str) -> str:
    """A folded text without regard to the order of its words: Diaz, Rosa is Rosa Diaz."""
    return " ".join(sorted(folded.replace(",", " ").split()))


def fold(text: str) -> str:
    """A text as it is compared: in any case and width, with one kind of space and dash, without what is invisible."""
    text = normalize("NFKC", text)
    if not text.isascii():
        text = "".join(letter for letter in _DASH.sub("-", text) if category(letter) != "Cf")
    return _SPACE.sub(" ", text).strip().casefold()


def describe_hidden(sent: str, meant: str) -> str:
    """What two texts differ in that shows badly or not at all; "" where everything shows.

    Such as "The cell has a no-break space (U+00A0); the list has two spaces in a row."
    """
    found = []
    for place, text, other in (("the cell", sent, meant), ("the list", meant, sent)):
        odd = [_describe(letter) for letter in dict.fromkeys(text) if letter not in other and _is_hidden(letter, other)]
        if "  " in text and "  " not in other:
            odd.append("two spaces in a row" if "   " not in text else "several spaces in a row")
        if odd:
            found.append(f"{place} has {' and '.join(odd)}")
    said = "; ".join(found)
    return f"{said[0].upper()}{said[1:]}." if said else ""


def describe_difference(sent: str, meant: str) -> str:
    """What two texts differ in, where that is little: "The cell has 'x', the list has 'y'."; "" where it is more."""
    if hidden := describe_hidden(sent, meant):
        return hidden
    if sent.casefold() == meant.casefold():
        return "They differ in case." if sent != meant else ""
    edits = [edit for edit in Levenshtein.opcodes(sent, meant) if edit.tag != "equal"]
    if len(edits) > 1:
        return ""
    edit = edits[0]
    more, other = sent[edit.src_start : edit.src_end], meant[edit.dest_start : edit.dest_end]
    if len(more) > LONGEST_DIFFERENCE or len(other) > LONGEST_DIFFERENCE:
        return ""
    if more and other:
        return f"The cell has {more!r} where the list has {other!r}."
    at = edit.src_start
    where = (
        "at the beginning" if at == 0 else "at the end" if edit.src_end == len(sent) else f"after {sent[:at][-12:]!r}"
    )
    return f"The cell has {more!r} too much {where}." if more else f"The cell lacks {other!r} {where}."


def _is_hidden(letter: str, other: str) -> bool:
    """Whether a reader would not tell the letter from one that the other text has: spaces, dashes, letters that look
    Latin beside a text that is.
    """
    if letter.isascii():
        return category(letter) == "Cc"
    if letter.isalpha():
        return other.isascii() and not name(letter, "").startswith("LATIN")
    return category(letter)[0] in "ZCP" or category(letter) in ("Mn", "Sk", "Sm")


def _describe(letter: str) -> str:
    called = name(letter, "").lower()
    article = "an" if called[:1] in tuple("aeiou") else "a"
    return f"{article} {called} (U+{ord(letter):04X})" if called else f"the character U+{ord(letter):04X}"
