"""A row is found by its line and stands as it came, whatever the file is like."""

from dataclasses import replace

import pytest

from imports.errors import FileRejected
from imports.files.excerpts import read_row_at
from imports.formats.spec import Dialect

COMMA = Dialect(delimiter=",")


def read(tmp_path, data, line, dialect=COMMA):
    path = tmp_path / "file.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_row_at(path, dialect, line)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_row_is_found_by_its_line(tmp_path, end, encoding):
    text = end.join(["code,name", "C1,é", "", 'C2,"two', 'lines"', "C3,ü", "C4,last"])
    dialect = replace(COMMA, encoding=encoding)
    found = {line: read(tmp_path, text.encode(encoding), line, dialect) for line in (1, 2, 4, 6, 7, 8)}
    assert [found[line].row and found[line].row.cells for line in found] == [
        ["code", "name"], ["C1", "é"], ["C2", f"two{end}lines"], ["C3", "ü"], ["C4", "last"], None,
    ]  # fmt: skip
    assert found[2].header == ["code", "name"]


def test_a_row_behind_many_blocks_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("imports.files.sources.BLOCK", 64)
    text = "code,name\n" + "".join(f"C{number},{number}\n" for number in range(500))
    assert [read(tmp_path, text, line).row.cells[1] for line in (2, 250, 501)] == ["0", "248", "499"]
    assert read(tmp_path, text, 502).row is None


def test_wrong_quotes_stand_as_they_came(tmp_path):
    assert read(tmp_path, 'code,name\nC1,"a" b\nC2,x\n', 2).row.fault
    assert read(tmp_path, 'code,name\nC1,"open\nC2,x\n', 2).row.cells == ["C1", '"open']


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(FileRejected, match="empty"):
        read(tmp_path, "", 2)
