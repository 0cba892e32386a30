

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0013_sightings'),
    ]

    operations = [
        migrations.AddField(
            model_name='change',
            name='token',
            field=models.CharField(blank=True, db_default='', help_text="The token of the program that made the change in the person's name, if a program did.", max_length=100),
        ),
        migrations.AddField(
            model_name='change',
            name='values',
            field=models.JSONField(help_text='Of a record that was created or deleted, the values that it got or had; of a connection, with all that belonged to it. Changes from before this was recorded have none.', null=True),
        ),
    ]
