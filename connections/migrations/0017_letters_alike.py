from itertools import islice

from django.db import migrations

from connections.near_keys import near_key

FILL = """
    UPDATE connections_connection c SET near_key = n.near_key
    FROM unnest(%s::bigint[], %s::text[]) n(id, near_key) WHERE c.id = n.id AND c.near_key <> n.near_key
"""
BATCH = 10_000


def fill(apps, schema_editor):
    connections = apps.get_model("connections", "Connection").objects
    greek_or_cyrillic = connections.filter(customer_code__regex="[\u0370-\u052f]")
    codes = greek_or_cyrillic.values_list("pk", "customer_code").iterator(BATCH)
    with schema_editor.connection.cursor() as cursor:
        while batch := list(islice(codes, BATCH)):
            cursor.execute(FILL, [[pk for pk, _ in batch], [near_key(code) for _, code in batch]])


class Migration(migrations.Migration):
    """Letters that only look like those of ASCII are no difference of near-keys any more."""

    dependencies = [
        ('connections', '0016_follow_changes'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
