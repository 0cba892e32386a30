from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imports", "0008_widths")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="compared_at",
            field=models.DateTimeField(
                blank=True, help_text="When a file that is left where it lay was last found to be what was taken.", null=True
            ),
        ),
    ]
