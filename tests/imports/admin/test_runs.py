"""Runs in the admin: what people can do about them once they have ended."""

import pytest
from django.urls import reverse

from imports.models import Run
from imports.runs.queued import import_queued
from imports.runs.undoing import undo_run
from lookups.models import PaymentTerm
from tests.builders import add_member, make_user
from tests.imports.customer_files import NEW

pytestmark = pytest.mark.django_db(transaction=True)

WAITS = {**NEW, "customer_code": "C2", "payment_terms_code": "N45"}


@pytest.fixture
def rosa(client, account):
    user = make_user("rosa")
    add_member(account, user, "editor")
    client.force_login(user)
    return user


@pytest.fixture
def run(send):
    return send(NEW, WAITS)


def url(page, *args):
    return reverse(f"admin:imports_run_{page}", args=args)


def text_of(answer):
    return answer.content.decode().replace("<wbr>", "")


def test_an_editor_replays_what_a_run_rejected(client, rosa, account, run):
    assert url("replay", run.pk) in text_of(client.get(url("change", run.pk)))
    assert "imported again" in text_of(client.get(url("replay", run.pk)))
    PaymentTerm.objects.create(account=account, code="N45")
    client.post(url("replay", run.pk), {"reason": "N45 is a term now"})
    queued = Run.objects.get(replays=run)
    assert (queued.status, queued.started_by) == ("queued", rosa)
    import_queued(queued.pk)
    assert Run.objects.get(pk=queued.pk).reason == "N45 is a term now"
    assert f"{queued}, succeeded" in text_of(client.get(url("change", run.pk)))
    page = text_of(client.get(url("change", queued.pk)))
    assert ("<dt>Replays</dt>" in page, url("replay", queued.pk) in page) == (True, False)


def test_a_replay_that_is_refused_says_why(client, rosa, run):
    Run.objects.filter(pk=run.pk).update(kept_file=None)
    assert "no copy of customers.txt is kept" in text_of(client.post(url("replay", run.pk)))


def test_whoever_only_looks_is_offered_no_replay(client, account, run):
    vera = make_user("vera")
    add_member(account, vera, "viewer")
    client.force_login(vera)
    assert url("replay", run.pk) not in text_of(client.get(url("change", run.pk)))
    assert client.post(url("replay", run.pk)).status_code == 403


def test_what_customers_wait_for_is_added_and_replayed_from_the_run(client, rosa, account, run):
    step = f"{url('add_entry', run.pk)}?list=payment_terms&amp;value=N45"
    page = text_of(client.get(url("change", run.pk)))
    assert "Add and replay: payment terms N45 (1 customer)" in page
    assert step in page
    step = step.replace("&amp;", "&")
    assert 'value="N45"' in text_of(client.get(step))
    assert "already exists" in text_of(client.post(step, {"code": "N30", "name": ""}))
    client.post(step, {"code": "N45", "name": "Net 45"})
    queued = Run.objects.get(replays=run)
    import_queued(queued.pk)
    assert PaymentTerm.objects.get(code="N45").name == "Net 45"
    assert account.connections.count() == 2
    assert "No customer waits" in text_of(client.get(step))


def test_the_page_of_a_list_says_who_waits_for_what(client, rosa, account, run):
    page = text_of(client.get(reverse("admin:lookups_paymentterm_changelist")))
    assert "1 customer waits for payment terms N45" in page
    assert "add it and replay" in page
    assert "waits for" not in text_of(client.get(reverse("admin:lookups_warehouse_changelist")))
    PaymentTerm.objects.create(account=account, code="N45")
    page = text_of(client.get(reverse("admin:lookups_paymentterm_changelist")))
    assert (">replay<" in page, "add it and replay" in page) == (True, False)
    step = f"{url('add_entry', run.pk)}?list=payment_terms&value=N45"
    assert "The list has it by now" in text_of(client.get(step))
    client.post(step)
    assert Run.objects.get(replays=run).status == "queued"


def test_the_home_page_says_who_waits_for_what(client, rosa, account, run):
    page = text_of(client.get(reverse("admin:index")))
    assert f"What the lists of {account} lack" in page
    assert f"{url('add_entry', run.pk)}?list=payment_terms&amp;value=N45" in page


def test_the_page_of_a_list_tells_whoever_only_looks_of_nobody(client, account, run):
    vera = make_user("vera")
    add_member(account, vera, "viewer")
    client.force_login(vera)
    assert "What the lists" not in text_of(client.get(reverse("admin:index")))
    assert "waits for" not in text_of(client.get(reverse("admin:lookups_paymentterm_changelist")))


def test_an_editor_undoes_a_run_and_the_undo(client, rosa, account, run):
    assert url("undo", run.pk) in text_of(client.get(url("change", run.pk)))
    assert "taken back: 1 created." in text_of(client.get(url("undo", run.pk)))
    client.post(url("undo", run.pk), {"dry_run": "on"})
    client.post(url("undo", run.pk), {})
    dry, undo = Run.objects.filter(undoes=run).order_by("pk")
    for queued in (dry, undo):
        import_queued(queued.pk)
    assert not account.connections.exists()
    page = text_of(client.get(url("change", run.pk)))
    assert f"{undo}, succeeded" in page
    assert f'href="{url("undo", run.pk)}"' not in page
    assert "undone already" in text_of(client.post(url("undo", run.pk), {}))
    page = text_of(client.get(url("change", undo.pk)))
    assert ("<dt>Undoes</dt>" in page, url("undo", undo.pk) in page) == (True, True)
    client.post(url("undo", undo.pk), {})
    import_queued(Run.objects.get(undoes=undo).pk)
    assert account.connections.count() == 1


def test_a_run_is_not_thrown_away_while_another_one_undoes_it(client, account, run):
    client.force_login(make_user("root", is_superuser=True))
    undo, _ = undo_run(run)
    assert f"{undo.pk} (undo of {run.pk})" in text_of(client.get(url("changelist")))
    assert str(undo) in text_of(client.get(url("delete", run.pk)))
    client.post(url("delete", run.pk), {"post": "yes"})
    assert Run.objects.count() == 2
    client.post(url("delete", undo.pk), {"post": "yes"})
    assert Run.objects.get() == run
