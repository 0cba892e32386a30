from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_widths_from_samples(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A format without a header was onboarded from a sample, of which the proposal names every column."""
    versions = apps.get_model("imports", "FormatVersion").objects.filter(has_header=False, width=0)
    for version in versions.exclude(proposal=None):
        of_sample = [column.get("position") or 0 for column in version.proposal.get("columns") or ()]
        mapped = [position or 0 for position in version.columns.values_list("position", flat=True)]
        if of_sample and max(of_sample) >= max(mapped, default=0):
            version.width = max(of_sample)
            version.save(update_fields=["width"])


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0007_feeds_name_their_format"),
    ]

    operations = [
        migrations.AddField(
            model_name="formatversion",
            name="swallowed_lines",
            field=models.CharField(
                choices=[("hold", "hold the file"), ("warn", "only warn")],
                db_default="hold",
                default="hold",
                help_text="What happens to a file in which one cell holds whole lines, as stray quotes make it.",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="formatversion",
            name="width",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text=(
                    "How many cells a row has in a file without a header; 0 where the last mapped column is the last."
                ),
            ),
        ),
        migrations.AlterField(
            model_name="formatversion",
            name="encoding",
            field=models.CharField(
                default="utf-8",
                help_text="Such as utf-8, utf-16, cp1252, iso8859-15, mac-roman, shift_jis.",
                max_length=30,
            ),
        ),
        migrations.AddField(
            model_name="issue",
            name="more",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="How many more of this code were found than are listed."
            ),
        ),
        migrations.RunPython(take_widths_from_samples, migrations.RunPython.noop),
    ]
