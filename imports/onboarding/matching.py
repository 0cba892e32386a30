"""Matching: each column → the template fields it may be, with a confidence and its evidence.

The header says whose the column is and what of it; the values confirm or contradict; what stands around it says which
address a bare "City" belongs to.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from imports.onboarding import vocabulary
from imports.onboarding.headers import NOTHING, Meaning, read_header
from imports.onboarding.profiles import ENOUGH, Profile
from imports.template import FIELDS, Kind, Target, find_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imports.onboarding.dialects import Table

ADDRESS_PARTS = ("code", "name", "address_1", "address_2", "city", "state", "zip", "country", "email", "phone")
LOCATION_PARTS = ("address_1", "address_2", "city", "state", "zip", "country")
KINDS = ("shipping", "billing")
LEAST = 0.3
"""Below this confidence nothing is proposed."""


@dataclass
class Candidate:
    """A field that a column may be."""

    target: Target
    confidence: float
    evidence: list[str]


@dataclass
class Column:
    """A column of the sample, and what has been found out about it."""

    index: int
    header: str
    profile: Profile
    meanings: tuple[Meaning, ...]
    candidates: dict[Target, Candidate] = field(default_factory=dict)
    known_as_nothing: str = ""

    @property
    def best(self) -> Meaning | None:
        return self.meanings[0] if self.meanings else None

    def propose(self, target: Target, confidence: float, *evidence: str) -> None:
        known = self.candidates.get(target)
        if confidence >= LEAST and (known is None or known.confidence < confidence):
            self.candidates[target] = Candidate(target, min(confidence, 0.99), [text for text in evidence if text])


def read_columns(table: Table) -> list[Column]:
    """The columns of a table, with what their headers say."""
    headers = [text.strip() for text in table.header] or [""] * table.width
    prefix = _common_prefix(headers)
    columns = []
    for index, header in enumerate(headers):
        meanings = read_header(header) if header else ()
        if prefix and header.startswith(prefix) and (not meanings or meanings[0].score < 0.95):
            meanings = read_header(header.removeprefix(prefix))
        columns.append(Column(index, header, Profile([row[index] for row in table.rows]), meanings))
    return columns


def _common_prefix(headers: list[str]) -> str:
    """What a system puts before the names of all its columns, such as "A1_"; "" for no such thing."""
    prefixes = Counter(match[0] for header in headers if (match := re.match(r"[A-Za-z0-9]{1,8}[_.]", header)))
    prefix, count = max(prefixes.items(), key=lambda item: item[1], default=("", 0))
    return prefix if count > len(headers) * 0.6 else ""


def match_columns(columns: list[Column]) -> None:
    """Propose fields for every column."""
    for column in columns:
        _choose_by_values(column)
    blocks = AddressBlocks(columns)
    for column in columns:
        target = find_target(column.header) if column.header else None
        if target is not None:
            column.propose(target, _weigh(column, target, 0.99), f"{column.header!r} is the field's own name")
            continue
        for meaning in column.meanings:
            _propose_meaning(column, meaning, blocks)
        if not column.meanings:
            _propose_by_values(column, blocks, headed=bool(column.header))
    _propose_codes(columns)


# -- what the values say about the header's words


def _choose_by_values(column: Column) -> None:
    """Put the meaning first that the values speak for, where a header's words can mean several."""
    profile = column.profile
    tests: dict[str, Callable[[], float]] = {
        "email": lambda: profile.emails,
        "country": lambda: profile.countries if profile.filled else 1,
        "website": lambda: profile.websites,
        "phone": lambda: profile.phones,
        "zip": lambda: profile.zips,
        "currency": lambda: profile.currencies,
        "address_type": lambda: profile.address_kinds,
    }
    weighed = []
    for meaning in column.meanings:
        score = meaning.score
        if not profile.is_blank and meaning.part in tests and tests[meaning.part]() < 0.3:
            score *= 0.6
        if meaning.part == "state" and profile.countries > 0.9 and profile.length > 3 and profile.states < ENOUGH:
            score *= 0.8
        weighed.append(meaning._replace(score=score))
    column.meanings = tuple(sorted(weighed, key=lambda meaning: -meaning.score))


def _fits(profile: Profile, target: Target) -> tuple[float, str]:
    """How well the values fit a field, from 0 (they contradict it) over 0.5 (they say nothing) to 1; and why."""
    part, kind = target.field.part, target.field.kind
    if profile.is_blank:
        return 0.45, "all its cells are blank"
    typed = {
        Kind.EMAIL: (profile.emails, "e-mail addresses"),
        Kind.COUNTRY: (profile.countries, "countries"),
        Kind.CURRENCY: (profile.currencies, "currencies"),
        Kind.WEBSITE: (profile.websites, "web addresses"),
        Kind.BOOLEAN: (profile.booleans, "yes or no"),
        Kind.ADDRESS_TYPE: (profile.address_kinds, "kinds of address"),
        Kind.INTEGER: (profile.percents, "percentages"),
    }
    if kind in typed:
        share, what = typed[kind]
        return _grade(share), f"{share:.0%} of its values are {what}"
    if part == "zip" and target.field.group != "connection":
        return max(0.3, _grade(profile.zips)), f"{profile.zips:.0%} of its values look like postal codes"
    if part == "phone":
        return max(0.2, _grade(profile.phones)), f"{profile.phones:.0%} of its values look like phone numbers"
    wrong = profile.emails + profile.dates + profile.websites
    if wrong > 0.5:
        return 0.1, "its values are e-mails, dates or web addresses"
    if target.name == "customer_code":
        if profile.fill < 0.95:
            return 0.15, f"it is blank on {1 - profile.fill:.0%} of the rows"
        return (0.85 if profile.codes > 0.9 else 0.5), "its values look like codes" if profile.codes > 0.9 else ""
    if part == "city":
        if profile.letters < 0.5:
            return 0.2, "its values are no words"
        return (0.8 if profile.uniqueness < 0.95 or profile.streets < 0.1 else 0.5), ""
    if part == "address_1":
        return (
            (0.9, "its values look like streets")
            if profile.streets > 0.5
            else (0.5 if profile.letters > 0.5 else 0.2, "")
        )
    if part in ("profile_name", "name") and target.field.group != "price_types":
        return (0.75 if profile.letters > 0.8 else 0.25 if profile.letters < 0.4 else 0.5), ""
    if part == "state":
        few = profile.distinct < 4 < profile.filled / 3 and profile.length < 3 and profile.states < ENOUGH
        wrong_kind = profile.decimals + profile.phones > 0.5 or few
        return (0.85 if profile.states > 0.7 else 0.1 if wrong_kind else 0.55), ""
    return 0.55, ""


def _grade(share: float) -> float:
    return 1.0 if share > 0.9 else 0.8 if share > ENOUGH else 0.35 if share > 0.3 else 0.1


def _weigh(column: Column, target: Target, score: float) -> float:
    """What remains of a header's score, or what is added to it, by the values."""
    fit, _ = _fits(column.profile, target)
    if fit >= 0.7:
        return 1 - (1 - score) * (1.35 - fit)
    if fit >= 0.5:
        return score * 0.97
    return score * (0.9 if fit >= 0.45 else 0.25 + fit)


# -- from meanings to fields


class AddressBlocks:
    """Which columns make an address together, and of which kind a block without a kind is."""

    def __init__(self, columns: list[Column]) -> None:
        self.columns = columns
        self.place: dict[int, tuple[str, int | None, str]] = {}
        """By column: kind ("" for none), number of the block, part."""
        self.inherited: dict[int, str] = {}
        self._place_columns()
        self._inherit_kinds()
        self._number_repeats()
        self.has_type = any(column.best and column.best.part == "address_type" for column in columns) or any(
            _is_address_type(column) for column in columns
        )
        located = {
            kind: {part for of_kind, _, part in self.place.values() if of_kind == kind and part in LOCATION_PARTS}
            for kind in ("", *KINDS)
        }
        self.plain = bool(located[""])
        self.kinds = {kind for kind in KINDS if len(located[kind]) >= 2}
        self.numbers = self._rank_numbers()

    def _place_columns(self) -> None:
        for column in self.columns:
            best = column.best
            if best is None:
                continue
            bare = best.part in (*LOCATION_PARTS, "phone") if best.owner == "" else best.part in ADDRESS_PARTS
            if best.owner in KINDS and (best.part in ADDRESS_PARTS or not best.part):
                self.place[column.index] = (best.owner, best.number, best.part or _alone(column))
            elif best.owner in ("", "address") and bare:
                self.place[column.index] = ("", best.number, best.part)

    def _inherit_kinds(self) -> None:
        """Bare parts that follow "Ship To Name" belong to the ship-to, where it has none of its own."""
        taken = set(self.place.values())
        for column in self.columns:
            kind, number, part = self.place.get(column.index, ("", None, ""))
            if kind not in KINDS or part not in ("name", "address_1", "code"):
                continue
            run: list[int] = []
            for index in range(column.index + 1, len(self.columns)):
                of_kind, of_number, of_part = self.place.get(index, ("?", None, ""))
                if of_kind == "" and of_number in (None, number) and (kind, number, of_part) not in taken:
                    run.append(index)
                elif not (of_kind == "" or self._says_nothing(index)):
                    break
            parts = [self.place[index][2] for index in run]
            fresh = len(set(parts)) == len(parts)
            if fresh and sum(part in LOCATION_PARTS for part in parts) >= 2 and self._has_home(run, column.index):
                for index in run:
                    self.place[index] = (kind, number, self.place[index][2])
                    self.inherited[index] = column.header
                    taken.add(self.place[index])

    def _has_home(self, run: list[int], start: int) -> bool:
        """Whether the run is the starter's: right behind it."""
        return bool(run) and run[0] - start <= 2

    def _says_nothing(self, index: int) -> bool:
        best = self.columns[index].best
        return best is not None and best.part == NOTHING

    def _number_repeats(self) -> None:
        """The same bare part again, as doubled headers have it, begins the next block."""
        seen: dict[tuple[str, int | None, str], int] = defaultdict(int)
        for index in sorted(self.place):
            kind, number, part = self.place[index]
            seen[kind, number, part] += 1
            if seen[kind, number, part] == 1 or number is not None or part not in LOCATION_PARTS:
                continue
            second_line = (kind, number, "address_2")
            if part == "address_1" and self.place.get(index - 1) == (kind, number, part) and not seen[second_line]:
                self.place[index] = second_line
            else:
                self.place[index] = (kind, seen[kind, number, part], part)

    def _rank_numbers(self) -> dict[tuple[str, int | None], int]:
        """The blocks of a kind, numbered from 1 however the file counts them."""
        found: dict[str, set[int | None]] = defaultdict(set)
        for kind, number, _ in self.place.values():
            found[kind].add(number)
        ranks: dict[tuple[str, int | None], int] = {}
        for kind, numbers in found.items():
            for rank, number in enumerate(sorted(numbers, key=lambda number: -1 if number is None else number), 1):
                ranks[kind, number] = rank
        return ranks

    def follows_street(self, column: Column) -> bool:
        return self.place.get(column.index - 1, ("", None, ""))[2] == "address_1"

    @property
    def plain_kind(self) -> str:
        """The group of addresses without a kind: the generic one, unless the other kind has its own block."""
        if self.has_type or not self.kinds:
            return "address"
        if self.kinds == {"shipping"}:
            return "billing"
        if self.kinds == {"billing"}:
            return "shipping"
        return ""

    def targets(self, column: Column, meaning: Meaning) -> Iterator[tuple[Target, float, str]]:
        """Fields of an address for a meaning, each with a factor for the confidence and a reason."""
        kind, number, part = self.place.get(column.index, (meaning.owner, meaning.number, meaning.part))
        if meaning is not column.best:
            kind, number, part = meaning.owner if meaning.owner in KINDS else "", meaning.number, meaning.part
            if kind and not part:
                return
        if part == "terms":
            if kind == "shipping":
                yield Target("shipping_terms"), 0.75, "its values repeat"
            return
        if part not in ADDRESS_PARTS:
            return
        rank = self.numbers.get((kind, number), number or 1)
        if kind in KINDS:
            why = f"it follows {self.inherited[column.index]!r}" if column.index in self.inherited else ""
            factor = 0.92 if why else 1.0
            if kind == "billing" and part in ("email", "phone"):
                return
            yield Target(f"{kind}_{part}", rank), factor, why
            return
        if part == "phone":
            if self.plain_kind == "address" and self.plain:
                yield Target("address_phone", rank), 1.0, ""
            elif "shipping" in self.kinds or self.plain_kind == "shipping":
                yield Target("shipping_phone", 1), 0.85, ""
            return
        if part == "email":  # rather a buyer's
            if self.plain_kind == "address" and self.plain:
                yield Target("address_email", rank), 0.8, ""
            return
        group = self.plain_kind
        if not group:
            return
        if f"{group}_{part}" not in FIELDS:
            return
        why = "" if group == "address" else f"the file has another block for the {_other(group)} address"
        yield Target(f"{group}_{part}", rank), 1.0 if group == "address" else 0.93, why


def _other(kind: str) -> str:
    return "shipping" if kind == "billing" else "billing"


def _alone(column: Column) -> str:
    """What "Ship To" alone is: by the values, a code, a name, a street, or nothing of an address at all."""
    if column.profile.uniqueness < 0.5 and column.profile.filled > 5:
        return "terms"
    return "code" if column.profile.codes > 0.8 else "address_1" if column.profile.streets > 0.6 else "name"


def _is_address_type(column: Column) -> bool:
    """A column of few values that are all words for the two kinds of address."""
    best = column.best
    named = best is not None and (best.part in ("type", "address_type") or (best.part, best.owner) == ("none", "none"))
    return (named or best is None) and column.profile.address_kinds > 0.95 and 1 < column.profile.distinct < 8


@cache
def fields_by_meaning() -> dict[tuple[str, str], str]:
    """The field that an owner and a part make."""
    return {
        (owner, part): name
        for name, meanings in vocabulary.load("fields").items()
        for owner, _, part in (meaning.partition(".") for meaning in meanings)
    }


_CODE_OR_NAME = {
    "warehouse": ("warehouse_code", "warehouse_name"),
    "customer_group": ("customer_group_code", "customer_group_name"),
    "company_number": ("company_number_code", "company_number_name"),
    "payment_terms": ("payment_terms_code", "payment_terms"),
    "customer": ("customer_code", "profile_name"),
}


def _propose_meaning(column: Column, meaning: Meaning, blocks: AddressBlocks) -> None:
    """Propose the fields that a header's meaning stands for, weighed by the values."""
    profile = column.profile
    if _is_address_type(column) and meaning.part in ("type", "address_type", NOTHING):
        column.propose(Target("address_type"), 0.93, meaning.why, "its values are the kinds of address")
        return
    if NOTHING in (meaning.part, meaning.owner):
        if meaning is column.best:
            column.known_as_nothing = f"{meaning.why}, which the template has no field for"
        return
    score = meaning.score
    if meaning.owner in KINDS or (meaning.owner in ("", "address") and meaning.part in ADDRESS_PARTS):
        for target, factor, why in blocks.targets(column, meaning) if _is_place(meaning) else ():
            column.propose(target, _weigh(column, target, score * factor), meaning.why, why, _fits(profile, target)[1])
    pair = _CODE_OR_NAME.get(meaning.owner)
    number = meaning.number if meaning.number else 1
    if pair and meaning.part in ("", "code", "name"):
        looks_like_code = profile.codes > 0.8 and profile.terms < 0.5 and profile.length < 12
        if meaning.owner == "customer" and not meaning.part:
            looks_like_code = profile.codes > 0.8  # a customer's code may be long
        for name, is_code in zip(pair, (True, False), strict=True):
            right = looks_like_code == is_code
            explicit = meaning.part == ("code" if is_code else "name")
            factor = (1.0 if right else 0.8) if explicit else (0.93 if right else 0.3)
            if not explicit and meaning.part:
                factor = 0.8 if right else 0
            if meaning.owner == "customer" and explicit:
                factor = 1.0
            _propose_field(column, meaning, name, number, score * factor)
        return
    field_name = fields_by_meaning().get((meaning.owner, meaning.part))
    if field_name == "sales_rep_code" and profile.persons > 0.7 and profile.codes < 0.5:
        score *= 0.45
    if field_name == "customer_code" and meaning.owner == "" and blocks.follows_street(column):
        column.known_as_nothing = "a number right behind the street is the house's"
        return
    if field_name is not None:
        vague = 0.75 if (meaning.owner, meaning.part) == ("", "code") else 1
        _propose_field(column, meaning, field_name, number, score * vague)
    if meaning.owner in ("", "customer", "address") and meaning.part == "email":
        column.propose(
            Target("buyer_email", number),
            _weigh(column, Target("buyer_email"), score),
            meaning.why,
            _fits(profile, Target("buyer_email"))[1],
        )
    if meaning.owner == "billing" and meaning.part == "email":
        column.propose(Target("buyer_email"), _weigh(column, Target("buyer_email"), score * 0.6), meaning.why)
    if meaning.owner in KINDS and meaning.part == "name":
        column.propose(Target("profile_name"), _weigh(column, Target("profile_name"), 0.6), meaning.why)


def _is_place(meaning: Meaning) -> bool:
    if meaning.owner in KINDS:
        return meaning.part in ADDRESS_PARTS or not meaning.part
    return meaning.part in (*LOCATION_PARTS, "phone", "email") or (
        meaning.owner == "address" and meaning.part in ADDRESS_PARTS
    )


def _propose_field(column: Column, meaning: Meaning, name: str, number: int, score: float) -> None:
    target = Target(name, number if FIELDS[name].repeats else 1)
    if score > 0:
        column.propose(target, _weigh(column, target, score), meaning.why, _fits(column.profile, target)[1])


# -- without words


def _propose_by_values(column: Column, blocks: AddressBlocks, *, headed: bool) -> None:
    """What the values alone say, for a column whose header is unknown or missing."""
    profile = column.profile
    if profile.is_blank:
        return
    factor = 0.75 if headed else 1.0
    group = blocks.plain_kind if headed else "address"
    found: list[tuple[str, float, str]] = []
    if profile.emails > 0.9:
        found.append(("buyer_email", 0.7, "its values are e-mail addresses"))
    elif profile.currencies > 0.95 and profile.length <= 4:
        found.append(("price_type_currency", 0.7, "its values are currencies"))
    elif profile.countries > 0.9 and (profile.length > 1.5) and profile.states < 0.9:
        found.append((f"{group}_country", 0.7, "its values are countries"))
    elif profile.websites > 0.9:
        found.append(("website", 0.65, "its values are web addresses"))
    elif _is_address_type(column):
        found.append(("address_type", 0.65, "its values are the kinds of address"))
    elif not headed:
        found += _guess_without_header(profile)
    for name, confidence, why in found:
        if name in FIELDS:
            column.propose(Target(name), confidence * factor, why)


def _guess_without_header(profile: Profile) -> list[tuple[str, float, str]]:
    guesses = []
    if profile.terms > 0.7:
        guesses.append(("payment_terms", 0.55, "its values read like terms of payment"))
    if profile.dates > 0.5 or profile.decimals > 0.5:
        return []
    if profile.phones > 0.7 and profile.length > 8:
        guesses.append(("address_phone", 0.6, "its values look like phone numbers"))
    elif profile.states > 0.8 and profile.length < 4:
        guesses.append(("address_state", 0.55, "its values are states or provinces"))
    elif profile.zips > 0.8 and 3.5 < profile.length < 9 and profile.letters < 0.4:
        guesses.append(("address_zip", 0.55, "its values look like postal codes"))
    elif profile.streets > 0.6:
        guesses.append(("address_address_1", 0.6, "its values look like streets"))
    elif profile.letters > 0.9 and profile.fill > 0.8 and profile.terms < 0.3:
        many_words = profile.share(lambda cell: " " in cell)
        if profile.uniqueness > 0.85 and many_words > 0.5:
            guesses.append(("profile_name", 0.6, "its values read like names, each its own"))
        guesses.append(("address_city", 0.5 if many_words < 0.5 else 0.35, "its values read like places"))
        if profile.persons > 0.8 and many_words > 0.9:
            guesses.append(("buyer_name", 0.5, "its values read like persons"))
    return guesses


def _propose_codes(columns: list[Column]) -> None:
    """A customer code for files that call it nothing we know: the first column of codes, filled on every row."""
    for column in columns:
        profile = column.profile
        if (
            profile.fill < 0.99
            or profile.emails
            or profile.dates > 0.5
            or profile.decimals > 0.5
            or profile.length > 25
        ):
            continue
        if profile.codes < 0.9 or (profile.phones > 0.5 and profile.length > 9):
            continue
        best = column.best
        named_code = best is not None and (best.part == "code" or column.header.casefold().endswith("id"))
        if best is not None and not named_code:
            continue
        if profile.uniqueness > 0.2:
            confidence = (0.62 if column.index == 0 else 0.45) - (0.1 if profile.uniqueness < 0.5 else 0)
            if best is not None and best.owner not in ("", "customer", "none"):
                continue
            column.propose(Target("customer_code"), confidence, "its values are codes, filled on every row")
