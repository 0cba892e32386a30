"""`migrate` beside others that are at work."""

from __future__ import annotations

import threading
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from benchmarks.servers import Server

pytestmark = pytest.mark.django_db(transaction=True)


class Output(StringIO):
    """What it says, and whether it has said that it gives way."""

    def __init__(self) -> None:
        super().__init__()
        self.gives_way = threading.Event()

    def write(self, text: str) -> int:
        if "once more" in text:
            self.gives_way.set()
        return super().write(text)


def test_a_migration_gives_way_to_who_holds_its_table_and_is_done_after():
    call_command("migrate", "django_q", "0017", verbosity=0)
    out = Output()
    with psycopg.connect(Server().dsn, dbname=connection.settings_dict["NAME"]) as importer:
        importer.execute("LOCK TABLE django_q_task IN ROW EXCLUSIVE MODE")

        def end_when_told():
            out.gives_way.wait(60)
            importer.rollback()

        thread = threading.Thread(target=end_when_told)
        thread.start()
        call_command("migrate", "django_q", stdout=out)
        thread.join()
    assert out.gives_way.is_set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), to_regclass('success_index')")
        assert cursor.fetchone() == ("0", "success_index")
