from django.db import migrations

# A duplicate of a rejected one becomes a duplicate of the one at the end of its chain, where that one stays.
END_CHAINS = """
UPDATE connections_connection SET duplicate_of_id = NULL
WHERE duplicate_of_id IS NOT NULL AND status <> 'rejected';

WITH RECURSIVE chains AS (
    SELECT id, duplicate_of_id AS original_id FROM connections_connection WHERE duplicate_of_id IS NOT NULL
    UNION
    SELECT chains.id, c.duplicate_of_id
    FROM chains JOIN connections_connection c ON c.id = chains.original_id
    WHERE c.duplicate_of_id IS NOT NULL
), ends AS (
    SELECT chains.id, chains.original_id
    FROM chains
    JOIN connections_connection d ON d.id = chains.id
    JOIN connections_connection c ON c.id = chains.original_id
    WHERE c.status <> 'rejected' AND c.account_id = d.account_id
)
UPDATE connections_connection d
SET duplicate_of_id = (SELECT ends.original_id FROM ends WHERE ends.id = d.id), source_digest = ''::bytea
FROM connections_connection o
WHERE o.id = d.duplicate_of_id AND (o.status = 'rejected' OR o.account_id <> d.account_id);

SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_stamp_by_the_database")]

    operations = [migrations.RunSQL(END_CHAINS, migrations.RunSQL.noop)]
