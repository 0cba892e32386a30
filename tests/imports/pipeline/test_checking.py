"""People and files that write the same customers at the same time: nothing is lost, and nobody waits long."""

import threading
from contextlib import closing
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts import waiting
from accounts.models import Account
from connections import review
from connections.bulk import merging, references
from connections.history.recording import recorded_deletion, recorded_edit
from connections.history.stamping import take_stamp
from connections.models import (
    Address,
    Buyer,
    Change,
    Connection,
    ConnectionPaymentTerm,
    ConnectionPriceType,
    Door,
)
from imports import storage
from imports.formats.policies import Policies
from imports.formats.policies import UnknownLookup as Unknown
from imports.formats.spec import Column, FormatSpec, Ownership
from imports.models import KeptFile, Run
from imports.template import Target
from lookups.models import CustomerGroup, PaymentTerm, PriceType, SalesRep
from tests.api.conftest import Program
from tests.builders import add_lookups, add_member, keep_values, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, Sender, as_text, customers_of, issues_of, kept_bytes
from tests.pages import filled_in
from tests.processes import a_session_waits, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", "500ms")


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def user(account):
    add_member(account, user := make_user("rosa"))
    return user


@pytest.fixture
def send(account, tmp_path):
    return Sender(account, tmp_path)


def elsewhere(work):
    """Do something in a session of its own, and wait for it; returns what it returned or raised."""
    came = []

    def do():
        with closing(database):
            try:
                came.append(work())
            except Exception as error:  # noqa: BLE001  (told to the test)
                came.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join(60)
    assert came, "it waits still"
    return came[0]


class At:
    """Calls something once, when a run has checked everything ("checked") or merged it ("merged")."""

    MOMENTS = {"checked": ("Writing", 0), "merged": ("Writing", 1)}
    came: Any = None

    def __init__(self, moment, work):
        self.moment, self.work = self.MOMENTS[moment], work

    def __call__(self, stage, done, total):
        if (stage, done) == self.moment:
            self.came = elsewhere(self.work)


def edit(user, code="C1", **values):
    def do():
        one = Connection.objects.get(customer_code=code)
        with recorded_edit([one.pk], user):
            Connection.objects.filter(pk=one.pk).update(**values)

    return do


def edit_children(user, code="C1"):
    def do():
        one = Connection.objects.get(customer_code=code)
        with recorded_edit([one.pk], user):
            Address.objects.filter(connection=one).update(city="Nice")
            Door.objects.create(connection=one, code="D1", name="by hand")
            Buyer.objects.create(connection=one, email="ana@example.com", name="by hand")
            ConnectionPaymentTerm.objects.create(connection=one, lookup=PaymentTerm.objects.get(code="N60"))

    return do


def replay(account):
    """Values of connections as the change log alone tells them, where it tells any."""
    told = {}
    for change in Change.objects.filter(account=account).order_by("id"):
        if change.field:
            told[change.customer_code, change.record, change.key, change.field] = change.after
    return told


FILE = NEW | {
    "address_type": "S", "shipping_code": "D1", "shipping_country": "FR", "shipping_name": "of the file",
    "create_doors": "y", "buyer_email": "Ana@example.com", "buyer_name": "of the file", "payment_terms_code": "N30",
}  # fmt: skip


def test_an_edit_meanwhile_is_neither_lost_nor_kept_waiting(account, user, send):
    send(FILE, FILE | {"customer_code": "C2"})
    at = At("checked", edit(user, customer_alias="by hand", website="https://by-hand.example"))
    run = send(
        *(FILE | {"customer_code": code, "customer_alias": f"file {code}"} for code in ("C1", "C2")), progress=at
    )
    assert (run.status, run.updated, run.created) == ("succeeded", 2, 0)
    assert at.came is None, at.came
    assert send.customer("C1")["website"] == "https://by-hand.example"
    assert send.customer("C1")["customer_alias"] == "file C1"
    changes = Change.objects.filter(field="customer_alias", customer_code="C1").order_by("id")
    assert list(changes.values_list("before", "after")) == [("", "by hand"), ("by hand", "file C1")]
    first, second = changes
    assert first.at < second.at


def test_records_of_a_connection_that_were_edited_meanwhile_are_judged_as_they_are(account, user, send):
    send(NEW | {"address_type": "S", "shipping_code": "D1", "shipping_country": "FR"})
    at = At("checked", edit_children(user))
    run = send(FILE, FILE | {"customer_code": "C2"}, progress=at)
    assert at.came is None, at.came
    assert (run.status, run.created, run.updated) == ("succeeded", 1, 1)
    customer = send.customer("C1")
    assert [address["city"] for address in customer["addresses"]] == ["Nice"]
    assert customer["doors"] == [{"code": "D1", "name": "of the file"}]
    assert customer["buyers"] == [{"email": "ana@example.com", "name": "of the file"}]
    assert customer["payment_terms"] == ["N30"]
    told = Change.objects.filter(customer_code="C1", run_id=run.pk)
    assert set(told.values_list("record", "action", "key", "before", "after")) == {
        ("address", "updated", "S:D1", "", "of the file"),
        ("buyer", "updated", "ana@example.com", "by hand", "of the file"),
        ("door", "updated", "D1", "by hand", "of the file"),
        ("payment_term", "created", "N30", None, None),
        ("payment_term", "deleted", "N60", None, None),
    }


def test_a_value_that_somebody_keeps_meanwhile_is_not_overwritten(account, user, send):
    send(NEW | {"customer_alias": "a"})
    one = Connection.objects.get()
    at = At("checked", lambda: keep_values(one, user, ("connection", "", "customer_alias")))
    run = send(NEW | {"customer_alias": "b", "alternate_name": "c"}, progress=at)
    one.refresh_from_db()
    assert (one.customer_alias, one.alternate_name, run.updated) == ("a", "c", 1)
    assert issues_of(run) == [(2, "customer_alias", "kept")]


def give_newer_entries(user):
    """Add entries to lists that the run has read already, and give them to C1."""

    def do():
        one = Connection.objects.get(customer_code="C1")
        rep = SalesRep.objects.create(account=one.account, code="REP9", name="Nina", email="nina@example.com")
        group = CustomerGroup.objects.create(account=one.account, code="NEW", name="Newcomers")
        terms = PaymentTerm.objects.create(account=one.account, code="N9", name="Net 9")
        price = PriceType.objects.create(account=one.account, currency="CHF", label="Swiss")
        with recorded_edit([one.pk], user):
            Connection.objects.filter(pk=one.pk).update(sales_rep=rep, customer_group=group)
            ConnectionPaymentTerm.objects.create(connection=one, lookup=terms)
            ConnectionPriceType.objects.create(connection=one, lookup=price)

    return do


NAMING = {"sales_rep_code": "REP1", "customer_group_name": "Independents", "payment_terms": "Net 30"}


def test_entries_that_are_added_and_given_meanwhile_are_replaced_by_those_of_the_file(account, user, send):
    send(NEW)
    at = At("checked", give_newer_entries(user))
    run = send(NEW | NAMING, progress=at)
    assert (run.status, run.updated, at.came) == ("succeeded", 1, None)
    told = Change.objects.filter(run_id=run.pk).values_list("record", "action", "field", "key", "before", "after")
    assert set(told) == {
        ("connection", "updated", "sales_rep", "", "REP9", "REP1"),
        ("connection", "updated", "customer_group", "", "NEW", "IND"),
        ("payment_term", "deleted", "", "N9", None, None),
        ("payment_term", "created", "", "N30", None, None),
        ("price_type", "deleted", "", "CHF Swiss", None, None),
    }
    assert send.customer()["price_types"] == [["EUR", "EU Wholesale"]]


@pytest.mark.parametrize("how", ["filled", "kept"])
def test_entries_that_are_added_and_given_meanwhile_stay_where_a_file_only_fills_or_somebody_keeps_them(
    account, user, send, how
):
    names = [*NEW, *NAMING]
    ownership = Ownership.IF_BLANK if how == "filled" else Ownership.ALWAYS
    columns = [Column(target=Target(name), source=name, ownership=ownership) for name in names if name in NAMING]
    spec = FormatSpec(name="own", columns=(*[Column(target=Target(name), source=name) for name in NEW], *columns))
    rows = as_text([dict.fromkeys(names, "") | NEW])
    send.text(rows, spec)

    def work():
        give_newer_entries(user)()
        if how == "kept":
            fields = ("sales_rep", "customer_group", "payment_terms")
            keep_values(Connection.objects.get(), user, *[("connection", "", field) for field in fields])

    at = At("checked", work)
    run = send.text(as_text([NEW | NAMING]), spec, progress=at)
    assert (run.status, at.came) == ("succeeded", None)
    customer = send.customer()
    assert (customer["sales_rep"], customer["customer_group"], customer["payment_terms"]) == ("REP9", "NEW", ["N9"])
    said = {issue.field: issue.message.partition(":")[0] for issue in run.issues.all()}
    assert said == {
        "sales_rep_code": "sales_rep_code stays 'REP9'",
        "customer_group_name": "customer_group_name stays 'Newcomers'",
        "payment_terms_1": "payment_terms_1 stays 'N9'",
    }


def test_a_customer_that_is_rejected_meanwhile_is_skipped(account, user, send):
    send(NEW, NEW | {"customer_code": "C2"})
    at = At("checked", lambda: review.reject(Connection.objects.filter(customer_code="C1"), user))
    changed = NEW | {"profile_name": "Changed"}
    run = send(changed, changed | {"customer_code": "C2"}, progress=at)
    assert at.came == 1
    assert (run.skipped, run.updated, run.customers) == (1, 1, 2)
    assert {code: one["profile_name"] for code, one in send.customers().items()} == {
        "C1": "Harbor Row",
        "C2": "Changed",
    }
    assert [code for _, _, code in issues_of(run)] == ["rejected_connection"]


def test_a_customer_that_is_deleted_meanwhile_is_a_new_one(account, user, send):
    send(NEW, NEW | {"customer_code": "C2"})

    def delete():
        pks = [Connection.objects.get(customer_code=code).pk for code in ("C1", "C2")]
        with recorded_deletion(pks, user):
            Connection.objects.filter(pk__in=pks).delete()

    whole, delta = NEW | {"profile_name": "Again"}, {"customer_code": "C2", "customer_alias": "delta"}
    run = send(whole, delta, progress=At("checked", delete))
    assert (run.status, run.created, run.updated, run.rejected) == ("partial", 1, 0, 1)
    assert list(send.customers()) == ["C1"]
    assert ("profile_name", "required") in [(field, code) for _, field, code in issues_of(run)]


@pytest.fixture
def locked(account, monkeypatch):
    """Of each content that went into the storage, whether the run kept others from writing customers just then."""
    seen, real = [], storage.put

    def try_to_write():
        with transaction.atomic():
            list(account.connections.select_for_update(nowait=True))
            list(Account.objects.select_for_update(nowait=True, no_key=True).filter(pk=account.pk))

    def put(*arguments):
        seen.append(elsewhere(try_to_write) is not None)
        return real(*arguments)

    monkeypatch.setattr(storage, "put", put)
    return seen


def test_rejects_and_held_files_are_kept_while_nothing_is_locked_whatever_is_written_meanwhile(
    account, user, send, settings, locked
):
    codes = [f"C{number}" for number in range(1, 12)]
    send(*(NEW | {"customer_code": code} for code in codes))

    def delete():
        with recorded_deletion([Connection.objects.get(customer_code="C2").pk], user):
            Connection.objects.filter(customer_code="C2").delete()

    delta = {"customer_code": "C2", "customer_alias": "delta"}
    wrong = {"customer_code": "C1", "price_type_currency": "Euros"}
    run = send(NEW | {"customer_code": "C3", "website": "a.example"}, delta, wrong, progress=At("checked", delete))
    assert (run.status, run.updated, run.rejected) == ("partial", 1, 2)
    assert [code in kept_bytes(run.rejects_file).decode() for code in ("C1", "C2", "C3")] == [True, True, False]
    settings.KEEP_FILES_DAYS = 0
    columns = tuple(Column(target=Target(name), source=name) for name in NEW)
    spec = FormatSpec(name="own", columns=columns, policies=Policies(max_change_percent=50))
    run = send(*(NEW | {"customer_code": code, "profile_name": "New"} for code in codes), spec=spec)
    assert (run.status, run.held_for, send.customer("C4")["profile_name"]) == ("held", "limits", "Harbor Row")
    assert kept_bytes(run.kept_file).decode().startswith("customer_code")
    assert locked == [False] * 5  # two files, the rejects of the second one twice, and the held one
    assert KeptFile.objects.count() == 4


def test_a_customer_that_is_made_by_hand_meanwhile_is_updated(account, user, send):
    at = At("checked", lambda: make_connection(account, "C1", customer_alias="by hand").pk)
    run = send(NEW, progress=at)
    assert (run.status, run.created, run.updated) == ("succeeded", 0, 1)
    assert Connection.objects.get().pk == at.came
    assert (send.customer()["customer_alias"], send.customer()["profile_name"]) == ("by hand", "Harbor Row")


def test_warnings_of_a_customer_that_is_checked_again_are_said_once(account, user, send):
    send(NEW)
    row = NEW | {"payment_terms_code": "N30", "payment_terms": "Another"}
    run = send(row, progress=At("checked", edit(user, customer_alias="by hand")))
    assert [code for _, _, code in issues_of(run)] == ["name_differs"]


def test_a_dry_run_meets_an_edit_meanwhile_too(account, user, send):
    send(NEW)
    at = At("checked", edit(user, customer_alias="by hand"))
    run = send(NEW | {"profile_name": "Changed"}, dry_run=True, progress=at)
    assert (run.updated, at.came) == (1, None)
    assert (send.customer()["customer_alias"], send.customer()["profile_name"]) == ("by hand", "Harbor Row")


def writers(account, user):
    """What people and programs do to C1, by every door; each returns what it was answered."""
    client = Client(raise_request_exception=True)
    client.force_login(user)
    program = Program(user)
    pk = Connection.objects.get(customer_code="C1").pk
    chosen = {"_selected_action": [pk], "index": "0"}
    changes, page = "admin:connections_connection_changelist", reverse("admin:connections_connection_change", args=[pk])
    data = filled_in(client.get(page)) | {"alternate_name": "typed by Rosa"}
    return {
        "form": lambda: client.post(page, data).content.decode(),
        "delete": lambda: client.post(page.replace("change", "delete"), {"post": "yes"}, follow=True).content.decode(),
        "action": lambda: client.post(reverse(changes), chosen | {"action": "reject"}, follow=True).content.decode(),
        "program": lambda: program("post", f"accounts/maison/connections/{pk}/reject/"),
    }


@pytest.mark.parametrize("door", ["form", "delete", "action", "program"])
def test_whoever_writes_what_a_file_holds_is_told_so_in_a_few_seconds(account, user, send, door):
    send(NEW)
    at = At("merged", writers(account, user)[door])
    run = send(NEW | {"profile_name": "Changed"}, progress=at)
    if door == "program":
        assert (at.came.status_code, at.came.json()["code"]) == (503, "try_again_later")
        assert at.came.headers["Retry-After"] == "5"
        said = at.came.json()["detail"]
    else:
        said = at.came
    assert "customers.txt is being imported into maison" in said
    assert "Traceback" not in said
    assert door != "form" or "typed by Rosa" in said
    assert run.status == Run.Status.SUCCEEDED
    one = Connection.objects.get()
    assert (one.profile_name, one.status, one.alternate_name) == ("Changed", "pending", "")


def test_what_was_chosen_in_a_list_is_kept_for_another_try(account, user, send):
    send(NEW, NEW | {"customer_code": "C2"})
    client, page = Client(), reverse("admin:connections_connection_changelist")
    client.force_login(user)
    chosen = {"action": "reject", "index": "0", "_selected_action": [str(one.pk) for one in Connection.objects.all()]}
    at = At("merged", lambda: client.post(f"{page}?status__exact=pending", chosen))
    send(NEW | {"profile_name": "Changed"}, progress=at)
    assert (at.came.status_code, filled_in(at.came)) == (503, chosen)
    assert f'action="{page}?status__exact=pending"' in at.came.content.decode()
    assert client.post(page, filled_in(at.came)).status_code == 302
    assert set(Connection.objects.values_list("status", flat=True)) == {"rejected"}


@pytest.mark.parametrize("door", ["command", "page"])
def test_lists_that_a_file_holds_are_not_waited_for_without_end(account, user, send, tmp_path, door):
    client, terms, lists = Client(), tmp_path / "terms.csv", tmp_path / "lists.csv"
    client.force_login(user)
    terms.write_text("code,name\nN30,Thirty days\n")
    lists.write_text("list,code,name,currency,email\npayment_terms,N30,Thirty days,,\n")

    def load():
        if door == "command":
            return call_command("load_lookups", str(lists), "--account", "maison", "--json")
        with terms.open("rb") as file:
            sent = {"import_file": file, "format": "0", "resource": "0"}
            return client.post(reverse("admin:lookups_paymentterm_import"), sent, follow=True).content.decode()

    at = At("merged", load)
    assert send(NEW, progress=at).status == Run.Status.SUCCEEDED
    said = "Nothing was saved: the file customers.txt is being imported into maison. Try again in a moment."
    if door == "command":
        assert isinstance(at.came, CommandError)
        assert (str(at.came), at.came.returncode) == (said, 1)
    else:
        assert said in at.came
    assert PaymentTerm.objects.get(code="N30").name == "Net 30"


def test_a_connection_that_a_file_brings_too_is_told_on_the_form(account, user, send):
    client = Client()
    client.force_login(user)
    add = reverse("admin:connections_connection_add") + f"?account={account.pk}"
    page = client.get(add)
    data = filled_in(page) | {"customer_code": "C1", "profile_name": "typed by Rosa", "account": account.pk}
    data["connectionpricetype_set-0-lookup"] = PriceType.objects.filter(account=account)[0].pk
    at = At("merged", lambda: client.post(add, data).content.decode())
    send(NEW, progress=at)
    assert "customers.txt is being imported into maison" in at.came
    assert "typed by Rosa" in at.came
    assert Connection.objects.get().profile_name == "Harbor Row"


def test_files_and_people_in_any_order_end_without_a_deadlock(account, user, send, monkeypatch):
    """Imports in either order of the file, edits and decisions in either order of ids, all at once."""
    monkeypatch.setattr(waiting, "PATIENCE", "60s")
    codes = [f"C{number:03}" for number in range(60)]
    send(*(NEW | {"customer_code": code} for code in codes))
    pks = dict(Connection.objects.values_list("customer_code", "pk"))
    problems = []

    def decide(order):
        def do():
            for number in range(6):
                chosen = Connection.objects.filter(pk__in=[pks[code] for code in order])
                (review.approve if number % 2 else review.reject)(chosen, user)

        return do

    def edit_all(order, name):
        def do():
            for number in range(6):
                with recorded_edit([pks[code] for code in order], user):
                    for code in order:
                        Connection.objects.filter(pk=pks[code]).update(customer_alias=f"{name} {number}")

        return do

    def repeat(work):
        with closing(database):
            try:
                work()
            except Exception as error:  # noqa: BLE001  (told below)
                problems.append(error)

    works = [decide(codes), decide(codes[::-1]), edit_all(codes, "up"), edit_all(codes[::-1], "down")]
    threads = [threading.Thread(target=repeat, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    runs = []
    for number in range(6):
        order = codes if number % 2 else codes[::-1]
        runs.append(send(*(NEW | {"customer_code": code, "alternate_name": f"file {number}"} for code in order)))
    for thread in threads:
        thread.join(60)
    assert not problems
    assert {run.status for run in runs} == {Run.Status.SUCCEEDED}
    told = replay(account)
    for code, customer in customers_of(account).items():
        for name in ("customer_alias", "alternate_name"):
            assert told.get((code, "connection", "", name), "") == customer[name]
        assert told.get((code, "connection", "", "status"), "pending") == customer["status"]


def test_whoever_takes_a_stamp_waits_for_nobody(account, user, send):
    def stamp():
        with transaction.atomic():
            return take_stamp([account.pk])

    at = At("merged", stamp)
    send(NEW, progress=at)
    assert not isinstance(at.came, Exception)


@pytest.mark.usefixtures("superuser")
def test_a_merge_that_the_database_ends_for_a_deadlock_is_tried_again(account, user, send, monkeypatch):
    """By statements that keep to no order, which none of ours is."""
    send(NEW, NEW | {"customer_code": "C2"})
    first, second = Connection.objects.order_by("pk").values_list("pk", flat=True)
    problems = []
    lock = "SELECT 1 FROM connections_connection WHERE id = %s FOR UPDATE"

    def by_hand():
        with closing(database), transaction.atomic(), database.cursor() as cursor:
            try:
                cursor.execute("SET LOCAL deadlock_timeout = '10min'")  # so it is the merge that finds the deadlock
                cursor.execute(lock, [second])
                cursor.execute(lock, [first])
                edit(user, customer_alias="by hand")()
            except Exception as error:  # noqa: BLE001  (told below)
                problems.append(error)

    thread = threading.Thread(target=by_hand)
    changed = NEW | {"profile_name": "Changed"}

    def lock_slowly(stage, account_id):
        """The merge has the first customer, and somebody who has the second waits for it."""
        monkeypatch.setattr(merging.Stage, "lock", real)
        stage.cursor.execute("SET LOCAL deadlock_timeout = '10ms'")
        stage.cursor.execute(lock, [first])
        thread.start()
        wait_until(a_session_waits)
        return stage.lock(account_id)

    real = merging.Stage.lock
    monkeypatch.setattr(merging.Stage, "lock", lock_slowly)
    run = send(changed, changed | {"customer_code": "C2"})
    thread.join(60)
    assert not problems
    assert (run.status, run.updated) == ("succeeded", 2)
    assert (send.customer()["customer_alias"], send.customer()["profile_name"]) == ("by hand", "Changed")


@pytest.mark.parametrize("change", ["deleted", "added", "deleted beside many"])
def test_lists_that_change_meanwhile_are_read_again(account, send, change, monkeypatch):
    if change == "deleted beside many":
        monkeypatch.setattr(references, "FEW", 0)
    terms, code = PaymentTerm.objects.filter(account=account), "N45" if change == "added" else "N60"

    def work():
        if change == "added":
            PaymentTerm.objects.get_or_create(account=account, code=code, name="Net 45")
        else:
            terms.filter(code=code).delete()

    at = At("checked", work)
    columns = [Column(target=Target(name), source=name) for name in (*NEW, "payment_terms_code")]
    format_ = FormatSpec(
        "own", columns=tuple(columns), policies=Policies(unknown_lookup={"payment_terms": Unknown.CREATE})
    )
    rows = [NEW | {"payment_terms_code": "N30"}, NEW | {"customer_code": "C2", "payment_terms_code": code}]
    run = send.text(as_text(rows), format_ if change == "added" else None, progress=at)
    found = [(2, 1, [])] if change == "added" else [(1, 0, [(3, "payment_terms_code_1", "unknown_lookup")])]
    assert [(run.created, terms.filter(code=code).count(), issues_of(run))] == found
    assert run.status == ("succeeded" if change == "added" else "partial")
    assert at.came is None, "nothing failed there"
    assert Change.objects.filter(run_id=run.pk, record="connection").count() == run.created
