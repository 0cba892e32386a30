from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0007_originals_stay'),
    ]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='near_key',
            field=models.CharField(db_collation='C', db_default='', editable=False, max_length=100),
        ),
    ]
