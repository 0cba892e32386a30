from django.db import migrations

FILL = """
    UPDATE connections_change c SET account_id = n.account_id, customer_code = n.customer_code
    FROM connections_connection n WHERE n.id = c.connection_id AND c.account_id = 0
"""


class Migration(migrations.Migration):
    """Changes of connections that are deleted already stay without an account: nothing tells any more whose they were."""

    dependencies = [
        ('connections', '0002_changes_carry_customer'),
    ]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop, elidable=True),
    ]
