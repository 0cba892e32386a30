"""An account of very many connections, to which new ones come: how long it takes to find the duplicates among them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generate import header, make_customer, make_file, make_rows, write_lookups  # noqa: E402  (the project's folder must be found first)
from benchmarks.servers import Server  # noqa: E402  (the project's folder must be found first)

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = f"customersync_matching_{os.getpid()}"
NEW = 1000


def measure(customers: int) -> None:
    """Fill an account in a database of its own, in a process of its own, and print what was measured."""
    os.chdir(ROOT)
    server = Server()
    server.create(DATABASE)
    environment = {**os.environ, "DATABASE_URL": server.url(DATABASE), "DEBUG": "on"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            lookups = Path(folder) / "lookups.csv"
            write_lookups(lookups)
            for command in (
                ["migrate", "--verbosity", "0"],
                ["create_account", "benchmark", "--auto-approve"],
                ["load_lookups", str(lookups), "--account", "benchmark"],
            ):
                subprocess.run(
                    [sys.executable, "manage.py", *command], env=environment, check=True, stdout=subprocess.DEVNULL
                )
            subprocess.run([sys.executable, __file__, str(customers), folder], env=environment, check=True)
    finally:
        server.drop(DATABASE)


def work(customers: int, folder: Path) -> None:
    """In the child process."""
    import django

    django.setup()
    from accounts.models import Account
    from connections.matching.finding import look_for_duplicates
    from connections.models import MatchKey, Suggestion
    from imports.pipeline import ImportRequest, import_file

    account = Account.objects.get(code="benchmark")

    def load(name: str, lines: Iterator[str]) -> None:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        run = import_file(ImportRequest(account=account, path=folder / name))
        if run.created == 0 or run.rejected:
            sys.exit(f"{run} did not do its work: {run.counts}")

    def search(what: str) -> None:
        begin, cpu = time.perf_counter(), time.process_time()
        while look_for_duplicates(account.pk, turns=1000):
            pass
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
        print(f"{what}: {seconds:.3f} s ({cpu:.3f} s of them in Python)", flush=True)

    load("known.txt", make_file(customers, "standard"))
    search(f"keys of {customers:,} connections")
    print(f"{MatchKey.objects.count():,} keys")
    Account.objects.update(auto_approval=Account.AutoApproval.NEVER)
    account.refresh_from_db()
    load("new.txt", entered_twice(customers, NEW, "NEW"))
    search(f"suggestions for {NEW:,} new ones among them")
    print(
        f"{Suggestion.objects.values('connection').distinct().count():,} of {NEW // 2:,} that were there already found"
    )
    load("one.txt", entered_twice(customers, 1, "ONE"))
    search("suggestions for one more")


def entered_twice(customers: int, count: int, prefix: str) -> Iterator[str]:
    """The lines of a file of so many new customers: half of them are known ones with another code and a slip."""
    columns = header("standard")
    yield "|".join(columns) + "\n"
    for number in range(count):
        customer = make_customer(1, number if number % 2 else customers + number)
        for row in make_rows("standard", customer):
            slip = {"customer_code": f"{prefix}-{number}", "profile_name": row["profile_name"].replace("e", "a", 1)}
            yield "|".join((row | slip).get(column, "") for column in columns) + "\n"


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "customersync.settings"
    work(int(sys.argv[1]), Path(sys.argv[2]))
