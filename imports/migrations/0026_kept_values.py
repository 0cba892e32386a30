
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0025_issue_groups'),
    ]

    operations = [
        migrations.AlterField(
            model_name='issue',
            name='severity',
            field=models.CharField(choices=[('error', 'error'), ('warning', 'warning'), ('info', 'information')], max_length=7),
        ),
    ]
