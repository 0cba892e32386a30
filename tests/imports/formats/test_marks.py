"""Columns that mark customers as deleted, by their headers, and the values that say so."""

import pytest

from imports.formats.marks import MarkKind, find_mark_kind, find_suspects

DELETED, ACTIVE, STATUS, ACTION = MarkKind.DELETED, MarkKind.ACTIVE, MarkKind.STATUS, MarkKind.ACTION


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Deleted", DELETED), ("isInactive", DELETED), ("LOEVM", DELETED), ("Löschkennzeichen", DELETED),
        ("LOESCHKZ", DELETED), ("deleted_at", DELETED), ("Inactive Account", DELETED), ("削除フラグ", DELETED),
        ("Supprimé", DELETED), ("is_active", ACTIVE), ("Active?", ACTIVE), ("Kunde aktiv", ACTIVE), ("启用", ACTIVE),
        ("Status", STATUS), ("Account Status", STATUS), ("customer_status_code", STATUS), ("Statut", STATUS),
        ("action", ACTION), ("Op", ACTION), ("Change Type", ACTION), ("__op", ACTION), ("Blocked", MarkKind.BLOCKED),
        ("class", None), ("Record Type", None), ("Credit Hold", None), ("Order Status", None), ("Type", None),
        ("", None), ("statut juridique", None), ("Valid from", None), ("Last Action Taken By", None),
    ],
)  # fmt: skip
def test_a_header_says_what_kind_of_marks_its_column_has(header, kind):
    assert find_mark_kind(header) is kind


@pytest.mark.parametrize(
    ("kind", "values", "suspects"),
    [
        (STATUS, ["A", "D", ""], ["D"]), (STATUS, ["A", "I"], ["I"]), (STATUS, ["", "X"], ["X"]),
        (STATUS, ["A", "B", "D"], []), (STATUS, ["A", "ACTIVE"], []), (STATUS, ["Gold", "Prospect"], []),
        (STATUS, ["Open", "Closed", "Out of business"], ["Closed", "Out of business"]), (STATUS, ["0", "1"], []),
        (ACTION, ["I", "U", "D"], ["D"]), (ACTION, ["I", "U"], []), (ACTION, ["UPSERT", "DELETE"], ["DELETE"]),
        (DELETED, ["0", "N", "no", "", "false"], []), (DELETED, ["0", "1"], ["1"]), (DELETED, ["x"], ["x"]),
        (DELETED, ["0000-00-00", "00000000", "1900-01-01", "31.12.9999", "20991231"], []),
        (DELETED, ["2026-10-01 10:00:00", "20261001", "01.10.2026"], ["2026-10-01 10:00:00", "20261001", "01.10.2026"]),
        (DELETED, ["Monday", "2"], []),
        (DELETED, ["1", "2"], ["1"]), (ACTIVE, ["Y", "N", ""], ["N"]), (ACTIVE, ["1", "0"], ["0"]), (ACTIVE, ["T"], []),
        (MarkKind.BLOCKED, ["", "Ship", "All"], ["All"]), (None, ["D", "deleted"], ["deleted"]),
    ],
)  # fmt: skip
def test_values_say_so_by_the_kind_of_their_column(kind, values, suspects):
    assert find_suspects(kind, values) == suspects
