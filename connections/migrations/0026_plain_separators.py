from itertools import islice

from django.db import migrations

from connections.near_keys import near_key

FILL = """
    UPDATE connections_connection c SET near_key = n.near_key
    FROM unnest(%s::bigint[], %s::text[]) n(id, near_key) WHERE c.id = n.id AND c.near_key <> n.near_key
"""
BATCH = 10_000


def fill(apps, schema_editor):
    separated = apps.get_model("connections", "Connection").objects.filter(near_key__regex=r"[-_/.,:#\\|]")
    codes = separated.values_list("pk", "customer_code").iterator(BATCH)
    with schema_editor.connection.cursor() as cursor:
        while batch := list(islice(codes, BATCH)):
            cursor.execute(FILL, [[pk for pk, _ in batch], [near_key(code) for _, code in batch]])
    apps.get_model("connections", "MatchingProgress").objects.all().delete()


class Migration(migrations.Migration):
    """Which separator stands in a code, and whether one stands beside letters, is no difference of near-keys any more.

    What connections are found by is written anew, too. Each batch is committed by itself, so that nobody waits for all.
    """

    atomic = False

    dependencies = [
        ('connections', '0025_index_changes_by_people'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
