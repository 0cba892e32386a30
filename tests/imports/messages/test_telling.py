"""What is told of runs and feeds: which events, to whom, and each once."""

import json

import pytest
from django.utils import timezone

from imports.messages.mailing import make_email
from imports.messages.telling import tell_of_feed, tell_of_refusal, tell_of_run
from imports.models import Feed, KeptFile, Message, Run, Webhook
from imports.pipeline import Origin
from imports.pipeline.claiming import claim_account
from tests.builders import make_account, make_user
from tests.imports.customer_files import NEW, as_text, import_path

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = {**NEW, "customer_code": "C1"}
BAD = {**NEW, "customer_code": "C2", "discount": "many"}


@pytest.fixture
def feed(account):
    return Feed.objects.create(
        account=account, name="erp", protocol="ftp", host="example.com", contacts=["erp@example.com"]
    )


@pytest.fixture
def webhook(account):
    return Webhook.objects.create(account=account, url="https://example.com/hook", secret="whsec_c2VjcmV0")


@pytest.fixture
def take(feed, tmp_path):
    """Import rows, or a text, as if they came through the feed."""

    def take(content, name="customers.txt", **options):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else as_text(content))
        origin = Origin(file_name=name, feed=feed, remote_path=name, sha256="0" * 64)
        return import_path(feed.account, path, origin=origin, **options)

    return take


def told(**conditions):
    messages = Message.objects.filter(**conditions).order_by("pk")
    return list(messages.values_list("kind", "event"))


def test_people_are_not_told_of_what_went_well(take):
    assert take([GOOD]).status == "succeeded"
    assert told() == []


def test_people_are_told_of_a_file_of_which_a_part_was_rejected(take):
    run = take([GOOD, BAD])
    message = Message.objects.get()
    assert (message.kind, message.event, message.run) == ("email", "run.partial", run)
    assert message.payload["to"] == ["erp@example.com"]


def test_people_are_told_of_a_rejected_file_once(take):
    run = take("")
    tell_of_run(run)
    tell_of_run(run)
    assert told() == [("email", "run.rejected")]


def test_each_file_is_told_of_by_itself(take):
    take("", "a.txt")
    take("", "b.txt")
    assert told() == [("email", "run.rejected")] * 2


def test_a_file_that_fails_at_every_try_is_told_of_once(take):
    for _ in range(3):
        run = take([GOOD])
        run.status = Run.Status.FAILED
        tell_of_run(run)
    assert told() == [("email", "run.failed")]


def test_a_run_whose_process_was_killed_is_told_of(account, feed, webhook):
    Run.objects.create(account=account, feed=feed, file_name="a.txt", format_name="standard template")
    with claim_account(account):
        pass
    assert told() == [("webhook", "run.failed"), ("email", "run.failed")]


def test_a_dry_run_is_told_to_nobody(take, webhook):
    assert take([BAD], dry_run=True).status == "rejected"
    assert told() == []


def test_without_contacts_no_mail_is_written(take, feed):
    feed.contacts = []
    take("")
    assert told() == []


def test_a_file_imported_by_hand_is_told_to_the_webhook_alone(account, webhook, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("")
    import_path(account, path)
    assert told() == [("webhook", "run.rejected")]


def test_the_webhook_is_told_everything(take, webhook):
    run = take([GOOD, BAD])
    payload = Message.objects.get(kind="webhook").payload
    assert payload["type"] == "run.partial"
    assert payload["timestamp"] >= run.started_at.isoformat()
    data = payload["data"]
    assert (data["run"], data["account"], data["feed"], data["file"]) == (run.pk, "maison", "erp", "customers.txt")
    assert data["counts"]["created"] == data["counts"]["rejected"] == 1
    assert [(issue["customer_code"], issue["field"]) for issue in data["issues"]] == [("C2", "discount")]
    take([GOOD])
    assert ("webhook", "run.succeeded") in told()


def test_the_webhook_of_another_account_or_one_switched_off_is_told_nothing(take, webhook):
    Webhook.objects.create(account=make_account("atelier"), url="https://example.com", secret="whsec_c2VjcmV0")
    Webhook.objects.filter(pk=webhook.pk).update(enabled=False)
    take([GOOD])
    assert told() == []


def test_what_is_told_is_taken_back_with_the_run(take, webhook, monkeypatch):
    """Both are written in one transaction, so that neither is there without the other."""
    monkeypatch.setattr("imports.pipeline.ending.Ending.elapsed", lambda ending: ending.run.pk / 0)
    with pytest.raises(ZeroDivisionError):
        take([GOOD])
    assert "run.succeeded" not in {event for _, event in told()}


# -- the outbox


def test_receipt_and_rejects_are_written_where_the_feed_has_an_outbox(take, feed):
    feed.outbox_folder = "outbox"
    feed.contacts = []
    run = take([GOOD, BAD])
    files = Message.objects.filter(kind="file").values_list("payload__file", flat=True)
    assert sorted(files) == ["receipt", "rejects"]
    take([GOOD], "good.txt")
    assert Message.objects.filter(kind="file").exclude(run=run).get().payload == {"file": "receipt"}


def test_a_technical_failure_has_no_receipt_because_the_file_is_tried_again(take, feed):
    feed.outbox_folder = "outbox"
    run = take([GOOD])
    Message.objects.all().delete()
    run.status = Run.Status.FAILED
    tell_of_run(run)
    assert told() == [("email", "run.failed")]


# -- feeds


def test_an_event_of_a_feed_is_told_once_for_its_time(feed, webhook):
    since = timezone.now()
    for _ in range(3):
        tell_of_feed(feed, "feed.failing", since, {"problem": "No answer.", "failures": 3, "passing": True})
    assert told() == [("webhook", "feed.failing"), ("email", "feed.failing")]
    tell_of_feed(feed, "feed.failing", timezone.now(), {"problem": "No answer.", "failures": 3, "passing": True})
    assert len(told()) == 4
    payload = Message.objects.filter(kind="webhook")[0].payload
    assert payload["data"] == {
        "account": "maison", "feed": "erp", "problem": "No answer.", "failures": 3, "passing": True
    }  # fmt: skip


def test_payloads_are_json(take, webhook):
    take("customer_code|profile_name\nC1|Café \udcff\n".encode("utf-8", "surrogateescape").decode("latin-1"))
    assert all(json.dumps(message.payload) for message in Message.objects.all())


def test_whoever_asked_for_a_release_reads_why_it_was_refused(account):
    held = Run.objects.create(account=account, file_name="a.txt", format_name="b", status="held", message="Too many.")
    tell_of_refusal(held, make_user("rosa"), "A newer file went in.")
    mail = make_email(Message.objects.get())
    assert (mail.subject, mail.to) == ("Not released: a.txt (Maison)", ["rosa@example.com"])
    assert "A newer file went in." in mail.body
    assert "release the run again, or reject it" in mail.body
    assert "None" not in mail.body


@pytest.mark.parametrize(("status", "said"), [("failed", "upload the file again"), ("held", "release the run")])
def test_whoever_uploaded_a_file_is_told_how_it_ended(account, status, said):
    kept = KeptFile.objects.create(account=account, key="x")
    run = Run.objects.create(
        account=account, file_name="a.txt", format_name="b", status=status, attempts=1, kept_file=kept,
        started_by=make_user("rosa"), held_for="failures" if status == "held" else "", message="It broke.",
    )  # fmt: skip
    tell_of_run(run)
    mail = make_email(Message.objects.get())
    assert mail.to == ["rosa@example.com"]
    assert said in mail.body
    assert "later files" not in mail.body
    assert "None" not in mail.body
