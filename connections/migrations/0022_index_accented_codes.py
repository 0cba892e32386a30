from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0021_kept_values'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='connection',
            index=models.Index(condition=models.Q(('near_key__regex', '[ß-ɏ]')), fields=['account'], name='accented_codes_of_an_account'),
        ),
    ]
