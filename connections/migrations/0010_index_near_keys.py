from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0009_fill_near_keys'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='connection',
            name='customer_code_any_case',
        ),
        migrations.AddIndex(
            model_name='connection',
            index=models.Index(fields=['account', 'near_key'], name='near_keys_of_an_account'),
        ),
    ]
