"""People, files and programs that work in one account, each as one action that tells what came of it."""

from __future__ import annotations

import itertools
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.proving import Copy

Action = Callable[[], str]

AT_LEAST = 2
"""How often each does its work, however slow the machine is."""
LISTS = {"payment_terms": ("N30", "N60", "PRE"), "warehouses": ("WH1", "WH2"), "sales_reps": ("REP1", "REP2")}


@dataclass
class Tally:
    """What was done and answered, how long the longest answers took, and what should not have been."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, who: str, answer: str) -> None:
        with self.lock:
            self.answers[who, answer] += 1

    def note_wait(self, path: str, seconds: float) -> None:
        """Of one request; all pages of connections, and all answers of one kind, are told as one."""
        place = re.sub(r"/\d+/", "/…/", path)
        with self.lock:
            self.longest[place] = max(self.longest.get(place, 0.0), seconds)

    def note_error(self, who: str, problem: str) -> None:
        with self.lock:
            self.errors.append(f"{who}: {problem[:500]}")


class Unexpected(Exception):
    """An answer that nobody should get."""


class World:
    """One account, and the doors that people and programs use."""

    def __init__(
        self, account: Any, folder: Path, customers: int, seed: int, tally: Tally, *, user: Any = None
    ) -> None:
        from accounts.tokens import make_token
        from lookups.models import PriceType
        from tests.builders import add_member, make_user

        self.account, self.folder, self.seed, self.tally = account, folder, seed, tally
        self.codes = [f"C{number:04}" for number in range(customers)]
        self.coming = [f"N{number:04}" for number in range(customers // 5)]
        """Codes that files bring and people add by hand."""
        self.price_type = PriceType.objects.filter(account=account)[0].pk
        self.user = user or make_user("rosa")
        if user is None:
            add_member(account, self.user)
        self.token = make_token(self.user, "together")[1]

    def client(self) -> Any:
        """A browser whose requests are timed."""
        from django.test import Client

        tally = self.tally

        class TimedClient(Client):
            def request(self, **request: Any) -> Any:
                began = time.monotonic()
                answer = super().request(**request)
                tally.note_wait(f"{request['REQUEST_METHOD']} {request['PATH_INFO']}", time.monotonic() - began)
                return answer

        return TimedClient(raise_request_exception=False, SERVER_NAME="localhost")

    def browser(self) -> Any:
        client = self.client()
        client.force_login(self.user)
        return client

    def program(self) -> Callable[..., Any]:
        client = self.client()

        def ask(method: str, path: str, data: Any = None) -> Any:
            body = "" if data is None else json.dumps(data)
            headers = {"Authorization": f"Bearer {self.token}"}
            place = path if path.startswith("/") else f"/api/v1/accounts/{self.account.code}/{path}"
            return client.generic(method.upper(), place, body, "application/json", headers=headers)

        return ask

    def pk_of(self, code: str) -> int | None:
        from connections.models import Connection

        return Connection.objects.filter(account=self.account, customer_code=code).values_list("pk", flat=True).first()

    def file(self, chance: random.Random, name: str, codes: list[str]) -> Path:
        from tests.imports.customer_files import NEW, SHIPPING, as_text

        def row(code: str) -> dict[str, str]:
            values = NEW | {"customer_code": code, "profile_name": f"{code} {name}"}
            if chance.random() < 0.5:
                values |= {
                    "customer_alias": f"alias {chance.randrange(9)}",
                    "website": f"https://{chance.choice('abc')}.example",
                }
            if chance.random() < 0.5:
                values |= SHIPPING | {
                    "shipping_code": f"S{chance.randrange(3)}",
                    "shipping_city": name,
                    "create_doors": "y",
                }
            if chance.random() < 0.5:
                values |= {"buyer_email": f"b{chance.randrange(3)}@example.com", "buyer_name": name}
            if chance.random() < 0.5:
                values |= {"payment_terms_code": chance.choice(LISTS["payment_terms"])}
            return values

        path = self.folder / f"{name}.txt"
        path.write_text(as_text(row(code) for code in codes))
        return path


def read_answer(answer: Any) -> str:
    """What a page or the API says, in the words of the report. Raises Unexpected for anything else."""
    text = answer.content.decode()
    if "Try again in a moment" in text:
        return "a file is being imported, try again"
    if answer.status_code >= 500 or "Traceback" in text:
        raise Unexpected(f"{answer.status_code} {text}")
    if "changed while this page was open" in text or answer.status_code == 412:
        return "changed meanwhile"
    if answer.status_code in (400, 404, 409):
        return f"refused: {answer.json()['code']}" if "json" in answer["Content-Type"] else "gone meanwhile"
    return "done" if answer.status_code in (200, 201, 302) else f"answered with {answer.status_code}"


# -- what each does, once; returns what came of it


def importer(world: World, chance: random.Random) -> Callable[[], str]:
    from imports.errors import TryAgainLater
    from imports.pipeline import ImportRequest, import_file

    who = chance.randrange(1000)
    numbers = iter(range(1_000_000))

    def import_one() -> str:
        some = chance.sample(world.codes, len(world.codes) // 3) + chance.sample(world.coming, 3)
        chance.shuffle(some)
        path = world.file(chance, f"file {who}-{next(numbers)}", some)
        try:
            run = import_file(ImportRequest(account=world.account, path=path))
        except TryAgainLater as later:
            if "database" in str(later):
                raise Unexpected(str(later)) from later
            return "put off: the account is taken"
        if run.status not in ("succeeded", "partial"):
            raise Unexpected(f"{run.status}: {run.message} {list(run.issues.values_list('message', flat=True)[:3])}")
        return str(run.status)

    return import_one


def undoer(world: World, chance: random.Random) -> Callable[[], str]:
    from imports.errors import SettingsWrong, TryAgainLater
    from imports.models import Run
    from imports.runs.undoing import undo_run

    def undo_one() -> str:
        time.sleep(chance.random())
        ours = Run.objects.filter(account=world.account)
        first = ours.order_by("pk").values("pk")[:1]  # with whose customers everybody works
        runs = list(ours.applied().exclude(pk__in=first).order_by("-pk")[:6])
        if not runs:
            return "nothing to undo yet"
        run = chance.choice(runs)
        try:
            _, undone = undo_run(run)
        except TryAgainLater as later:
            if "database" in str(later):
                raise Unexpected(str(later)) from later
            return "put off: the account is taken"
        except SettingsWrong:
            return "refused: undone already"
        return "undone, with something left" if undone.left_in_all else "undone"

    return undo_one


def editor(world: World, chance: random.Random) -> Callable[[], str]:
    from tests.pages import filled_in

    client = world.browser()

    def edit() -> str:
        pk = world.pk_of(chance.choice(world.codes))
        page = f"/admin/connections/connection/{pk}/change/"
        opened = client.get(page)
        if opened.status_code != 200:
            return read_answer(opened)
        data = filled_in(opened)
        data["alternate_name"] = f"typed {chance.randrange(1000)}"
        data[chance.choice(["customer_alias", "website"])] = ""
        for name in [name for name in data if name.endswith("-city")][:1]:
            data[name] = f"City {chance.randrange(9)}"
        time.sleep(chance.random() / 5)  # to type it
        answer = client.post(page, data)
        said = read_answer(answer)
        if answer.status_code == 200 and said == "done":
            raise Unexpected(f"a form that says nothing: {answer.content.decode()}")
        if said == "changed meanwhile":
            said = f"{said}, then {read_answer(client.post(page, filled_in(answer)))}"
        return said

    return edit


def housekeeper(world: World, chance: random.Random) -> Callable[[], str]:
    """Adds connections that files bring too, and deletes some."""
    from tests.pages import filled_in

    client = world.browser()

    def keep_house() -> str:
        code = chance.choice(world.coming)
        if pk := world.pk_of(code):
            return read_answer(client.post(f"/admin/connections/connection/{pk}/delete/", {"post": "yes"}))
        page = f"/admin/connections/connection/add/?account={world.account.pk}"
        data = filled_in(client.get(page)) | {"account": world.account.pk}
        data |= {"customer_code": code, "profile_name": "by hand", "connectionpricetype_set-0-lookup": world.price_type}
        answer = client.post(page, data)
        if answer.status_code == 200 and "already exists" in answer.content.decode():
            return "refused: there is one already"
        return read_answer(answer)

    return keep_house


def reviewer(world: World, chance: random.Random) -> Callable[[], str]:
    client = world.browser()

    def decide() -> str:
        chosen = [pk for code in chance.sample(world.codes, 20) if (pk := world.pk_of(code))]
        data = {"action": chance.choice(["approve", "approve", "reject"]), "_selected_action": chosen, "index": "0"}
        return read_answer(client.post("/admin/connections/connection/", data, follow=True))

    return decide


def deciding_program(world: World, chance: random.Random) -> Callable[[], str]:
    ask = world.program()

    def decide() -> str:
        code, other = chance.sample(world.codes, 2)
        verdict = chance.choice(["approve", "approve", "reject"])
        data = {"duplicate_of": other} if verdict == "reject" and chance.random() < 0.5 else None
        return read_answer(ask("post", f"connections/{world.pk_of(code)}/{verdict}/", data))

    return decide


def list_loader(world: World, chance: random.Random) -> Callable[[], str]:
    ask = world.program()

    def load() -> str:
        entries = []
        for name, codes in LISTS.items():
            for code in chance.sample(codes, len(codes)):
                entry = {"list": name, "code": code, "name": f"{code} {chance.randrange(50)}"}
                entries.append(
                    entry | ({"email": f"{code}-{chance.randrange(50)}@example.com"} if name == "sales_reps" else {})
                )
        return read_answer(ask("post", "lookups/", {"entries": entries}))

    return load


ROLES = (
    ("importer", importer), ("importer", importer), ("editor", editor), ("editor", editor),
    ("housekeeper", housekeeper), ("reviewer", reviewer), ("deciding program", deciding_program),
    ("list loader", list_loader), ("undoer", undoer),
)  # fmt: skip
WORKERS = {who for who, _ in ROLES} | {"polling program"}


def work(world: World, copy: Copy, seconds: float, pause: float = 0.0) -> None:
    """Everybody in a thread and a session of their own, until the time is over; each rests between what they do."""
    actions = [(who, role(world, random.Random(f"{world.seed} {number}"))) for number, (who, role) in enumerate(ROLES)]
    actions.append(("polling program", copy.poll))
    work_at_once(world.tally, actions, seconds, pause)


def work_at_once(tally: Tally, actions: list[tuple[str, Action]], seconds: float, pause: float = 0.0) -> None:
    """Repeat each in a thread of its own."""
    deadline = time.monotonic() + seconds

    def repeat(who: str, act: Action) -> None:
        from django.db import connection

        with closing(connection):
            for number in itertools.count():
                if number >= AT_LEAST and time.monotonic() >= deadline:
                    break
                try:
                    tally.note(who, act())
                except Unexpected as answer:
                    tally.note_error(who, str(answer))
                except Exception as error:  # noqa: BLE001  (whatever ends a person's work is counted as an error)
                    tally.note_error(who, f"{type(error).__name__}: {error}")
                time.sleep(pause)

    threads = [threading.Thread(target=repeat, args=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
