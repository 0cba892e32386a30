from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('imports', '0035_index_what_waits'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='reason',
            field=models.TextField(blank=True, db_default='', default='', help_text='Why somebody released or rejected a held file, or asked for this replay or undo, in their words.'),
        ),
    ]
