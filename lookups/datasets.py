"""Files of lists as datasets of django-import-export: read by the function that reads them for `load_lookups`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from import_export.formats.base_formats import CSV
from tablib import Dataset

from lookups.reading import read_table

if TYPE_CHECKING:
    from lookups.reading import Problem

MOST_SAID = 20


class Unreadable(Exception):
    """A file whose rows are not all there; `sentences` say where and what would be right."""

    def __init__(self, problems: list[Problem]) -> None:
        self.sentences = [_say(problem) for problem in problems[:MOST_SAID]]
        if len(problems) > MOST_SAID:
            self.sentences.append(f"There are {len(problems) - MOST_SAID:,} more such rows.")
        super().__init__(*self.sentences)


class ListDataset(Dataset):
    """Knows the line of each row."""

    def __init__(self, *rows: Any, **options: Any) -> None:
        super().__init__(*rows, **options)
        self.lines: list[int] = []


class ListFile(CSV):
    def create_dataset(self, in_stream: str | bytes, **_: Any) -> ListDataset:
        """Raises Unreadable."""
        table = read_table(in_stream if isinstance(in_stream, bytes) else in_stream.encode())
        if table.problems:
            raise Unreadable(table.problems)
        dataset = ListDataset(*(tuple(row.cells.values()) for row in table.rows), headers=table.header)
        dataset.lines = [row.line for row in table.rows]
        return dataset


def _say(problem: Problem) -> str:
    place = ", ".join(part for part in (problem.line and f"line {problem.line}", problem.column) if part)
    said = f"{place}: {f'{problem.value!r} ' if problem.value else ''}{problem.message}"
    return said[:1].upper() + said[1:]
