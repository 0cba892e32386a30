"""What a feed reads its files with: the format that it names, whatever goes live."""

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from accounts.sandboxes import add_sandbox
from imports.choosing import find_version_of_feed
from imports.feeds.pulling import pull_feed
from imports.formats.documents import read_format
from imports.models import Feed, FormatVersion
from imports.versioning import save_draft, start_testing
from tests.feeds import drop, make_feed
from tests.imports.test_versioning import DOCUMENT, FILE

pytestmark = pytest.mark.django_db(transaction=True)


def make_live(account, name="erp"):
    draft = save_draft(account, name, read_format(DOCUMENT))
    FormatVersion.objects.filter(pk=draft.pk).update(status="live")
    return draft.format


def test_a_feed_without_a_format_stays_with_the_standard_template_when_one_goes_live(feed, folder):
    make_live(feed.account)
    drop(folder, "1.txt", "C1")
    pull_feed(feed)
    run = feed.runs.get()
    assert (run.status, run.format_name) == ("succeeded", "standard template")


def test_a_feed_reads_with_the_live_version_of_its_format(feed, folder):
    feed.format = make_live(feed.account)
    feed.save()
    (folder / "1.txt").write_text(FILE)
    pull_feed(feed)
    assert feed.runs.get().format_name == "erp@1"


def test_a_feed_of_a_sandbox_reads_with_the_newest_version(account, server):
    sandbox = add_sandbox(account)
    feed = make_feed(sandbox, server, format=make_live(account))
    save_draft(account, "erp", read_format(DOCUMENT))
    assert str(find_version_of_feed(feed)) == "erp@2"


def test_going_live_says_which_feeds_read_with_it_and_which_stay(account, server, tmp_path):
    sandbox = add_sandbox(account)
    version = start_testing(save_draft(account, "erp", read_format(DOCUMENT)))
    make_feed(account, server, "north", format=version.format)
    make_feed(account, server, "south")
    make_feed(account, server, "west", format=make_live(account, "shop"))
    path = tmp_path / "customers.csv"
    path.write_text(FILE)
    call_command("import_customers", str(path), account=sandbox.code, format="erp", stdout=StringIO())
    output = StringIO()
    call_command("promote_format", "erp", account=account.code, to="live", reason="a test", by=None, stdout=output)
    assert "Feeds that read with erp@1 once it is live: north." in output.getvalue()
    assert "Feeds that stay as they are: south (standard template), west (shop)." in output.getvalue()


@pytest.mark.parametrize(("live", "expected"), [([], None), (["erp"], "erp"), (["erp", "shop"], None)])
def test_a_feed_that_took_the_only_live_format_names_it_after_the_migration(account, server, live, expected):
    sandbox = add_sandbox(account)
    feeds = [make_feed(account, server, "own"), make_feed(sandbox, server, "tried")]
    for name in live:
        make_live(account, name)
    named = make_feed(account, server, "named", format=make_live(account, "other")) if not live else None
    FormatVersion.objects.filter(format__name="other").update(status="retired")
    import_module("imports.migrations.0007_feeds_name_their_format").name_formats(apps, connection.schema_editor())
    for feed in feeds:
        feed.refresh_from_db()
        assert (feed.format and feed.format.name) == expected
    if named:
        assert Feed.objects.get(pk=named.pk).format == named.format


def test_an_approved_version_is_announced_before_it_goes_live(account, server, tmp_path, client, admin_user):
    add_sandbox(account)
    version = start_testing(save_draft(account, "erp", read_format(DOCUMENT)))
    make_feed(account, server, "north", format=version.format)
    client.force_login(admin_user)
    page = client.get(f"/admin/imports/formatversion/{version.pk}/go-live/")
    if page.status_code == 404:
        page = client.get(f"/imports/formatversion/{version.pk}/go-live/")
    assert "Feeds that read with erp@1 once it is live: north." in page.content.decode()


def test_the_admin_offers_the_standard_template_as_a_choice(feed, client, admin_user):
    client.force_login(admin_user)
    page = client.get(f"/admin/imports/feed/{feed.pk}/change/")
    assert next(iter(page.context["adminform"].form.fields["format"].choices)) == ("", "the standard template")
    assert "the standard template</option>" in page.content.decode()
