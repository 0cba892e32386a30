"""Drop boxes of earlier releases, brought to what the models are now."""

import io

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db


def migrate(name):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate([("dropbox", name)])


def test_files_of_the_layout_before_stay_where_they_lie_and_can_be_read(box):
    migrate("0001_initial")
    key = default_storage.save(f"dropbox/{box.feed.pk}/0123", io.BytesIO(b"before"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dropbox_storedfile (feed_id, folder, name, whole, size, modified_at, content)"
            " VALUES (%s, 'in', 'a.txt', true, 6, now(), %s)",
            [box.feed.pk, key],
        )
    migrate("0002_kept_files")
    assert box.content("a.txt") == b"before"
    assert box.files().get().content.key == key
