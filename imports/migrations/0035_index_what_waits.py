from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """While imports go on, which write into both tables."""

    atomic = False

    dependencies = [
        ('imports', '0034_kept_files'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='issue',
            index=models.Index(condition=models.Q(('code', 'unknown_lookup'), ('severity', 'error'), models.Q(('customer_code', ''), _negated=True)), fields=['run', 'line', 'id'], name='issues_that_wait_for_entries'),
        ),
        AddIndexConcurrently(
            model_name='run',
            index=models.Index(condition=models.Q(('dry_run', False), ('held_for', ''), ('kept_file__isnull', False), ('status__in', ['partial', 'rejected']), ('undoes__isnull', True)), fields=['account', '-id'], name='runs_to_replay'),
        ),
    ]
