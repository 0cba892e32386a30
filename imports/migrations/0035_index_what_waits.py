from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('imports', '0034_kept_files'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='issue',
            index=models.Index(condition=models.Q(('code', 'unknown_lookup'), ('severity', 'error'), models.Q(('customer_code', ''), _negated=True)), fields=['run', 'line', 'id'], name='issues_that_wait_for_entries'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('dry_run', False), ('held_for', ''), ('kept_file__isnull', False), ('status__in', ['partial', 'rejected']), ('undoes__isnull', True)), fields=['account', '-id'], name='runs_to_replay'),
        ),
    ]
