"""What connections are found by: of each, the words of all that people know a customer by, in one indexed row.

They are written by the look that follows every run and edit (see `connections.matching.finding`), so imports are never
slower for them. Everything is folded: case, accents and scripts play no part. Beside words a row holds

- `@12`, its account, so that the index finds the customers of an account by themselves,
- `=c1`, its code, as its near-key and as it is written,
- `^galerie lumiere`, each of its names from the beginning,
- `anna@example.com`, e-mails as a whole,
- `*` where there was too much to be stored: such a row may be a customer's with any word.

Rows go with their connection by a trigger of the migrations, whoever deletes it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from anyascii import anyascii
from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction

from connections.near_keys import near_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from django.db.backends.utils import CursorWrapper

LONGEST = 255
"""Characters of a word."""
LARGEST = 200_000
"""Characters of all words of a customer; PostgreSQL takes a megabyte."""
MOST_WORDS_ASKED = 10
_NO_WORD = re.compile(r"[^a-z0-9]+")
_APOSTROPHES = re.compile(r"['’`´ʼ]")
INCOMPLETE = "*"


class Words(SearchQuery):
    """A condition on words, as PostgreSQL writes it (`'@12' & 'gal':*`); they are folded already.

    The planner, which believes that many have a beginning that is rare, is not told which it is, and asks the index.
    """

    template = "(SELECT %(expressions)s::tsquery)"

    def __init__(self, condition: str) -> None:
        super().__init__(condition, search_type="raw")


def word(text: str, *, is_prefix: bool = False) -> str:
    """A word as it stands in conditions and rows; nothing is what no row has, because there are no blank words."""
    escaped = (text[:LONGEST] or " ").replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'{':*' if is_prefix else ''}"


def of_accounts(accounts: Iterable[int] | None) -> str:
    """That a row is of one of these accounts (by id), or of any where none are given."""
    if accounts is None:
        return word("@", is_prefix=True)
    return f"({' | '.join(word(f'@{pk}') for pk in accounts) or word('@')})"


def has_code(text: str) -> str:
    return f"({' | '.join(map(word, codes_of(text)))})"


def starts_with_code(text: str) -> str:
    return f"({' | '.join(word(code, is_prefix=True) for code in codes_of(text))})"


def starts_with_name(text: str) -> str:
    """That one of its names begins with a text that `has_words` is something for."""
    return word(_name(text), is_prefix=True)


def has_words(text: str) -> str:
    """That all words of a text are in the row, each at least as a beginning; blank where there are none."""
    asked = [part for piece in text.split() for part in ([fold(piece)] if _is_mail(piece) else words_in(piece))]
    return " & ".join(word(part, is_prefix=True) for part in dict.fromkeys(asked[:MOST_WORDS_ASKED]))


def has_mail(mail: str) -> str:
    """That a row is of somebody with this e-mail, in any case; a few others may be, too."""
    return f"({word(fold(mail))} | {word(INCOMPLETE)})"


def has_name(name: str) -> str:
    """That one of its names is this one, as far as words tell it; a few others may be, too."""
    return f"({word(_name(name))} | {word(INCOMPLETE)})"


def _name(text: str) -> str:
    return f"^{' '.join(words_in(text))}"


def _is_mail(piece: str) -> bool:
    return "@" in piece.strip("@")


def fold(text: str) -> str:
    """In ASCII and small, whatever the script; of each letter without its marks."""
    return anyascii(unicodedata.normalize("NFKC", text).casefold()).lower()


def words_in(text: str) -> list[str]:
    return [part for part in _NO_WORD.split(fold(text)) if part]


def codes_of(code: str) -> list[str]:
    """The words of a code that is not blank, at least one."""
    return list(dict.fromkeys(f"={form}" for form in (near_key(code), fold(code)) if form))


@transaction.atomic
def find_documents(conditions: list[str], most: int) -> list[list[int]]:
    """For each condition some connections (by id) that fulfil it: all of them, if they are fewer than `most`.

    How many have a word that is rare is not known to the planner, which would read the table for so few.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "SELECT asked.n, found.id FROM unnest(%s::tsquery[]) WITH ORDINALITY asked(condition, n) CROSS JOIN LATERAL"
            " (SELECT connection_id AS id FROM connections_searchdocument WHERE words @@ condition LIMIT %s) found",
            [conditions, most],
        )
        found = _by_condition(cursor, conditions)
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")
    return found


IN_FRONT = (
    "SELECT asked.n, found.id FROM unnest(%(conditions)s::tsquery[]) WITH ORDINALITY asked(condition, n)"
    " CROSS JOIN LATERAL (SELECT id FROM (SELECT id FROM connections_connection {of_accounts}"
    " ORDER BY account_id, customer_code LIMIT %(first)s) front WHERE (SELECT words @@ condition"
    " FROM connections_searchdocument WHERE connection_id = front.id) LIMIT %(most)s) found"
)


def find_in_front(conditions: list[str], accounts: list[int] | None, first: int, most: int) -> list[list[int]]:
    """For each condition some connections (by id) that fulfil it, of the first ones of these accounts, or of all.

    What many customers have is found among few of them; no index is read, which would be for all who have it.
    """
    of_accounts = "" if accounts is None else "WHERE account_id = ANY(%(accounts)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            IN_FRONT.format(of_accounts=of_accounts),
            {"conditions": conditions, "accounts": accounts, "first": first, "most": most},
        )
        return _by_condition(cursor, conditions)


NEAR = (
    "SELECT count(*), count(*) FILTER (WHERE (SELECT words @@ %(condition)s::tsquery FROM connections_searchdocument"
    " WHERE connection_id = near.id)) FROM (SELECT id FROM connections_connection"
    " WHERE (account_id, customer_code) {side} (%(account)s, %(code)s) {of_accounts}"
    " ORDER BY account_id {direction}, customer_code {direction} LIMIT %(most)s) near"
)


def count_near(
    condition: str, accounts: list[int] | None, account: int, code: str, most: int, *, is_before: bool
) -> tuple[int, int]:
    """How many connections of these accounts, or of all, lie behind or before a code of an account, as far as `most`;
    and how many of these fulfil the condition."""
    side, direction = ("<", "DESC") if is_before else (">", "ASC")
    of_accounts = "" if accounts is None else "AND account_id = ANY(%(accounts)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            NEAR.format(side=side, direction=direction, of_accounts=of_accounts),
            {"condition": condition, "accounts": accounts, "account": account, "code": code, "most": most},
        )
        walked, found = cursor.fetchone()
    return walked, found


def _by_condition(cursor: CursorWrapper, conditions: list[str]) -> list[list[int]]:
    """Of rows with a condition's number, from one, and an id: the ids of each condition."""
    found: list[list[int]] = [[] for _ in conditions]
    for number, pk in cursor.fetchall():
        found[number - 1].append(pk)
    return found


def store_documents(cursor: CursorWrapper, account_id: int, connections: Collection[int]) -> None:
    """Write the rows of these connections (by id) of the account anew, as far as they differ."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    mails: defaultdict[int, list[str]] = defaultdict(list)
    cursor.execute(
        "SELECT connection_id, name, city, email FROM connections_address WHERE connection_id = ANY(%(ids)s)"
        " UNION ALL SELECT connection_id, name, '', email FROM connections_buyer WHERE connection_id = ANY(%(ids)s)",
        {"ids": list(connections)},
    )
    for pk, name, city, mail in cursor.fetchall():
        texts[pk] += [name, city]
        mails[pk].append(mail)
    cursor.execute(
        "SELECT id, customer_code, profile_name, customer_alias, alternate_name FROM connections_connection"
        " WHERE id = ANY(%s)",
        [list(connections)],
    )
    rows = [(pk, _row(account_id, code, names, mails[pk], texts[pk])) for pk, code, *names in cursor.fetchall()]
    cursor.execute(
        "INSERT INTO connections_searchdocument AS known (connection_id, words)"
        " SELECT * FROM unnest(%s::bigint[], %s::tsvector[])"
        " ON CONFLICT (connection_id) DO UPDATE SET words = excluded.words WHERE known.words <> excluded.words",
        [[pk for pk, _ in rows], [words for _, words in rows]],
    )


def _row(account_id: int, code: str, names: list[str], mails: list[str], texts: list[str]) -> str:
    kept: dict[str, None] = {f"@{account_id}": None}
    left = LARGEST
    for part in _parts(code, names, mails, texts):
        if part not in kept:
            left -= len(part)
            if left < 0:
                kept[INCOMPLETE] = None
                break
            kept[part] = None
    return " ".join(map(word, kept))


def _parts(code: str, names: list[str], mails: list[str], texts: list[str]) -> Iterator[str]:
    yield from codes_of(code)
    yield from (_name(name) for name in names if name)
    yield from (fold(mail) for mail in mails if mail)
    for text in dict.fromkeys([*names, code, near_key(code), *texts, *mails]):
        yield from words_in(text)
        if (joined := _APOSTROPHES.sub("", text)) != text:
            yield from words_in(joined)
