"""What a header says: whose (a ship-to, a sales rep, …) and what of it (a city, a code, …), by its words alone."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import fuzz, process

from imports.onboarding.compounds import take_apart
from imports.onboarding.lexicon import GUESS, find_abbreviated, lexicon
from imports.onboarding.vocabulary import squash, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOSEST = 84
"""From 0 to 100: how alike a misspelt or unknown phrase must be to a known one."""
MOST_WORDS = 10
CLOSE = 0.15
"""How far below the best reading of a header another one may be to count at all."""
SHORTEST_BEGINNING, LONGEST_BEGINNING, BEGINNING = 5, 8, 0.72
"""How many letters of a word a technical name may have kept, and how sure it is."""
UNSURE = 0.75
"""Below this a reading leaves words unread."""
NOTHING = "none"
NO_OWNER = ("customer", "noise")
KINDS = ("shipping", "billing")
"""The owners that are kinds of address."""
LOCATION_PARTS = ("address_1", "address_2", "city", "state", "zip", "country")
GAP = "\0"
"""Stands where a number was taken out; no words across it belong together."""
ANY_PART = ("code", "name")
"""What everything can have."""
_EXAMPLES = re.compile(r"\([^)]*(?:,|\.\.\.|…)[^)]*\)")


class Meaning(NamedTuple):
    """What a header may mean; `score` is from 0 to 1 and `number` what it counts ("Ship To 2 City")."""

    owner: str
    part: str
    number: int | None
    score: float
    why: str


def find_language(headers: Iterable[str]) -> str:
    """The language, other than English, that most of the headers' words are of; "" for none."""
    languages = lexicon().languages
    found = Counter(
        language
        for header in headers
        for word in dict.fromkeys([squash(header), *words_of(header)])
        if "en" not in (of_word := languages.get(word, ["en"]))
        for language in dict.fromkeys(of_word)
    )
    return found.most_common(1)[0][0] if found else ""


@lru_cache(4096)
def read_header(text: str) -> tuple[Meaning, ...]:
    """What a header may mean, the likeliest first; nothing for one whose words are all unknown."""
    best: dict[tuple[str, str, int | None], Meaning] = {}

    def take(meanings: Iterable[Meaning], less: float = 0.0) -> None:
        for meaning in meanings:
            score = meaning.score - less
            if meaning[:3] not in best or best[meaning[:3]].score < score:
                best[meaning[:3]] = meaning._replace(score=score)

    take(_read_text(text))
    if _best_score(best) < 0.9:
        for piece in _pieces(text):
            take(_read_text(piece), 0.06)
    if _best_score(best) < UNSURE and (short := [*_read_abbreviation(text)]):
        best.clear()
        take(short)
    if not best:
        take(_read_beginning(words_of(text)))
    if not best:
        take(_read_likeness(_tokens(text)))
    if guesses := [meaning for meaning in best.values() if meaning.score == GUESS]:
        best = {key: meaning._replace(score=min(meaning.score, GUESS)) for key, meaning in best.items()}
        best |= {meaning[:3]: meaning for meaning in guesses}
    least = _best_score(best) - CLOSE
    close = (meaning for meaning in best.values() if meaning.score >= least)
    return tuple(sorted(close, key=by_score))


def by_score(meaning: Meaning) -> tuple[float, bool]:
    """Sorts the likeliest meaning first, and of two alike the one that is a field."""
    return -meaning.score, NOTHING in (meaning.owner, meaning.part)


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(piece for word in words_of(_EXAMPLES.sub(" ", text)) for piece in take_apart(word))[:MOST_WORDS]


def _read_text(text: str) -> Iterator[Meaning]:
    tokens = _tokens(text)
    if tokens:
        yield from _read_phrase(text, tokens)
        yield from _read_words(text, tokens)


def _best_score(meanings: dict[tuple[str, str, int | None], Meaning]) -> float:
    return max((meaning.score for meaning in meanings.values()), default=0.0)


def _pieces(text: str) -> list[str]:
    """What a header says twice or beside the point: without its parentheses, and each side of a slash."""
    bare = re.sub(r"\(.*?\)|\[.*?\]", " ", text).strip()
    sides = re.split(r"\s*[/|]\s*|\s+-\s+", bare)
    if any(not any(letter.isalpha() for letter in side) for side in sides):  # "City - 1"
        sides = []
    return [piece for piece in dict.fromkeys([bare, *sides]) if piece and piece != text]


def _read_phrase(text: str, tokens: tuple[str, ...]) -> Iterator[Meaning]:
    """The header as a whole, with its number and without."""
    phrases = lexicon().phrases
    for owner, part, score in phrases.get("".join(tokens), ()):
        yield Meaning(owner, part, None, score, f"{text!r} is a name for it")
    for number, rest in _numbers(tokens):
        for owner, part, score in phrases.get("".join(rest).replace(GAP, ""), ()):
            yield Meaning(owner, part, number, score - 0.03, f"{text!r} is a name for it, numbered {number}")


def _read_words(text: str, tokens: tuple[str, ...]) -> Iterator[Meaning]:
    """An owner's words and a part's words, in any order, with a number and words that say nothing beside them."""
    known = lexicon()
    for number, words in ((None, tokens), *_numbers(tokens)):
        for part, of_part, rest in _cut(words, known.parts):
            if part == "address_1" and number is None and _says_address(of_part) and any(map(_says_code, rest)):
                continue  # the address's code
            owner, left = _read_owner(rest)
            if part == "code" and rest and all(map(_says_address, rest)):
                owner, of_part = "address", "".join(words)
            left = _drop_said(left, part, counted=number is not None)
            score = 0.93 + min(len(of_part), 20) / 1000 - 0.22 * len(left) - (0.02 if number is not None else 0)
            if number is not None and rest and words[-1] != GAP and tokens[-1].isdecimal():
                score -= 0.01  # a number at the end counts the block, as in the template
            if left and owner == "" and len(of_part) <= len("".join(left)):
                score -= 0.15
            if part == NOTHING and not rest:
                score = 0.99
            if score > 0.3:
                unknown = f", but {' '.join(left)!r} is unknown" if left else ""
                yield Meaning(owner, part, number, score, f"{text!r} says {_say(owner, part)}{unknown}")
        owner, left = _read_owner(words)
        left = tuple(word for word in left if number is None or not (word == GAP or word.isdigit()))
        whole = "".join(words).replace(GAP, "")
        if owner or "customer" in known.owners.get(whole, ()):
            score = 0.9 - 0.25 * len(left)
            if score > 0.3:
                yield Meaning(owner or "customer", "", number, score, f"{text!r} says {_say(owner or 'customer', '')}")


def _drop_said(words: tuple[str, ...], part: str, *, counted: bool) -> tuple[str, ...]:
    """The words without the number, and without those that say no more than the part.

    They say it again ("Department/Canton") or only that it has a code or a name ("Country Name").
    """
    parts = lexicon().parts
    said = {part} if part in (*ANY_PART, NOTHING) else {part, *ANY_PART}
    counts = (word for word in words if not (counted and (word == GAP or word.isdigit())))
    return tuple(word for word in counts if not said & set(parts.get(word, ())))


def _says_address(word: str) -> bool:
    """Whether a word says that it is about an address, and nothing else: "Dirección"."""
    known = lexicon()
    return "noise" in known.owners.get(word, ()) and "address_1" in known.parts.get(word, ())


def _says_code(word: str) -> bool:
    return "code" in lexicon().parts.get(word, ())


def _say(owner: str, part: str) -> str:
    """The words that evidence uses: "shipping city", "something else of a contact"."""
    words = [owner.replace("_", " "), "something" if part == NOTHING else part.replace("_", " ")]
    return " ".join(word for word in words if word and word != NOTHING)


def _read_owner(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The owner that most of the words say, and the words that are left over; words of no owner are dropped."""
    terms = _read_terms(words)
    if terms and not terms[1]:
        return terms
    owner, left = "", words
    best = 0
    owners = lexicon().owners
    for name, spelling, rest in _cut(words, owners):
        if name not in NO_OWNER and len(spelling) > best:
            owner, left, best = name, rest, len(spelling)
    left = tuple(word for word in left if not owner or owner not in owners.get(word, ()))  # said twice: "ShipToStore"
    return owner, _drop_noise(left)


def _read_terms(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Terms of payment or of shipping that are said by two words, "condiciones" and "envío", and the words beside."""
    known = lexicon()
    about = [word for word in words if word not in known.terms["conditions"]]
    if len(about) == len(words):
        return None
    payment = [word for word in about if word in known.terms["payment"]]
    shipping = [word for word in about if "shipping" in known.owners.get(word, ())]
    if bool(payment) == bool(shipping):
        return None
    said = payment or shipping
    rest = _drop_noise(tuple(word for word in about if word not in said))
    return "payment_terms" if payment else "shipping_terms", rest


def _drop_noise(words: tuple[str, ...]) -> tuple[str, ...]:
    owners = lexicon().owners
    while words:
        for start, end in _windows(len(words)):
            if any(name in NO_OWNER for name in owners.get("".join(words[start:end]), ())):
                words = words[:start] + words[end:]
                break
        else:
            return words
    return words


def _cut(words: tuple[str, ...], table: dict[str, list[str]]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every run of words that stands in the table: what it means, its spelling, and the words around it."""
    for start, end in _windows(len(words)):
        spelling = "".join(words[start:end])
        for name in table.get(spelling, ()):
            yield name, spelling, words[:start] + words[end:]


def _windows(length: int) -> Iterable[tuple[int, int]]:
    return [
        (start, end) for size in range(length, 0, -1) for start in range(length - size + 1) for end in [start + size]
    ]


def _numbers(tokens: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each number in the header that may count a block, the last first, and the words with a gap where it stood."""
    for index in reversed(range(len(tokens))):
        if tokens[index].isdecimal() and len(tokens[index]) < 3 and len(tokens) > 1:
            yield int(tokens[index]), (*tokens[:index], GAP, *tokens[index + 1 :])


def _read_abbreviation(text: str) -> Iterator[Meaning]:
    """What a header says whose words end with points: "F. pago", "List."; nothing where it may be short for several."""
    number = next((int(word) for word in words_of(text) if word.isdecimal() and len(word) < 3), None)
    meant = {meaning: phrase for phrase, meaning in find_abbreviated(text)}
    owners = {owner for owner, _ in meant}
    if len(owners) != 1 or any(NOTHING in meaning for meaning in meant):
        return
    part = next(iter(meant))[1] if len(meant) == 1 else ""
    yield Meaning(owners.pop(), part, number, BEGINNING, f"{text!r} is short for {min(meant.values(), key=len)!r}")


def _read_beginning(tokens: tuple[str, ...]) -> Iterator[Meaning]:
    """What a word means of which only the beginning stands there, as in names of eight letters: "INDIRI", "NAZION"."""
    *words, number = tokens if tokens and tokens[-1].isdecimal() else (*tokens, "")
    text = "".join(words)
    if len(words) != 1 or not SHORTEST_BEGINNING <= len(text) <= LONGEST_BEGINNING:
        return
    parts = lexicon().parts
    whole = min((word for word in parts if word.startswith(text)), key=lambda word: (len(word), word), default="")
    for part in parts.get(whole, ()):
        yield Meaning("", part, int(number) if number else None, BEGINNING, f"{text!r} is the beginning of {whole!r}")


def _read_likeness(tokens: tuple[str, ...]) -> Iterator[Meaning]:
    """What known phrases look like the header: misspelt ones, plurals, other endings."""
    known = lexicon()
    text = "".join(word for word in tokens if not word.isdecimal())
    if len(text) < 4:
        return
    number = next((int(word) for word in tokens if word.isdecimal() and len(word) < 3), None)
    for table in (known.phrases, known.parts, known.owners):
        found = process.extractOne(text, table.keys(), scorer=fuzz.ratio, score_cutoff=LOOSEST)
        if found is None:
            continue
        spelling, likeness, _ = found
        for entry in table[spelling]:
            owner, part = (
                entry[:2] if isinstance(entry, tuple) else ("", entry) if table is known.parts else (entry, "")
            )
            if owner != "noise":
                yield Meaning(owner, part, number, 0.75 * likeness / 100, f"looks like {spelling!r}")


def knows(text: str) -> bool:
    """Whether a cell reads like a header."""
    meanings = read_header(text)
    return bool(meanings) and meanings[0].score >= 0.7 and bool(squash(text))
