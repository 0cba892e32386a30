"""The same file twice writes nothing but the run."""

import pytest
from django.db import connection

from imports.pipeline import importing
from tests.imports.customer_files import NEW, SAMPLES, SHIPPING


def row_versions() -> dict[str, set[tuple[str, str]]]:
    """Where every row of every table lies and which transaction wrote it: a row written again gets others."""
    with connection.cursor() as cursor:
        versions = {}
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f'SELECT ctid::text, xmin::text FROM "{table}"')
            versions[table] = set(cursor.fetchall())
    return versions


@pytest.mark.parametrize("is_read", [True, False])
def test_the_same_file_again_writes_no_row_but_the_run(send, monkeypatch, is_read):
    if is_read:
        monkeypatch.setattr(importing, "find_same", lambda run, keeper: None)
    text = (SAMPLES / "standard_layout.txt").read_text()
    first = send.text(text)
    before = row_versions()
    second = send.text(text)
    after = row_versions()
    assert second.counts == first.counts | {"created": 0, "unchanged": first.customers}
    assert len(after.pop("imports_run")) == len(before.pop("imports_run")) + 1
    assert after == before
    assert sum(map(len, before.values())) > 100


def test_the_versions_tell_of_a_row_written_again(send):
    send(NEW | SHIPPING)
    before = row_versions()
    send({"customer_code": "C1", **SHIPPING, "shipping_city": "Lyon"})
    after = row_versions()
    assert {table for table in before if before[table] != after[table]} == {
        "imports_keptfile",
        "imports_run",
        "connections_address",
        "connections_change",
        "connections_connection",
        "django_q_ormq",
    }


def test_a_b_a_ends_as_a(send):
    a, b = NEW | {"customer_alias": "A"}, NEW | {"customer_alias": "B"}
    assert [send(row).updated for row in (a, b, a, a)] == [0, 1, 1, 0]
    assert send.customer()["customer_alias"] == "A"
