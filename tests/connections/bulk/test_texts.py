from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from connections.bulk.merging import copy_some
from connections.bulk.texts import as_copy_text

VALUES = [
    "plain",
    "",
    "Ünïcode 名",
    r"\N",
    r"\.",
    "\\",
    "a\\nb",
    "tab\tline\nreturn\rend",
    "\x07\x0b\x7f\u2028",
    '{"a":"\\n"}',
]


@pytest.mark.django_db
def test_values_come_out_of_copy_as_they_were():
    rows: list[tuple[Any, ...]] = [
        (place, text, None, text.encode(), place % 2 == 0) for place, text in enumerate(VALUES)
    ]
    rows.append((-1, None, 2**40, b"\0\xff\\", None))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE texts (id int, text text, number bigint, data bytea, is_even bool)")
        text = as_copy_text(rows)
        copy_some(cursor, "texts", ["id", "text", "number", "data", "is_even"], text)
        cursor.execute("SELECT * FROM texts")
        found = [(*row[:3], row[3] and bytes(row[3]), row[4]) for row in cursor.fetchall()]
    assert (text.count, found) == (len(rows), rows)
