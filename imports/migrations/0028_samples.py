from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imports", "0027_lanes_of_workers")]

    operations = [
        migrations.AddField(
            model_name="format",
            name="sample",
            field=models.FileField(
                blank=True,
                db_default="",
                default="",
                help_text="The file that it was proposed of.",
                max_length=200,
                upload_to="runs",
            ),
        ),
    ]
