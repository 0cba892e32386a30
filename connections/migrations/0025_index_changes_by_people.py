from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether people changed anything since a file came is asked when it comes again, of an account's whole log."""

    atomic = False

    dependencies = [
        ('connections', '0024_order_updates'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='change',
            index=models.Index(condition=models.Q(('run_id', None)), fields=['account', 'at'], name='changes_by_people'),
        ),
    ]
