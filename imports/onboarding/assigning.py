"""Assignment: every field at most one column and every column at most one field, the best way for all of them."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

Row = TypeVar("Row", bound="Hashable")
Choice = TypeVar("Choice", bound="Hashable")


def assign(weights: Mapping[Row, Mapping[Choice, float]]) -> dict[Row, Choice]:
    """The choices of the rows that together weigh most; a row may get none. Weights are positive.

    Shortest augmenting paths over prices (the Hungarian method). Only the choices that a row has are looked at, so
    that a thousand columns with few fields each take a moment.
    """
    matching: _Matching[Row, Choice] = _Matching(weights)
    for row in weights:
        matching.add(row)
    return {row: matching.choice_of[row] for row in weights if row in matching.choice_of}


class _Matching(Generic[Row, Choice]):
    """The best assignment of the rows added so far. Costs are negative weights; going without costs nothing."""

    def __init__(self, weights: Mapping[Row, Mapping[Choice, float]]) -> None:
        self.weights = weights
        self.row_prices: dict[Row, float] = {}
        self.choice_prices: dict[Choice, float] = {}
        self.choice_of: dict[Row, Choice] = {}
        self.holder_of: dict[Choice, Row] = {}

    def _cost(self, row: Row, choice: Choice) -> float:
        return -self.weights[row][choice] - self.choice_prices.get(choice, 0.0)

    def add(self, row: Row) -> None:
        """Give the row a choice or let it go without, and move others along the cheapest way."""
        self.row_prices[row] = min([0.0, *(self._cost(row, choice) for choice in self.weights[row])])
        distances, reached, came_from = {row: 0.0}, dict[Choice, float](), dict[Choice, Row]()
        settled: dict[Choice, float] = {}
        heap, order = list[tuple[float, int, Choice]](), count()
        current, free = row, None
        without, length = row, -self.row_prices[row]  # the row that would go without, and what that costs
        while True:
            distance = distances[current] - self.row_prices[current]
            if distance < length:
                without, length = current, distance
            for choice in self.weights[current]:
                far = distance + self._cost(current, choice)
                if choice not in settled and far < reached.get(choice, float("inf")):
                    reached[choice], came_from[choice] = far, current
                    heappush(heap, (far, next(order), choice))
            while heap and heap[0][2] in settled:
                heappop(heap)
            if not heap or heap[0][0] >= length:
                break
            far, _, choice = heappop(heap)
            settled[choice] = far
            if choice not in self.holder_of:
                free, length = choice, far
                break
            current = self.holder_of[choice]
            distances[current] = far
        for visited, distance in distances.items():
            self.row_prices[visited] += length - distance
        for choice, far in settled.items():
            self.choice_prices[choice] = self.choice_prices.get(choice, 0.0) - (length - far)
        self._move(row, self.choice_of.pop(without, None) if free is None else free, came_from)

    def _move(self, row: Row, choice: Choice | None, came_from: Mapping[Choice, Row]) -> None:
        """Hand a choice that is free now to the row that it was reached from, and so on back to the row."""
        while choice is not None:
            holder = came_from[choice]
            before = self.choice_of.get(holder)
            self.choice_of[holder], self.holder_of[choice] = choice, holder
            choice = before if holder != row else None
