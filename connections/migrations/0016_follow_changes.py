
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_auto_approval'),
        ('connections', '0015_suggestions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='change',
            name='changes_of_a_run',
        ),
        migrations.RemoveIndex(
            model_name='change',
            name='changes_since',
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['run_id', 'id'], name='changes_of_a_run'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['account', 'at', 'id'], name='changes_in_order'),
        ),
    ]
