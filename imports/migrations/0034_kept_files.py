import django.db.models.deletion
from django.core.files.storage import default_storage
from django.db import migrations, models

ADOPT = """
INSERT INTO imports_keptfile (account_id, sha256, key, compressed, created_at)
    SELECT account_id, '', kept_file, false, started_at FROM imports_run WHERE kept_file <> ''
    UNION SELECT account_id, '', rejects_file, false, started_at FROM imports_run WHERE rejects_file <> ''
    UNION SELECT account_id, '', sample, false, created_at FROM imports_format WHERE sample <> ''
    ON CONFLICT DO NOTHING;
UPDATE imports_run SET kept_file_id = kept.id FROM imports_keptfile kept WHERE kept.key = imports_run.kept_file;
UPDATE imports_run SET rejects_file_id = kept.id FROM imports_keptfile kept WHERE kept.key = imports_run.rejects_file;
UPDATE imports_format SET sample_file_id = kept.id, sample_at = now(), sample_name = right(
        regexp_replace(sample, '^.*/sample-\\d+-', ''), 100)
    FROM imports_keptfile kept WHERE kept.key = imports_format.sample;
"""
"""Files that were kept before stay where they are, as they are."""


def adopt_reasons(apps, schema_editor):
    KeptFile, Run = apps.get_model("imports", "KeptFile"), apps.get_model("imports", "Run")
    for run in Run.objects.filter(rejects_file__isnull=False).select_related("rejects_file").iterator():
        key = f"{run.rejects_file.key}.reasons.csv"
        if default_storage.exists(key):
            run.reasons_file = KeptFile.objects.create(account_id=run.account_id, sha256="", key=key, compressed=False)
            run.save(update_fields=["reasons_file"])


def name_copy(label, help_text):
    return models.ForeignKey(
        blank=True,
        db_index=False,
        help_text=help_text,
        null=True,
        on_delete=django.db.models.deletion.RESTRICT,
        related_name="+",
        to="imports.keptfile",
        verbose_name=label,
    )


class Migration(migrations.Migration):
    """Code of the release before still fills the old columns (`kept_file`, `rejects_file`), so they stay for a while."""

    dependencies = [("accounts", "0004_auto_approval"), ("imports", "0033_index_pulls")]

    operations = [
        migrations.CreateModel(
            name="KeptFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(blank=True, help_text="Of the bytes as they came; blank of those of an old layout.", max_length=64, verbose_name="SHA-256")),
                ("size", models.BigIntegerField(help_text="Bytes as they came.", null=True)),
                ("key", models.CharField(help_text="The name in the storage, which no other ever has.", max_length=200, unique=True)),
                ("stored_size", models.BigIntegerField(help_text="Bytes in the storage.", null=True)),
                ("compressed", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="kept_files", to="accounts.account")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("sha256", ""), _negated=True), fields=("account", "sha256"), name="one_kept_file_of_a_content"),
                ],
            },
        ),
        migrations.RemoveIndex("run", "runs_with_files"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("run", "kept_file"),
                migrations.RemoveField("run", "rejects_file"),
                migrations.RemoveField("format", "sample"),
            ],
        ),
        migrations.AddField("run", "kept_file", name_copy("kept copy", "The file as it came.")),
        migrations.AddField("run", "rejects_file", name_copy("rejects", "The rejected rows, with reasons where they have a header.")),
        migrations.AddField("run", "reasons_file", name_copy(None, "The reasons of rejected rows without a header.")),
        migrations.AddField(
            "format",
            "sample_file",
            models.ForeignKey(blank=True, editable=False, help_text="The file that it was proposed of.", null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="imports.keptfile"),
        ),
        migrations.AddField("format", "sample_name", models.CharField(blank=True, db_default="", default="", editable=False, max_length=100)),
        migrations.AddField("format", "sample_at", models.DateTimeField(editable=False, help_text="Since when it is kept.", null=True)),
        *(
            migrations.AddIndex("run", models.Index(condition=models.Q((f"{name}__isnull", False)), fields=[name], name=f"runs_by_{name}"))
            for name in ("kept_file", "rejects_file", "reasons_file")
        ),
        migrations.AddIndex(
            "run",
            models.Index(
                condition=models.Q(
                    ("kept_file__isnull", False), ("rejects_file__isnull", False), ("evidence__isnull", False), _connector="OR"
                ),
                fields=["started_at"],
                name="runs_with_files",
            ),
        ),
        migrations.RunSQL(ADOPT, migrations.RunSQL.noop),
        migrations.RunPython(adopt_reasons, migrations.RunPython.noop),
    ]
