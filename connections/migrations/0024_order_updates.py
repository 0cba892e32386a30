from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """All customers of a first load are of one time, so what comes behind one of them is found by its id as well."""

    atomic = False

    dependencies = [
        ('connections', '0023_log_starts'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='connection',
            index=models.Index(fields=['account', 'updated_at', 'id'], name='updates_of_an_account'),
        ),
        RemoveIndexConcurrently(
            model_name='connection',
            name='last_updates_of_an_account',
        ),
    ]
