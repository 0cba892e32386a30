"""Assignment: every field at most one column and every column at most one field, the best way for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

Row = TypeVar("Row", bound="Hashable")
Choice = TypeVar("Choice", bound="Hashable")


def assign(weights: Mapping[Row, Mapping[Choice, float]]) -> dict[Row, Choice]:
    """The choices of the rows that together weigh most; a row may get none. Weights are positive.

    Shortest augmenting paths over potentials (the Hungarian method), with one empty choice for every row.
    """
    rows = [row for row in weights if weights[row]]
    choices: list[Choice | None] = list(dict.fromkeys(choice for row in rows for choice in weights[row]))
    choices += [None] * len(rows)
    costs = [[-weights[row].get(choice, 0.0) if choice is not None else 0.0 for choice in choices] for row in rows]
    height, width = len(rows), len(choices)
    of_row, of_choice = [0.0] * (height + 1), [0.0] * (width + 1)
    matched = [0] * (width + 1)  # the row (from 1) that holds a choice
    for row in range(1, height + 1):
        matched[0] = row
        column = 0
        least = [float("inf")] * (width + 1)
        used = [False] * (width + 1)
        way = [0] * (width + 1)
        while matched[column]:
            used[column] = True
            holder, delta, following = matched[column], float("inf"), 0
            for candidate in range(1, width + 1):
                if used[candidate]:
                    continue
                cost = costs[holder - 1][candidate - 1] - of_row[holder] - of_choice[candidate]
                if cost < least[candidate]:
                    least[candidate], way[candidate] = cost, column
                if least[candidate] < delta:
                    delta, following = least[candidate], candidate
            for candidate in range(width + 1):
                if used[candidate]:
                    of_row[matched[candidate]] += delta
                    of_choice[candidate] -= delta
                else:
                    least[candidate] -= delta
            column = following
        while column:
            matched[column] = matched[way[column]]
            column = way[column]
    return {
        rows[matched[index] - 1]: choice
        for index, choice in enumerate(choices, 1)
        if choice is not None and matched[index] and weights[rows[matched[index] - 1]].get(choice, 0) > 0
    }
