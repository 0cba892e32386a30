import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("imports", "0005_held_for"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="rejects_header",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="A digest of the header, by which the rejects are known when they come back.",
                max_length=32,
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("rejects_header", ""), _negated=True),
                fields=["account", "rejects_header"],
                name="runs_by_rejects",
            ),
        ),
        migrations.AlterField(
            model_name="feed",
            name="format",
            field=models.ForeignKey(
                blank=True,
                help_text="How its files are read; going live with another format does not change it.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="feeds",
                to="imports.format",
            ),
        ),
    ]
