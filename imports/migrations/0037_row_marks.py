from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('imports', '0036_keep_reasons'),
    ]

    operations = [
        migrations.AddField(
            model_name='formatversion',
            name='row_marks',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text="What rows are whose cell in a column holds a mark, such as that of a deletion: leave_out or take, by the column's header or position and the cell."),
        ),
    ]
