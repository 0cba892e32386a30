"""Whether the change log, and a program that follows it, come to what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.people import Unexpected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.people import World


class Copy:
    """What a program knows that follows the changes, and asks which customers were updated since its last look."""

    def __init__(self, world: World) -> None:
        self.ask = world.program()
        self.customers: dict[int, dict[str, Any]] = {}
        self.changes: list[int] = []
        self.after, self.since = "0", ""

    def poll(self) -> str:
        for page in self._pages(f"changes/?page_size=200&after={self.after}"):
            self.after = page["after"]
            self.changes += [found["id"] for found in page["results"]]
        since = f"&updated_since={self.since}" if self.since else ""
        for number, page in enumerate(self._pages(f"connections/?page_size=200{since}")):
            if not number:
                self.since = page["as_of"]
            self._take(page["results"])
        return "done"

    def _take(self, results: list[dict[str, Any]]) -> None:
        for found in results:
            known = self.customers.get(found["id"])
            if known is None or known["updated_at"] <= found["updated_at"]:
                self.customers[found["id"]] = found

    def _pages(self, place: str) -> Iterator[dict[str, Any]]:
        while place:
            answer = self.ask("get", place)
            if answer.status_code != 200:
                raise Unexpected(f"{answer.status_code} {answer.content.decode()}")
            page = answer.json()
            yield page
            place = (page["next"] or "").partition("localhost")[2]


def find_unexplained(account: Any) -> Iterator[str]:
    """Where the change log, read from its start, does not come to what is stored."""
    from connections.history.origins import OWN, replay
    from connections.history.states import read_states
    from connections.models import Change, Connection

    changes: dict[str, list[Change]] = {}
    for change in Change.objects.filter(account=account).order_by("id").iterator():
        changes.setdefault(change.customer_code, []).append(change)
    states = read_states(Connection.objects.filter(account=account).values_list("pk", flat=True))
    stored = {state.customer_code: state for state in states.values()}
    for code in changes.keys() | stored.keys():
        told = replay(changes.get(code, ()))
        state = stored.get(code)
        for key in told.keys() ^ (state.records.keys() if state else set()):
            yield f"{code} {key} is {'said to be there by the log alone' if key in told else 'not in the log'}"
        for key, values in state.records.items() if state else ():
            if key == OWN:
                values = values | {name: state.review[name] for name in ("status", "duplicate_of")}
            for name, value in values.items():
                origin = told[key].values.get(name) if key in told else None
                if ((origin and origin.value) or None) != (value or None):
                    yield f"{code} {key} {name} is {value!r}; the log says {origin}"


def find_missing(account: Any, copy: Copy) -> Iterator[str]:
    """What the program that polls does not know."""
    from connections.models import Change, Connection

    written = Change.objects.filter(account=account).values_list("pk", flat=True)
    if sorted(copy.changes) != sorted(written):
        yield f"the polling program was told {len(copy.changes)} of {len(written)} changes, or some twice"
    names = ("customer_code", "profile_name", "customer_alias", "alternate_name", "website", "status")
    for pk, *stored in Connection.objects.filter(account=account).values_list("pk", *names):
        known = copy.customers.get(pk)
        if known is None or [known[name] for name in names] != stored:
            yield f"the polling program knows {known and [known[name] for name in names]}, stored is {stored}"
