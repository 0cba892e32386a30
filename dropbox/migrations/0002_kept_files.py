import django.db.models.deletion
from django.db import migrations, models

ADOPT = """
INSERT INTO imports_keptfile (account_id, sha256, key, compressed, created_at)
    SELECT feed.account_id, '', file.old_content, false, file.modified_at
    FROM dropbox_storedfile file JOIN imports_feed feed ON feed.id = file.feed_id;
UPDATE dropbox_storedfile SET content_id = kept.id FROM imports_keptfile kept WHERE kept.key = old_content;
SET CONSTRAINTS ALL IMMEDIATE;
"""
"""Files that lie there stay where they are, as they are."""


class Migration(migrations.Migration):
    dependencies = [("dropbox", "0001_initial"), ("imports", "0034_kept_files")]

    operations = [
        migrations.RenameField("storedfile", "content", "old_content"),
        migrations.AddField(
            "storedfile",
            "content",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="imports.keptfile"
            ),
        ),
        migrations.RunSQL(ADOPT, migrations.RunSQL.noop),
        migrations.RemoveField("storedfile", "old_content"),
        migrations.AlterField(
            "storedfile",
            "content",
            models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="imports.keptfile"),
        ),
    ]
