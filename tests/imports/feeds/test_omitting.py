"""What lies in a feed's folder and is not taken: counted, named, and told to the contacts after some days."""

from datetime import timedelta

import pytest
from django.utils import timezone

from imports.feeds.fetching import list_folder
from imports.feeds.omitting import LONG, TOLD_AGAIN, list_omitted, note_omitted, say_omitted
from imports.feeds.pulling import pull_feed
from imports.filesystems import RemoteFile, open_server
from imports.messages.mailing import make_email
from imports.models import Feed, Message
from tests.feeds import drop, make_feed
from tests.imports.customer_files import customers_of
from tests.servers import list_like_ibm_i, run_ftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed(account):
    return Feed.objects.create(account=account, name="erp", host="h", protocol="ftp", contacts=["erp@example.com"])


def files(*names, oddity=""):
    return [RemoteFile(name, name, 1, timezone.now(), oddity) for name in names]


def note(feed, *names):
    feed.refresh_from_db()
    return [one.file.name for one in note_omitted(feed, list_omitted(feed, files(*names)))]


def age(feed, days):
    """Let all that is known be older."""
    feed.refresh_from_db()
    since = (timezone.now() - timedelta(days=days)).isoformat()
    told = feed.omission_told_at and feed.omission_told_at - timedelta(days=days)
    omitted = {name: {**noted, "since": since} for name, noted in (feed.omitted or {}).items()}
    Feed.objects.update(omitted=omitted, omission_told_at=told)


def told():
    messages = Message.objects.filter(event="feed.omits").order_by("pk")
    return [[one["file"] for one in message.payload["files"]] for message in messages]


def test_hidden_files_and_those_of_another_feed_of_the_folder_are_nobodys_business(feed):
    Feed.objects.create(account=feed.account, name="other", host="h", protocol="ftp", mask="prices*")
    Feed.objects.create(account=feed.account, name="elsewhere", host="h2", protocol="ftp", mask="orders*")
    names = [".ftpquota", "prices.xml", "orders.xml", "customers.txt", "CUSTOMERS.CSV"]
    assert [one.file.name for one in list_omitted(feed, files(*names))] == ["orders.xml"]


def test_a_link_that_leads_nowhere_is_named_with_the_reason(feed):
    (omitted,) = list_omitted(feed, files("today.txt", oddity="it is a link that leads to no file"))
    assert say_omitted([omitted]) == "Not taken: today.txt (it is a link that leads to no file)."


def test_a_few_are_named_and_the_rest_is_counted(feed):
    said = say_omitted(list_omitted(feed, files(*(f"{letter}.xml" for letter in "abcde"))))
    assert said.startswith("Not taken: a.xml (the mask")
    assert said.endswith("and 2 more, which check_feed lists.")
    assert "d.xml" not in said


def test_contacts_are_told_after_some_days_and_once_of_each_file(feed):
    note(feed, "a.xml", "b.xml")
    assert told() == []
    age(feed, LONG.days + 1)
    note(feed, "a.xml", "b.xml", "c.xml")
    note(feed, "a.xml", "b.xml", "c.xml")
    assert told() == [["a.xml", "b.xml"]]
    age(feed, LONG.days + 1)
    note(feed, "a.xml", "c.xml")
    assert len(told()) == 1, "so soon after the last time"
    age(feed, TOLD_AGAIN.days)
    note(feed, "a.xml", "c.xml")
    assert told()[1:] == [["c.xml"]]


def test_a_file_that_went_and_came_again_is_new(feed):
    note(feed, "a.xml")
    age(feed, 30)
    note(feed)
    note(feed, "a.xml")
    assert told() == []


def test_an_upload_is_named_only_once_it_lies_there_for_days(feed):
    assert note(feed, "a.txt.part") == []
    age(feed, LONG.days + 1)
    assert note(feed, "a.txt.part") == ["a.txt.part"]
    assert told() == [["a.txt.part"]]


def test_the_mail_says_which_files_and_what_to_do(feed):
    note(feed, "a.xml")
    age(feed, LONG.days + 1)
    note(feed, "a.xml")
    email = make_email(Message.objects.get(kind="email"))
    assert "erp" in email.subject
    assert "- a.xml: the mask *.txt or *.csv does not take it" in email.body
    assert "change the feed's mask" in email.body


# -- from servers


def test_a_file_comes_from_a_server_that_lists_like_ibm_i(account, folder):
    with run_ftp(folder, "no MLSD") as running:
        running.listings["LIST"] = list_like_ibm_i
        feed = make_feed(account, running)
        drop(folder, "customers.txt", "C1")
        done = pull_feed(feed)
    assert (done.status, done.message, done.imported) == ("succeeded", "", 1)
    assert set(customers_of(account)) == {"C1"}


def test_a_listing_that_nobody_can_read_fails_the_pull_and_quotes_the_line(account, folder):
    with run_ftp(folder, "no MLSD") as running:
        running.listings["LIST"] = lambda place: ["customers.txt <- yours"]
        running.replies["NLST"] = "502 Command not implemented."
        feed = make_feed(account, running, contacts=["erp@example.com"])
        done = pull_feed(feed)
    assert done.status == "failed"
    assert "'customers.txt <- yours'" in done.message
    assert Message.objects.filter(event="feed.failing").exists()


def test_a_file_that_is_listed_twice_is_one(account, folder):
    with run_ftp(folder, "no MLSD") as running:
        running.listings["LIST"] = lambda place: ["-rw-r--r-- 1 erp erp 5 Nov 24 05:30 a.txt"] * 2
        feed = make_feed(account, running)
        with open_server(running.settings) as session:
            assert [file.name for file in list_folder(session, feed)] == ["a.txt"]
