from django.db import migrations, models

import imports.errors

HEADER = ["missing_column", "renamed_column", "doubled_column"]


def fill(apps, schema_editor):
    """What the runs that are held so far are held for stands in their issues, or else it was a limit."""
    held = apps.get_model("imports", "Run").objects.filter(status="held")
    held.update(held_for="limits")
    held.filter(customers=0, issues__code="missing_footer").update(held_for="footer")
    held.filter(customers=0, issues__code__in=HEADER).update(held_for="header")


class Migration(migrations.Migration):

    dependencies = [
        ("imports", "0004_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="held_for",
            field=models.CharField(
                blank=True,
                choices=imports.errors.held_for_choices,
                db_default="",
                default="",
                help_text="Why a held file needs somebody.",
                max_length=30,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
