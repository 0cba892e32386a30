"""Feeds in the admin: what is shown, what may be changed and by whom, and that no secret is ever seen."""

import io
import json
import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.sandboxes import add_sandbox
from imports import tasks
from imports.admin.feed_forms import find_unread
from imports.copies import drafting
from imports.lanes import Lane
from imports.models import Feed, Heartbeat, Message, Pull, Run, Webhook
from imports.pipeline import Origin
from tests import queue
from tests.builders import add_member, make_account, make_user
from tests.feeds import drop, make_feed
from tests.imports.customer_files import NEW, as_text, import_path
from tests.pages import filled_in
from tests.pages import text_of as words_of
from tests.servers import PASSWORD, make_authority, run_ftp, run_sftp

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "s3cret-of-the-server"
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def rosa(client, account):
    user = make_user("rosa")
    add_member(account, user, "editor")
    client.force_login(user)
    return user


@pytest.fixture
def viewer(client, account):
    user = make_user("vera")
    add_member(account, user, "viewer")
    client.force_login(user)
    return user


@pytest.fixture
def stranger(client):
    """Edits an account, though not the one that all is about; logs in where a test says so."""
    user = make_user("stranger")
    add_member(make_account("northwind"), user, "editor")
    return user


@pytest.fixture
def feed(account):
    return Feed.objects.create(
        account=account, name="erp", protocol="ftp", host="ftp.example.com", user="maison", password=SECRET,
        contacts=["erp@example.com"],
    )  # fmt: skip


def url(page, *args, model="feed"):
    return reverse(f"admin:imports_{model}_{page}", args=args)


def form_of(feed, **changes):
    """What a browser posts when these fields are changed."""
    names = [
        "account", "name", "protocol", "host", "port", "user", "host_key", "ca_bundle", "certificate_fingerprint",
        "url", "folder", "mask", "interval_minutes", "settle_seconds", "last_line", "ready_when", "after_import",
        "processed_folder",
        "failed_folder", "outbox_folder", "while_held", "most_bytes", "most_files", "silent_after_hours", "alert_after",
    ]  # fmt: skip
    values = {name: getattr(feed, name) for name in names}
    values |= {"account": feed.account_id, "enabled": "on", "contacts": "\n".join(feed.contacts)}
    return {name: "" if value is None else value for name, value in {**values, **changes}.items()}


def save(client, feed, **changes):
    """Open the feed's page, change these fields, save it."""
    shown = filled_in(client.get(url("change", feed.pk))).get("_shown", "")
    return client.post(url("change", feed.pk), {**form_of(feed, **changes), "_shown": shown})


def text_of(response):
    return response.content.decode().replace("<wbr>", "")


def errors_of(response):
    return response.context["adminform"].form.errors


def said(response):
    return [str(message) for message in response.context["messages"]]


def queued():
    return [name for name, *_ in queue.queued(Lane.PROMPT)]


# -- the list


def test_the_list_says_how_each_feed_is_doing(client, rosa, account, feed):
    now = timezone.now()

    def make(name, **fields):
        return Feed.objects.create(account=account, name=name, host="h", protocol="ftp", **fields)

    make("fails", failures=3, problem="The server refuses the password. " + "x" * 300, pulled_at=now)
    make("stuck", pulled_at=now, move_problem="The folder processed is missing.")
    make("well", pulled_at=now, file_at=now)
    make("off", enabled=False, failures=1, problem="It is told no more.")
    held = make("held", pulled_at=now)
    Run.objects.create(account=account, feed=held, file_name="a", format_name="b", status="held")
    page = text_of(client.get(url("changelist")))
    for state in ("never pulled", "failed\xa03\xa0times", "works", "disabled", "waits for a decision"):
        assert re.search(state.replace("\xa0", r"(\s|\xa0|&nbsp;)"), page), state
    assert "The server refuses the password. xxx" in page and "x" * 200 not in page
    assert "The folder processed is missing." in page and "It is told no more." not in page
    assert "ftp://ftp.example.com" in page
    assert SECRET not in page


def test_a_long_list_takes_no_more_queries_than_a_short_one(client, rosa, account, feed):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url("changelist"))
        return len(queries)

    count()
    few = count()
    for number in range(20):
        Feed.objects.create(account=account, name=f"feed-{number}", host="h", protocol="ftp", password="x")
    assert count() == few


@pytest.mark.parametrize("model", ["pull", "message", "run"])
def test_the_other_lists_too(client, rosa, account, feed, model):
    def add(number):
        run = Run.objects.create(account=account, feed=feed, file_name="a", format_name="b", status="succeeded")
        Pull.objects.create(feed=feed, worker="w", status="succeeded", finished_at=timezone.now())
        Message.objects.create(account=account, feed=feed, run=run, kind="email", event="run.held", key=str(number))

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url("changelist", model=model)).status_code == 200
        return len(queries)

    add(0)
    count()
    few = count()
    for number in range(1, 20):
        add(number)
    assert count() == few


@pytest.mark.parametrize("model", ["pull", "run"])
def test_filters_by_feed_offer_and_find_no_feeds_of_others(client, rosa, stranger, account, feed, model):
    Feed.objects.filter(pk=feed.pk).update(name="secretly-named")
    Feed.objects.create(account=account, name="second", protocol="ftp", host="h")  # a filter of one feed is left out
    Pull.objects.create(feed=feed, worker="w", status="failed")
    Run.objects.create(account=account, feed=feed, file_name="a", format_name="b")
    query = {"feed__id__exact": feed.pk}
    page = client.get(url("changelist", model=model), query)
    assert "secretly-named" in text_of(page)
    assert page.context["cl"].queryset.count() == 1
    client.force_login(stranger)
    assert "secretly-named" not in text_of(client.get(url("changelist", model=model)))
    assert not client.get(url("changelist", model=model), query).context["cl"].queryset.exists()


# -- the form


def test_a_feed_is_made_and_due_at_once(client, rosa, account):
    feed = Feed(account=account, name="new", protocol="ftp", host="ftp.example.com", user="maison")
    data = form_of(feed, password_0=SECRET, contacts="a@example.com, b@example.com\nc@example.com")
    answer = client.post(url("add"), data, follow=True)
    feed = Feed.objects.get()
    assert feed.password == SECRET
    assert feed.contacts == ["a@example.com", "b@example.com", "c@example.com"]
    assert Feed.objects.due().get() == feed
    assert any("unencrypted" in message for message in said(answer))


def test_a_wrong_contact_is_named(client, rosa, feed):
    answer = save(client, feed, contacts="a@example.com nobody")
    assert errors_of(answer)["contacts"] == ["nobody is no e-mail address. Give one per line."]


def test_saving_keeps_the_secret_and_writes_only_what_was_changed(client, rosa, feed):
    with CaptureQueriesContext(connection) as queries:
        save(client, feed, mask="*.csv")
    (statement,) = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "imports_feed" SET "mask"')]
    assert "password" not in statement
    assert "failures" not in statement
    feed.refresh_from_db()
    assert (feed.mask, feed.password) == ("*.csv", SECRET)


@pytest.mark.parametrize("change", [{"host": "evil.example.com"}, {"port": 2121}, {"user": "root"}])
def test_a_secret_goes_to_no_other_server(client, rosa, feed, change):
    answer = save(client, feed, **change)
    assert "Type it again" in errors_of(answer)["password"][0]
    feed.refresh_from_db()
    assert feed.host == "ftp.example.com"
    answer = save(client, feed, **change, password_0="another")
    assert answer.status_code == 302
    assert Feed.objects.get().password == "another"


def test_a_weaker_protocol_asks_for_the_secret_too(client, rosa, feed):
    Feed.objects.update(protocol="ftps")
    answer = save(client, feed, protocol="ftp")
    assert "Type it again" in errors_of(answer)["password"][0]


def test_a_secret_is_removed_with_a_hyphen(client, rosa, feed):
    save(client, feed, host="other.example.com", password_0="-")
    assert (Feed.objects.get().host, Feed.objects.get().password) == ("other.example.com", "")


@pytest.mark.parametrize(
    ("protocol", "read", "unread"),
    [
        ("sftp", {"host", "host_key", "private_key"}, {"url", "options", "ca_bundle", "certificate_fingerprint"}),
        ("ftp", {"host", "password"}, {"host_key", "private_key", "ca_bundle"}),
        ("ftps", {"ca_bundle", "certificate_fingerprint"}, {"host_key", "url"}),
        ("url", {"url", "options", "folder"}, {"host", "user", "password"}),
        ("dropbox", {"mask", "format", "after_import"}, {"host", "password", "folder", "settle_seconds"}),
        ("spoken by nobody", {"host", "url", "folder"}, set()),
    ],
)
def test_a_form_hides_what_its_protocol_does_not_read(protocol, read, unread):
    hidden = find_unread(protocol)
    assert (hidden & read, unread - hidden) == (set(), set())


def test_what_is_hidden_is_told_to_the_script_and_sent_without_one(client, rosa, feed):
    page = client.get(url("change", feed.pk))
    told = json.loads(page.context["adminform"].form.fields["protocol"].widget.attrs["data-unread"])
    assert "host_key" in told["ftp"]
    assert {"host_key", "url", "ca_bundle", "settle_seconds"} <= filled_in(page).keys()
    Feed.objects.update(url="s3://kept")
    save(client, feed, mask="*.csv", url="s3://kept")
    assert Feed.objects.get().url == "s3://kept"


def test_a_new_feed_waits_disabled_until_a_presented_key_is_trusted(client, rosa, account, folder):
    """The password is typed once, and goes to nobody before."""
    drop(folder, "a.txt", "C1")
    with run_sftp(folder) as server:
        feed = Feed(account=account, name="erp", protocol="sftp", host="127.0.0.1", port=server.settings.port)
        data = form_of(feed, user=server.settings.user, password_0=PASSWORD)
        page = client.post(url("add"), data, follow=True)
        feed = Feed.objects.get()
        assert (feed.enabled, feed.host_key, feed.password) == (False, "", PASSWORD)
        assert page.redirect_chain[-1][0] == url("inspect", feed.pk)
        assert any("disabled until you trust" in message for message in said(page))
        assert ("a.txt" in text_of(page), "Enable it" in text_of(page)) == (False, False)
        (pin,) = set(re.findall(r'name="trust" value="([^"]+)"', text_of(page)))
        client.post(url("pull", feed.pk), {"enable": "on"})
        assert (Feed.objects.get().enabled, queued()) == (False, [])
        save(client, feed, mask="*.txt", enabled="", user=server.settings.user)
        assert Feed.objects.get().mask == "*.txt", "what waits for its key can be changed"
        page = text_of(client.post(url("inspect", feed.pk), {"trust": "ssh-ed25519 AAAA"}))
        assert "another key by now" in page
        assert Feed.objects.get().host_key == ""
        page = text_of(client.post(url("inspect", feed.pk), {"trust": pin}))
    assert Feed.objects.get().host_key == pin
    assert "It is the one that is trusted." in page
    assert re.search(r"yes</td><th[^>]*>a\.txt", page)
    assert "Enable it and pull now" in page
    assert "Trust this one" not in page
    client.post(url("pull", feed.pk), {"enable": "on"})
    assert (Feed.objects.get().enabled, queued()) == (True, ["pull"])
    assert "Trusts SHA256:" in " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert PASSWORD not in page


def test_a_certificate_is_trusted_at_a_click_too(client, rosa, account, folder, tmp_path):
    with run_ftp(folder, authority=make_authority(tmp_path, "authority")) as server:
        feed = make_feed(account, server, ca_bundle="")
        page = text_of(client.post(url("inspect", feed.pk)))
        (pin,) = re.findall(r'name="trust" value="([^"]+)"', page)
        page = text_of(client.post(url("inspect", feed.pk), {"trust": pin}))
    assert Feed.objects.get().certificate_fingerprint == pin
    assert "It is the one that is trusted." in page


def test_a_key_that_is_missing_later_is_shown_with_the_error(client, rosa, account, folder):
    with run_sftp(folder) as server:
        feed = make_feed(account, server)
        problems = " ".join(errors_of(save(client, feed, host_key=""))["host_key"])
    assert re.search(r"paste: (\S+ ?\S*)", problems)
    assert Feed.objects.get().host_key


def test_a_server_that_does_not_answer_is_an_error_of_the_form(client, rosa, account):
    feed = Feed(account=account, name="erp", protocol="sftp", host="127.0.0.1", port=1)
    assert "127.0.0.1:1" in " ".join(errors_of(client.post(url("add"), form_of(feed)))["host_key"])


def test_the_key_is_asked_for_where_feeds_may_read_folders_too(client, rosa, account, settings, tmp_path):
    settings.LOCAL_FEEDS = tmp_path
    feed = Feed(account=account, name="erp", protocol="sftp", host="127.0.0.1", port=1)
    assert "127.0.0.1:1" in " ".join(errors_of(client.post(url("add"), form_of(feed)))["host_key"])
    feed.save()
    assert "127.0.0.1:1" in " ".join(errors_of(save(client, feed))["host_key"])


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example.com", "ü" * 80])
def test_a_host_that_can_be_none_is_an_error_of_the_form(client, rosa, account, host):
    feed = Feed(account=account, name="erp", protocol="sftp", host=host)
    errors = errors_of(client.post(url("add"), form_of(feed)))
    assert errors["host"][0] == f"{host} is no host name. Check it for doubled dots and parts that are too long."


def test_no_key_is_asked_for_at_a_port_that_is_none(client, rosa, account, folder):
    with run_sftp(folder) as server:
        feed = Feed(account=account, name="erp", protocol="sftp", host="127.0.0.1", port=server.settings.port)
        errors = errors_of(client.post(url("add"), form_of(feed, port="70000")))
    assert "port" in errors
    assert "presents" not in " ".join(errors["host_key"])
    assert "127.0.0.1" not in " ".join(errors["host_key"])


@pytest.mark.parametrize(
    "host", ["ftp.example.com", "müller.example.com", "93.184.216.34", "2606:2800:220:1::1", "erp_server"]
)
def test_a_host_is_a_name_or_an_address(client, rosa, account, host):
    client.post(url("add"), form_of(Feed(account=account, name="erp", protocol="ftp", host=host)))
    assert Feed.objects.get().host == host


def test_a_url_holds_no_password_because_viewers_see_it(client, rosa, account, settings):
    settings.URL_FEEDS = ["abfs"]
    feed = Feed(account=account, name="erp", protocol="url", url=f"abfs://maison:{SECRET}@example.com/files")
    answer = client.post(url("add"), form_of(feed))
    assert errors_of(answer)["url"][0].startswith("Give no password in the URL")
    feed.url = "abfs://"
    assert "url" in errors_of(client.post(url("add"), form_of(feed, url="abfs://[::1")))
    assert client.post(url("add"), form_of(feed, url="abfs://files@example.com/new")).status_code == 302
    assert Feed.objects.get().url == "abfs://files@example.com/new"


def test_a_new_feed_is_offered_formats_of_the_accounts_that_one_edits(client, rosa, account):
    seen = make_account("atelier")
    add_member(seen, rosa, "viewer")
    mine, theirs = account.formats.create(name="mine"), seen.formats.create(name="theirs")
    offered = client.get(url("add")).context["adminform"].form.fields["format"].queryset
    assert list(offered) == [mine]
    feed = Feed(account=account, name="erp", protocol="ftp", host="ftp.example.com")
    assert "format" in errors_of(client.post(url("add"), form_of(feed, format=theirs.pk)))


def test_a_sandbox_reads_with_the_formats_of_its_production_account(client, rosa, account):
    sandbox = add_sandbox(account)
    account.memberships.update(role="viewer")
    mine = account.formats.create(name="mine")
    feed = Feed(account=sandbox, name="erp", protocol="ftp", host="ftp.example.com")
    assert client.post(url("add"), form_of(feed, format=mine.pk)).status_code == 302
    feed = Feed.objects.get()
    assert (feed.account, feed.format) == (sandbox, mine)
    assert f'value="{mine.pk}"' in text_of(client.get(url("change", feed.pk)))


def test_only_formats_of_the_account_are_offered(client, rosa, account, feed):
    other = make_account("atelier")
    add_member(other, rosa, "editor")
    mine, theirs = account.formats.create(name="mine"), other.formats.create(name="theirs")
    page = text_of(client.get(url("change", feed.pk)))
    assert f'value="{mine.pk}"' in page
    assert "theirs" not in page
    answer = save(client, feed, format=theirs.pk)
    assert "format" in errors_of(answer)


def test_no_secret_is_seen_anywhere(client, rosa, account, feed):
    Feed.objects.filter(pk=feed.pk).update(failures=1, problem="The login was refused.")
    save(client, feed, mask="*.csv", password_0=SECRET + "2")
    pages = [client.get(url(page, feed.pk)) for page in ("change", "history", "delete", "progress", "inspect")]
    pages += [client.get(url("changelist")), save(client, feed, name="")]
    for page in pages:
        assert page.status_code == 200
        assert SECRET not in text_of(page)
        assert "gAAAA" not in text_of(page)
    assert SECRET not in json.dumps(list(LogEntry.objects.values_list("change_message", "object_repr")))
    assert "The login was refused." in text_of(client.get(url("change", feed.pk)))


@pytest.mark.parametrize("wrong", [{"name": ""}, {"host": "evil.example.com"}])
def test_a_typed_secret_does_not_come_back_with_the_errors(client, rosa, feed, wrong):
    Feed.objects.filter(pk=feed.pk).update(private_key=SECRET)
    feed.refresh_from_db()
    answer = client.post(
        url("change", feed.pk), form_of(feed, **wrong, password_0="typed-now", options_0="key=typed-now")
    )
    assert errors_of(answer)
    assert "typed-now" not in text_of(answer)
    assert SECRET not in text_of(answer)


@pytest.mark.parametrize("model", ["feed", "pull", "message", "run"])
def test_what_servers_and_files_say_is_shown_as_text(client, rosa, account, feed, model):
    Feed.objects.filter(pk=feed.pk).update(problem=MARKUP, failures=2)
    run = Run.objects.create(
        account=account, feed=feed, file_name=MARKUP, remote_path=MARKUP, format_name="b", status="held", message=MARKUP
    )
    pull = Pull.objects.create(feed=feed, worker=MARKUP, status="failed", message=MARKUP)
    message = Message.objects.create(
        account=account, feed=feed, run=run, kind="email", event="run.held", key="1", problem=MARKUP,
        payload={"problem": MARKUP},
    )  # fmt: skip
    found = {"feed": feed, "pull": pull, "message": message, "run": run}[model]
    pages = [client.get(url("changelist", model=model)), client.get(url("change", found.pk, model=model))]
    if model == "run":
        pages += [client.get(url(page, run.pk, model=model)) for page in ("release", "reject")]
        pages.append(client.post(url("reject", run.pk, model=model), follow=True))
    for page in pages:
        assert page.status_code == 200
        assert MARKUP not in text_of(page)
    assert "&lt;script&gt;" in text_of(pages[1])


def test_who_may_only_look_sees_that_there_is_a_secret(client, viewer, feed):
    page = text_of(client.get(url("change", feed.pk)))
    assert SECRET not in page
    assert "encrypted&gt;" not in page
    assert re.search(r"password.{0,600}?\bset\b", page, re.DOTALL | re.IGNORECASE)
    assert ("Private key" in page, "CA bundle" in page) == (False, False), "FTP reads neither"
    assert save(client, feed).status_code == 403


def test_a_secret_that_no_key_decrypts_can_be_set_anew(client, rosa, viewer, feed, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for page in (url("changelist"), url("change", feed.pk)):
        assert client.get(page).status_code == 200
    client.force_login(rosa)
    problem = "No key in ENCRYPTION_KEYS decrypts the stored password."
    assert problem in text_of(client.get(url("change", feed.pk)))
    assert problem in text_of(save(client, feed, name=""))
    answer = client.post(url("inspect", feed.pk))
    assert "ENCRYPTION_KEYS" in text_of(answer)
    assert save(client, feed, password_0="new").status_code == 302
    assert Feed.objects.get().password == "new"
    assert "ENCRYPTION_KEYS" not in text_of(client.get(url("change", feed.pk)))


def test_deleting_a_feed_keeps_its_runs(client, rosa, account, feed):
    Run.objects.create(account=account, feed=feed, file_name="a", format_name="b", status="succeeded")
    Pull.objects.create(feed=feed, worker="w", status="failed")
    client.post(url("delete", feed.pk), {"post": "yes"})
    assert not Feed.objects.exists()
    assert Run.objects.get().feed is None


# -- actions


@pytest.mark.parametrize("page", ["pull", "inspect"])
def test_viewers_and_strangers_may_neither_pull_nor_check(client, viewer, stranger, feed, page):
    assert client.get(url(page, feed.pk)).status_code == 403
    assert client.post(url(page, feed.pk)).status_code == 403
    client.force_login(stranger)
    assert client.get(url(page, feed.pk)).status_code == 404
    assert client.post(url(page, feed.pk)).status_code == 404
    assert queued() == []


@pytest.mark.parametrize("page", ["pull", "inspect"])
def test_no_other_site_can_make_an_editor_pull_or_check(rosa, feed, page):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rosa)
    assert browser.post(url(page, feed.pk)).status_code == 403
    assert queued() == []


def test_pull_now_is_one_click_and_warns_when_nobody_works(client, rosa, feed):
    assert client.get(url("pull", feed.pk)).status_code == 302
    assert queued() == [], "whoever only opens the address asks for nothing"
    page = client.get(url("change", feed.pk))
    assert f'action="{url("pull", feed.pk)}"' in text_of(page)
    page = text_of(client.post(url("pull", feed.pk), follow=True))
    assert "No worker is at work" in page
    assert f'action="{url("pull", feed.pk)}"' not in page
    client.post(url("pull", feed.pk))
    assert queued() == ["pull"], "what waits is not queued again"
    Heartbeat.objects.create(name="workers.prompt", at=timezone.now(), worker="w")
    assert "No worker" not in text_of(client.get(url("progress", feed.pk)))


REFRESHED = 'hx-trigger="every 2s"'


def test_a_pull_is_followed_to_its_end(client, rosa, account, feed):
    def look():
        return text_of(client.get(url("progress", feed.pk)))

    assert ("It was never pulled." in look(), REFRESHED in look()) == (True, False)
    Feed.objects.update(queued_at=timezone.now())
    assert ("for a worker." in look(), REFRESHED in look()) == (True, True)
    Feed.objects.update(queued_at=timezone.now() + timedelta(minutes=5), pull_asked=True)
    assert ("for a second look" in look(), REFRESHED in look()) == (True, True)
    Feed.objects.update(queued_at=None, pull_asked=False)
    pull = Pull.objects.create(feed=feed, worker="w", listed=3, imported=1)
    assert "3 files to be looked at, 1 imported so far." in look()
    run = Run.objects.create(
        account=account, feed=feed, file_name="customers.txt", format_name="b", stage="Applying", stage_total=9
    )
    assert all(part in look() for part in ("customers.txt</a>", "Applying", "0 of 9 customers", 'max="9"', REFRESHED))
    Run.objects.filter(pk=run.pk).update(status="succeeded", customers=1, finished_at=timezone.now())
    Pull.objects.update(status="succeeded", imported=2, message="a.xml is not taken.", finished_at=timezone.now())
    page = look()
    assert REFRESHED not in page
    assert "The last pull: 2 files imported. a.xml is not taken." in page
    assert url("change", pull.pk, model="pull") in page
    assert url("change", run.pk, model="run") in page
    Feed.objects.update(waits_for_account=True, next_pull_at=timezone.now())
    assert f"until another file has gone into {account}." in look()


def test_the_page_shows_the_last_pulls_and_files_in_few_queries(client, rosa, account, feed):
    for number in range(12):
        Run.objects.create(account=account, feed=feed, file_name=f"{number}.txt", format_name="b", status="partial")
        Pull.objects.create(feed=feed, worker="w", status="failed", message=f"no answer {number}")
    client.get(url("change", feed.pk))
    with CaptureQueriesContext(connection) as queries:
        page = text_of(client.get(url("change", feed.pk)))
    assert len(queries) <= 30
    assert not any("COUNT(" in query["sql"] for query in queries if 'feed_id" =' in query["sql"])
    assert [f">{number}.txt<" in page for number in (0, 1, 2, 11)] == [False, False, True, True]
    assert ("no answer 11" in page, "no answer 1<" in page) == (True, False)


def test_what_moves_is_shown_to_members_alone(client, viewer, stranger, feed):
    assert f'action="{url("pull", feed.pk)}"' not in text_of(client.get(url("change", feed.pk)))
    assert client.get(url("progress", feed.pk)).status_code == 200
    client.force_login(stranger)
    assert client.get(url("progress", feed.pk)).status_code == 404
    client.logout()
    assert client.get(url("progress", feed.pk)).status_code == 302


def test_several_feeds_are_pulled_from_the_list(client, rosa, viewer, account, feed):
    client.force_login(rosa)
    off = Feed.objects.create(account=account, name="off", host="h", protocol="ftp", enabled=False)
    seen = make_account("atelier")
    add_member(seen, rosa, "viewer")
    theirs = Feed.objects.create(account=seen, name="theirs", host="h", protocol="ftp")
    data = {"action": "pull_now", "_selected_action": [feed.pk, off.pk, theirs.pk], "index": "0"}
    answer = client.post(url("changelist"), data, follow=True)
    assert queued() == ["pull"]
    assert any("are not pulled" in message for message in said(answer))


def test_a_disabled_feed_is_not_pulled(client, rosa, feed):
    Feed.objects.update(enabled=False)
    assert "Enable it first" in text_of(client.post(url("pull", feed.pk), follow=True))
    Feed.objects.update(queued_at=timezone.now())
    assert REFRESHED not in text_of(client.get(url("progress", feed.pk))), "nothing comes of what it was queued for"
    Feed.objects.update(queued_at=None)
    assert queued() == []


def test_check_shows_the_key_and_the_files(client, rosa, account, folder):
    drop(folder, "a.txt", "C1")
    drop(folder, "<b>.xml", "C1")
    with run_sftp(folder) as server:
        feed = make_feed(account, server)
        page = text_of(client.post(url("inspect", feed.pk)))
        assert ("Tried" in page, (folder / "processed").exists()) == (False, False)
        page = text_of(client.post(url("inspect", feed.pk), filled_in(client.get(url("inspect", feed.pk)))))
        assert "Can make the folder processed" in page, "it is tried unless somebody says no"
        assert "It is the one that is trusted." in page
        assert re.search(r"yes</td><th[^>]*>a\.txt", page)
        assert "&lt;b&gt;.xml" in page
        assert "the mask *.txt or *.csv does not take it" in page
        Feed.objects.update(host_key="SHA256:" + "A" * 43)
        page = text_of(client.post(url("inspect", feed.pk)))
        assert "It is NOT the one that is trusted" in page
    assert feed.password not in page
    assert not Run.objects.exists()


def test_check_shows_what_is_wrong(client, rosa, account, folder):
    with run_ftp(folder) as server:
        feed = make_feed(account, server)
        feed.password = "wrong"
        feed.save()
        page = text_of(client.post(url("inspect", feed.pk)))
    assert 'role="alert"' in page
    assert "Files</h2>" not in page


# -- what a mask takes, while it is typed


TRIED = {
    "": "*.txt or *.csv takes 2 of 3 files: a.txt is taken c.csv is taken b.xml the mask *.txt or *.csv",
    "a_{%Y%m%d}.txt": "takes 0 of 3 files",
    "{%m}": "A time stamp needs a year",
    "{%Q%Y}": "%Q cannot stand in a time stamp",
    "in/*.txt": "the folder has a field of its own",
    "[abc].*": "[abc].* takes 3 of 3 files",
    **dict.fromkeys(("[", "[z-a]", "(?", "*" * 200 + "x", "[!]", "🦊", "<b>"), "takes 0 of 3 files"),
}


def test_a_mask_is_tried_with_the_names_that_are_typed(client, rosa):
    for mask, said in TRIED.items():
        answer = client.get(reverse("admin:imports_feed_new_masks"), {"mask": mask, "tried": "b.xml, a.txt;\nc.csv"})
        assert said in words_of(answer)
        assert "<b>" not in answer.content.decode()


def test_a_mask_is_tried_with_what_lies_in_the_folder(client, rosa, account, folder):
    for name in ("a.txt", "b.xml", "c.txt"):
        drop(folder, name, "C1")
    with run_sftp(folder) as server:
        feed = make_feed(account, server)
        assert "No file of its folder is known yet" in words_of(client.get(url("masks", feed.pk), {"mask": "*"}))
        Feed.objects.update(omitted={"old.bak": {"since": "2026-01-01T00:00:00Z"}}, enabled=False)
        assert "old.bak its name says that it is still being written" in words_of(client.get(url("masks", feed.pk)))
        page = client.post(url("inspect", feed.pk))
        shown = words_of(client.get(url("masks", feed.pk), {"mask": "b.*"}))
        assert "b.* takes 1 of 3 files: b.xml is taken a.txt the mask b.* does not take it" in shown
        data = filled_in(page)
        answer = client.post(url("pull", feed.pk), data | {"mask": "a/b"}, follow=True)
        assert "Mask: The mask is of a file" in words_of(answer)
        assert Feed.objects.filter(enabled=False, mask="", queued_at=None).exists()
        client.post(url("pull", feed.pk), data | {"mask": "b.*"})
    assert Feed.objects.get().mask == "b.*"
    assert "Takes b.*." in [entry.change_message for entry in LogEntry.objects.all()]
    assert queued() == ["pull"]


def test_masks_are_tried_by_editors_alone(client, viewer, stranger, feed):
    assert client.get(url("masks", feed.pk)).status_code == 403
    assert client.get(reverse("admin:imports_feed_new_masks")).status_code == 403
    client.force_login(stranger)
    assert client.get(url("masks", feed.pk)).status_code == 404


# -- held runs


@pytest.fixture
def held(account, feed, tmp_path):
    path = tmp_path / "held.txt"
    path.write_text(as_text([NEW]))
    run = import_path(account, path, origin=Origin(file_name="held.txt", feed=feed, remote_path="held.txt"))
    Run.objects.filter(pk=run.pk).update(status="held", message="Too many customers changed.")
    account.connections.all().delete()
    return Run.objects.get(pk=run.pk)


def test_held_runs_are_counted_and_found(client, rosa, held):
    assert re.search(r"To decide.{0,700}>\s*1\s*<", text_of(client.get(reverse("admin:index"))), re.DOTALL)
    shown = client.get(url("changelist", model="run"), {"awaits": "yes"}).context["cl"].queryset
    assert list(shown) == [held]


def test_an_editor_releases_a_held_run(client, rosa, held):
    assert "Too many customers changed." in text_of(client.get(url("release", held.pk, model="run")))
    assert queued() == []
    client.post(url("release", held.pk, model="run"))
    assert queued() == ["release"]
    tasks.release(held.pk)
    held.refresh_from_db()
    assert (held.decision, held.decided_by) == ("released", "rosa")
    page = text_of(client.get(url("change", held.pk, model="run")))
    assert f"run {held.releases.get().pk} (held.txt), succeeded" in page
    assert "/release" not in page


def test_the_page_of_a_release_says_when_nobody_works(client, rosa, held):
    assert "No worker is at work" in text_of(client.get(url("release", held.pk, model="run")))
    Heartbeat.objects.create(name="workers.prompt", at=timezone.now(), worker="w")
    assert "No worker is at work" not in text_of(client.get(url("release", held.pk, model="run")))


def test_releasing_over_a_newer_file_has_to_be_ticked(client, rosa, account, feed, held, tmp_path):
    path = tmp_path / "newer.txt"
    path.write_text(as_text([NEW]))
    import_path(account, path, origin=Origin(file_name="newer.txt", feed=feed))
    page = client.post(url("release", held.pk, model="run"))
    assert "newer.txt" in text_of(page)
    assert "release" not in queued()
    client.post(url("release", held.pk, model="run"), {"force": "on"})
    assert "release" in queued()
    held.refresh_from_db()
    assert held.release_forced


def test_a_release_that_was_refused_says_so_on_the_page_of_the_run(client, rosa, account, feed, held, tmp_path):
    client.post(url("release", held.pk, model="run"))
    path = tmp_path / "newer.txt"
    path.write_text(as_text([NEW]))
    import_path(account, path, origin=Origin(file_name="newer.txt", feed=feed))
    tasks.release(held.pk)
    page = text_of(client.get(url("change", held.pk, model="run")))
    assert "A newer file went in since" in page


def test_a_file_that_failed_again_and_again_is_offered_another_try(client, rosa, held):
    Run.objects.update(held_for="failures")
    assert "tries the copy that was kept once more" in text_of(client.get(url("release", held.pk, model="run")))


def test_an_editor_rejects_a_held_run(client, rosa, held):
    client.get(url("reject", held.pk, model="run"))
    held.refresh_from_db()
    assert held.awaits_decision
    answer = client.post(url("reject", held.pk, model="run"), {"reason": "It is <yesterday's>"}, follow=True)
    held.refresh_from_db()
    assert (held.status, held.decided_by, held.reason) == ("rejected", "rosa", "It is <yesterday's>")
    assert "rosa says why: “It is <yesterday's>”" in words_of(answer)
    for step in ("release", "reject"):
        page = client.post(url(step, held.pk, model="run"))
        assert "awaits no decision: it is rejected by rosa" in text_of(page)
        assert "is held" not in text_of(page)
        assert not page.context.get("button")


@pytest.mark.parametrize("page", ["release", "reject"])
def test_viewers_and_strangers_decide_nothing(client, viewer, held, page):
    assert client.post(url(page, held.pk, model="run")).status_code == 403
    other = make_user("other")
    add_member(make_account("atelier"), other, "editor")
    client.force_login(other)
    assert client.post(url(page, held.pk, model="run")).status_code == 404
    held.refresh_from_db()
    assert held.awaits_decision
    assert queued() == []


def test_rejects_are_downloaded_by_members_alone(client, rosa, account):
    run = Run.objects.create(account=account, file_name="customers.txt", format_name="b", status="partial")
    assert client.get(url("rejects_file", run.pk, model="run")).status_code == 404
    with drafting(account.pk, lambda: io.BytesIO(b"rejected rows"), "x") as draft, transaction.atomic():
        Run.objects.update(rejects_file=draft.keep())
    answer = client.get(url("rejects_file", run.pk, model="run"))
    assert b"".join(answer.streaming_content) == b"rejected rows"
    assert answer["Content-Disposition"] == f'attachment; filename="{run.pk}-rejects-customers.txt"'
    other = make_user("other")
    add_member(make_account("atelier"), other, "editor")
    client.force_login(other)
    assert client.get(url("rejects_file", run.pk, model="run")).status_code == 404


# -- messages and webhooks


def test_messages_are_read_and_delivered_again(client, rosa, account, feed):
    message = Message.objects.create(
        account=account, feed=feed, kind="email", event="feed.failing", key="1", payload={"problem": "<b>No answer"},
        attempts=9, given_up_at=timezone.now(), problem="The mail server cannot be reached.",
    )  # fmt: skip
    page = text_of(client.get(url("change", message.pk, model="message")))
    assert "&lt;b&gt;No answer" in page
    assert "given up" in page
    data = {"action": "deliver_again", "_selected_action": [message.pk], "index": "0"}
    client.post(url("changelist", model="message"), data)
    assert list(Message.objects.due()) == [message]
    Message.objects.update(given_up_at=timezone.now())
    client.force_login(make_user("vera"))
    add_member(account, client.get("/admin/").wsgi_request.user, "viewer")
    client.post(url("changelist", model="message"), data)
    assert not Message.objects.due().exists()
    assert "Deliver again" not in text_of(client.get(url("changelist", model="message")))


def test_a_webhooks_secret_is_shown_once(client, rosa, account, settings):
    answer = client.post(
        url("add", model="webhook"), {"account": account.pk, "url": "https://127.0.0.1/hook", "enabled": "on"}
    )
    webhook = Webhook.objects.get()
    assert webhook.secret.startswith("whsec_")
    assert webhook.secret in text_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert webhook.secret not in str(client.cookies)
    for page in (url("change", webhook.pk, model="webhook"), url("changelist", model="webhook")):
        assert webhook.secret not in text_of(client.get(page))
    page = url("change", webhook.pk, model="webhook")
    client.post(page, filled_in(client.get(page)) | {"url": "https://example.com/other"})
    assert Webhook.objects.get().secret == webhook.secret
    client.get(url("new_secret", webhook.pk, model="webhook"))
    assert Webhook.objects.get().secret == webhook.secret
    answer = client.post(url("new_secret", webhook.pk, model="webhook"))
    renewed = Webhook.objects.get().secret
    assert renewed != webhook.secret
    assert renewed in text_of(answer)


@pytest.mark.parametrize("where", ["http://203.0.113.1/", "https://127.0.0.1/", "ftp://example.com", "hook"])
def test_a_webhook_goes_to_public_https_alone(client, rosa, account, where, settings):
    settings.PRIVATE_NETWORKS = []
    answer = client.post(url("add", model="webhook"), {"account": account.pk, "url": where, "enabled": "on"})
    assert "url" in errors_of(answer)


def test_viewers_and_strangers_make_no_new_secret(client, viewer, stranger, account):
    webhook = Webhook.objects.create(account=account, url="https://example.com", secret="whsec_c2VjcmV0")
    assert client.post(url("new_secret", webhook.pk, model="webhook")).status_code == 403
    assert "whsec" not in text_of(client.get(url("change", webhook.pk, model="webhook")))
    client.force_login(stranger)
    assert client.get(url("new_secret", webhook.pk, model="webhook")).status_code == 404
    assert client.post(url("new_secret", webhook.pk, model="webhook")).status_code == 404
    assert Webhook.objects.get().secret == "whsec_c2VjcmV0"


def test_the_queues_own_pages_are_gone(client, admin_client):
    for path in ("schedule", "success", "failure", "ormq"):
        assert admin_client.get(f"/admin/django_q/{path}/").status_code == 404
