"""Compare codes: the new ones of a file → those that look like a known one, or like each other."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING, cast

from connections.mangled_codes import are_unlike, keys_left, keys_meant
from connections.matching.codes import describe_near, find_near, name_difference
from connections.near_keys import LONGEST, near_key
from imports.template import Target

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from connections.stored import AddressValues
    from imports.files.codes import Codes
    from imports.files.customers import Customer
    from imports.files.mapping import CustomerMapping
    from imports.files.spans import Scan
    from imports.pipeline.judging import Verdict

ASKED_AT_ONCE = 50_000
"""Codes of one query; few files have more new ones."""
COMPARED_AT_ONCE = 1 << 17
"""Codes that are compared as they are; more would take too much memory."""
EXAMPLES = 3


@dataclass
class NearKeys:
    """The near-keys among the new codes of a file.

    `known` has the account's codes that a new one looks like, `doubles` another new code of the file and its number; by
    new code, only for those that have any. What a program makes of a code looks like it, too.
    """

    new: int = 0
    known: dict[str, list[str]] = field(default_factory=dict)
    doubles: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many of the new codes are near-keys."""
        return len(self.known.keys() | self.doubles.keys())

    @property
    def examples(self) -> str:
        pairs = [(code, others[0]) for code, others in islice(self.known.items(), EXAMPLES)]
        pairs += [(code, other) for code, (other, _) in islice(self.doubles.items(), EXAMPLES - len(pairs))]
        return ", ".join(f"{code!r} like {other!r}" for code, other in pairs)

    def warn(self, customer: Customer, scan: Scan, mapping: CustomerMapping) -> None:
        """Say of a new customer which others its code may mean."""
        code = customer.code
        if code in self.known:
            message = (
                f"{code!r} is new, but the account has {describe_near(code, self.known[code])}. "
                "Send the code as the account has it if they are one customer."
            )
        elif code in self.doubles:
            other, number = self.doubles[code]
            message = (
                f"{code!r} is new, and so is that of line {scan.first_line(number):,}: {describe_near(code, [other])}. "
                "Send one code if they are one customer."
            )
        else:
            return
        column, name = mapping.column_label(Target("customer_code")), "customer_code"
        customer.problem(customer.line, "near_key", message, column=column, field=name, value=code, severity="warning")


def find_near_keys(account_id: int, customers: Codes, new: Sequence[int], *, any_known: bool) -> NearKeys:
    """The near-keys among customers that the account does not have, given by number; `any_known`: it has any others.

    Codes that are too long for any connection are left out: they are an error by themselves.
    """

    def read() -> Iterator[str]:
        return (code for code in map(customers.name, new) if len(code) <= LONGEST)

    near = NearKeys(new=sum(1 for _ in read()))
    is_sure = near.new <= COMPARED_AT_ONCE and are_unlike([*read()])
    if not is_sure and (shared := _find_shared(_mark(read(), 1 + len(new) // ASKED_AT_ONCE))):
        near.doubles = {code: (other, customers[other]) for code, other in _find_doubles(read(), shared).items()}
    codes = read() if any_known else iter(())
    while asked := list(islice(codes, ASKED_AT_ONCE)):
        near.known |= find_near(account_id, asked)
    return near


def _mark(codes: Iterable[str], parts: int) -> list[_Marks]:
    """The hashes of the codes' near-keys: all that is kept of most codes, in parts that can be compared one by one."""
    marks: list[_Marks] = [(array("q"), array("q"), array("q")) for _ in range(parts)]
    for code in codes:
        for kind, keys in enumerate(_keys(code)):
            for key in keys:
                mark = hash(key)
                marks[mark % parts][kind].append(mark)
    return marks


def _find_shared(marks: list[_Marks]) -> set[int]:
    """The hashes that tell of two codes."""
    shared: set[int] = set()
    for part in marks:
        own, left, meant = map(sorted, part)
        shared |= {mark for mark, following in pairwise(own) if mark == following}
        shared |= {*left, *meant}.intersection(own) | {*left}.intersection(meant)
    return shared


def _find_doubles(codes: Iterable[str], shared: set[int]) -> dict[str, str]:
    """For codes that look like others among them, or that programs make of each other: another one."""
    doubles: dict[str, str] = {}
    for alike in _group(codes, shared):
        for place, same in enumerate(alike):
            others = [code for other in _LIKE[place] for code in alike[other]]
            for code in same:
                if found := next((other for other in others if other != code), None):
                    doubles.setdefault(code, found)
    return doubles


_Marks = tuple["array[int]", "array[int]", "array[int]"]
"""Hashes of near-keys, by their kind."""
_LIKE = ((0, 1, 2), (0, 2), (0, 1))
"""Keys of which kinds tell of two codes, by the kind of the first one's: what two may have lost both tells nothing."""


def _keys(code: str) -> tuple[tuple[str, ...], Collection[str], Collection[str]]:
    """A code's own near-key, those that it leaves where a part of it is lost, and those that it may have been."""
    own = near_key(code)
    left = keys_left(own)
    return (own,), left, [key for key in keys_meant(code) if key not in left]


def _group(codes: Iterable[str], shared: set[int]) -> Iterable[tuple[list[str], list[str], list[str]]]:
    """The codes that have a near-key with one of these hashes, for each of the near-keys, by its kind."""
    groups: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for code in codes:
        for place, keys in enumerate(_keys(code)):
            for key in keys:
                if hash(key) in shared:
                    groups.setdefault(key, ([], [], []))[place].append(code)
    return groups.values()


def warn_of_near_addresses(verdict: Verdict, mapping: CustomerMapping) -> None:
    """Say which new addresses of a customer have a code that looks like that of another one of the same kind, or stand
    where one does that the file does not mention.
    """
    customer = verdict.customer
    stored = verdict.stored.addresses if verdict.stored else {}
    new = [record for record in verdict.addresses if record.id is None]
    if not new:
        return
    codes: dict[str, list[str]] = {}
    for kind, code in (*stored, *(record.key for record in new)):
        codes.setdefault(kind, []).append(code)
    like = {kind: _find_like(own) for kind, own in codes.items() if len(own) > 1 and not are_unlike(own)}
    if not like and not stored:
        return
    places = {_place(key[0], stored[key].values): key[1] for key in stored if key not in customer.addresses}
    for record in new:
        kind, code = record.key
        values = cast("AddressValues", record.values)
        if other := like.get(kind, {}).get(code):
            known = "the customer has" if (kind, other) in stored else "the file also has"
            said = f"{known} {other!r}, which differs only in {name_difference(code, other)}"
        elif values.address_1 and (other := places.get(_place(kind, values))):
            said = f"the customer has {other!r} with the same name and place, which the file does not mention"
        else:
            continue
        merged = customer.addresses[kind, code]
        target = merged.target("code")
        message = f"{target} {code!r} is new, but {said}. Send the code as it was if they are one address."
        column = mapping.column_label(target)
        customer.problem(
            merged.line, "near_address", message, column=column, field=str(target), value=code, severity="warning"
        )


def _place(kind: str, values: AddressValues) -> tuple[str, ...]:
    """What two addresses of a customer are one by, whatever their codes are."""
    return (kind, *map(str.casefold, (values.name, values.address_1, values.address_2, values.city, values.zip)))


def _find_like(codes: Collection[str]) -> dict[str, str]:
    """For codes that look like another one among them, or may be made of it: that one."""
    keys = {code: near_key(code) for code in codes}
    alike: dict[str, list[str]] = {}
    for code, key in keys.items():
        alike.setdefault(key, []).append(code)
    like: dict[str, str] = {}
    for code, key in keys.items():
        if found := next((other for other in alike[key] if other != code), None):
            like[code] = found
    for code, own in keys.items():
        for meant in (*keys_meant(code), *keys_left(own)):
            for other in alike.get(meant, ()) if meant != own else ():
                like.setdefault(code, other)
                like.setdefault(other, code)
    return like
