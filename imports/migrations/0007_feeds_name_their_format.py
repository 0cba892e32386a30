from django.db import migrations


def name_formats(apps, schema_editor):
    """A feed without a format took the account's live format, where there was one; from now on it names it."""
    feeds = apps.get_model("imports", "Feed").objects
    live = apps.get_model("imports", "FormatVersion").objects.filter(status="live")
    for feed in feeds.filter(format=None).select_related("account"):
        owner = feed.account.sandbox_of_id or feed.account_id
        formats = set(live.filter(format__account=owner).values_list("format", flat=True))
        if len(formats) == 1:
            feeds.filter(pk=feed.pk).update(format=formats.pop())


class Migration(migrations.Migration):

    dependencies = [
        ("imports", "0006_rejects_header"),
    ]

    operations = [
        migrations.RunPython(name_formats, migrations.RunPython.noop, elidable=True),
    ]
