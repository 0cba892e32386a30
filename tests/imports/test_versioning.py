"""The life of a format: each rule by the functions and by the commands."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.utils import timezone

from accounts.models import Account
from accounts.sandboxes import add_sandbox
from imports.choosing import find_named, find_version
from imports.errors import SettingsWrong
from imports.formats.documents import read_format, write_format
from imports.models import Format, FormatVersion, Run
from imports.versioning import PromotionRefused, approve, save_draft, start_draft, start_testing
from tests.builders import add_member, make_account, make_user
from tests.imports.customer_files import import_path

DOCUMENT = """
name: erp
dialect: {delimiter: ";"}
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""
SPEC = read_format(DOCUMENT)
OTHER = read_format(DOCUMENT.replace("Name,", "Firma,"))
FILE = "Nr;Name\n1;Harbor Row\n2;Maison Claire\n"


@pytest.fixture
def sandbox(account):
    return add_sandbox(account)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(FILE)
    return path


def run_command(*arguments):
    output = StringIO()
    call_command(*map(str, arguments), stdout=output)
    return output.getvalue()


def refused(*arguments):
    """The message of a command that refuses, which ends with 2."""
    with pytest.raises(CommandError) as raised:
        run_command(*arguments)
    assert raised.value.returncode == 2
    return str(raised.value)


@pytest.fixture
def tested(account, sandbox, file):
    """A version in testing with an accepted run in the sandbox."""
    version = start_testing(save_draft(account, "erp", SPEC))
    assert import_path(sandbox, file, version=version).status == "succeeded"
    return version


@pytest.fixture
def live(tested):
    return approve(tested, "rosa", reason="the test of a test")


# -- drafts


def test_saving_makes_a_format_with_its_first_draft(account):
    draft = save_draft(account, "erp", SPEC)
    assert (str(draft), draft.status) == ("erp@1", "draft")
    assert write_format(draft.to_spec()) == write_format(SPEC)


def test_saving_again_replaces_the_draft(account):
    first = save_draft(account, "erp", SPEC)
    again = save_draft(account, "erp", OTHER)
    assert again.pk == first.pk
    assert again.to_spec().columns == OTHER.columns


def test_a_sandbox_uses_the_formats_of_its_production_account(account, sandbox):
    assert save_draft(sandbox, "erp", SPEC).format.account == account
    assert str(find_version(sandbox, "erp")) == "erp@1"


@pytest.mark.parametrize("name", ["", "two words", "a@b", "standard", "x" * 61])
def test_a_name_that_is_none_is_refused(account, name):
    with pytest.raises(SettingsWrong):
        save_draft(account, name, SPEC)


def test_a_frozen_version_stays_and_a_change_is_the_next_draft(account, tested):
    draft = save_draft(account, "erp", OTHER)
    assert (str(draft), draft.status) == ("erp@2", "draft")
    tested.refresh_from_db()
    assert tested.to_spec().columns == SPEC.columns


def test_a_new_draft_begins_as_a_copy_of_the_newest_version(live):
    draft = start_draft(live.format)
    assert (draft.number, draft.status) == (2, "draft")
    assert draft.to_spec().columns == live.to_spec().columns
    assert start_draft(live.format).pk == draft.pk


def test_loading_a_format_that_is_so_already_changes_nothing(account, live, tmp_path):
    path = tmp_path / "erp.yaml"
    path.write_text(run_command("export_format", "erp", "--account", "maison"))
    assert "nothing was changed" in run_command("load_format", path, "--account", "maison")
    assert FormatVersion.objects.count() == 1
    path.write_text(path.read_text().replace("Name", "Firma"))
    assert "Saved as erp@2 (draft)" in run_command("load_format", path, "--account", "maison")


def test_exporting_and_loading_is_exact(account, tmp_path):
    save_draft(account, "erp", SPEC)
    path = tmp_path / "erp.yaml"
    run_command("export_format", "erp@1", "--account", "maison", "--out", path)
    run_command("load_format", path, "--account", "maison", "--name", "copy")
    assert find_named(account, "copy").to_spec().columns == SPEC.columns
    assert run_command("export_format", "copy", "--account", "maison") == path.read_text().replace("erp", "copy")


def test_a_document_that_is_wrong_is_refused_with_its_place(account, tmp_path):
    path = tmp_path / "erp.yaml"
    path.write_text(DOCUMENT.replace("customer_code", "customer_cod"))
    with pytest.raises(CommandError, match=r"erp.yaml: column 1: 'customer_cod' is no field"):
        run_command("load_format", path, "--account", "maison")


# -- testing


def test_only_a_draft_goes_to_testing(tested):
    assert "erp@1 is testing already" in refused("promote_format", "erp", "--account", "maison", "--to", "testing")
    with pytest.raises(SettingsWrong, match="only a draft"):
        start_testing(tested)


def test_testing_needs_a_sandbox(account):
    draft = save_draft(account, "erp", SPEC)
    with pytest.raises(SettingsWrong, match="maison has no sandbox"):
        start_testing(draft)
    assert "create_account maison-sandbox --sandbox-of maison" in refused(
        "promote_format", "erp", "--account", "maison", "--to", "testing"
    )


def test_an_incomplete_draft_cannot_be_tested(account, sandbox):
    draft = save_draft(account, "erp", SPEC)
    draft.columns.filter(target="customer_code").delete()
    with pytest.raises(SettingsWrong, match="not complete: No column goes to customer_code"):
        start_testing(draft)


def test_an_older_version_in_testing_makes_way(account, tested):
    newer = start_testing(save_draft(account, "erp", OTHER))
    tested.refresh_from_db()
    assert (newer.status, tested.status) == ("testing", "retired")


@pytest.mark.parametrize("step", ["draft", "testing"])
def test_a_version_that_is_not_live_reads_no_file_into_production(account, sandbox, file, step):
    version = save_draft(account, "erp", SPEC)
    if step == "testing":
        version = start_testing(version)
    with pytest.raises(SettingsWrong, match=f"erp@1 is {step}, and maison is a production account"):
        import_path(account, file, version=version)
    message = refused("import_customers", file, "--account", "maison", "--format", "erp")
    assert "Test it in maison-sandbox" in message
    assert not Run.objects.exists()


def test_a_sandbox_takes_any_version_and_a_name_means_the_newest(account, sandbox, live, file):
    save_draft(account, "erp", SPEC)
    run_command("import_customers", file, "--account", sandbox.code, "--format", "erp")
    run_command("import_customers", file, "--account", sandbox.code, "--format", "erp@1")
    assert [str(run.format_version) for run in Run.objects.order_by("id")] == ["erp@1", "erp@2", "erp@1"]


def test_a_version_of_another_account_reads_nothing(account, live, file):
    other = make_account("other")
    with pytest.raises(SettingsWrong, match="no format of other"):
        import_path(other, file, version=live)
    assert "other has no format 'erp'" in refused("import_customers", file, "--account", "other", "--format", "erp")


# -- going live


def test_going_live_needs_an_accepted_run_in_the_sandbox(account, sandbox, file):
    version = start_testing(save_draft(account, "erp", SPEC))
    with pytest.raises(SettingsWrong, match="no accepted run in a sandbox"):
        approve(version, "rosa", reason="now")
    assert "no accepted run" in refused(
        "promote_format", "erp", "--account", "maison", "--to", "live", "--reason", "now"
    )


def accepted(version, **fields):
    fields = {"status": "succeeded", "created": 1, "format_digest": version.to_spec().digest} | fields
    return Run.objects.create(account=fields.pop("account"), file_name="x", format_version=version, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"dry_run": True},
        {"status": "rejected"},
        {"status": "held"},
        {"created": 0},
        {"format_digest": b"another content"},
    ],
)
def test_a_run_that_is_no_acceptance_does_not_count(account, sandbox, fields):
    version = start_testing(save_draft(account, "erp", SPEC))
    accepted(version, account=sandbox, **fields)
    with pytest.raises(SettingsWrong, match="no accepted run"):
        approve(version, "rosa", reason="now")


def test_a_run_of_an_earlier_version_does_not_count(account, sandbox, tested):
    newer = start_testing(save_draft(account, "erp", OTHER))
    with pytest.raises(SettingsWrong, match="erp@2 has no accepted run"):
        approve(newer, "rosa", reason="now")


def test_a_run_of_the_draft_as_it_was_before_an_edit_does_not_count(account, sandbox, file):
    draft = save_draft(account, "erp", SPEC)
    import_path(sandbox, file, version=draft)
    version = start_testing(save_draft(account, "erp", OTHER))
    with pytest.raises(SettingsWrong, match="no accepted run"):
        approve(version, "rosa", reason="now")


def test_a_draft_cannot_go_live(account, sandbox):
    draft = save_draft(account, "erp", SPEC)
    with pytest.raises(SettingsWrong, match="only a version in testing"):
        approve(draft, "rosa", reason="now")
    assert "only a version in testing" in refused(
        "promote_format", "erp", "--account", "maison", "--to", "live", "--reason", "now"
    )


def test_going_live_needs_a_name(tested):
    with pytest.raises(SettingsWrong, match="named approver"):
        approve(tested, " ", reason="now")


def test_less_than_two_weeks_of_testing_needs_a_reason_which_is_kept(tested):
    with pytest.raises(SettingsWrong, match="two weeks are recommended"):
        approve(tested, "rosa")
    message = refused("promote_format", "erp", "--account", "maison", "--to", "live")
    assert "has been tested for 0 minutes" in message
    run_command("promote_format", "erp", "--account", "maison", "--to", "live", "--reason", "the season begins")
    tested.refresh_from_db()
    assert (tested.status, tested.reason) == ("live", "the season begins")


def test_two_weeks_of_testing_need_no_reason(tested):
    FormatVersion.objects.update(testing_at=timezone.now() - timedelta(days=14, minutes=1))
    output = run_command("promote_format", "erp", "--account", "maison", "--to", "live")
    assert "after 2 weeks of testing" in output


def test_the_approver_is_kept_by_name(account, tested):
    user = make_user("rosa")
    add_member(account, user)
    run_command("promote_format", "erp", "--account", "maison", "--to", "live", "--by", "rosa", "--reason", "now")
    tested.refresh_from_db()
    assert (tested.approver, tested.approved_by) == ("rosa", user)
    user.delete()
    tested.refresh_from_db()
    assert (tested.approver, tested.approved_by) == ("rosa", None)


def test_an_unknown_approver_is_refused(tested):
    message = refused("promote_format", "erp", "--account", "maison", "--to", "live", "--by", "x", "--reason", "now")
    assert "no active user 'x'" in message


@pytest.mark.parametrize("role", ["viewer", "editor of the sandbox alone", "none"])
def test_only_an_editor_of_production_approves(account, sandbox, tested, role):
    user = make_user("rosa")
    if role == "viewer":
        add_member(account, user, "viewer")
    elif role != "none":
        add_member(sandbox, user)
    message = refused("promote_format", "erp", "--account", "maison", "--to", "live", "--by", "rosa", "--reason", "now")
    assert "rosa is no editor of maison" in message
    with pytest.raises(PromotionRefused, match="no editor of maison"):
        approve(tested, "Rosa", user=user, reason="now")
    tested.refresh_from_db()
    assert tested.status == "testing"


def test_the_version_that_was_live_is_retired(account, sandbox, live, tmp_path):
    newer = start_testing(save_draft(account, "erp", OTHER))
    file = tmp_path / "new.csv"
    file.write_text(FILE.replace("Name", "Firma"))
    import_path(sandbox, file, version=newer)
    approve(newer, "rosa", reason="renamed")
    live.refresh_from_db()
    assert live.status == "retired"
    assert live.retired_at is not None
    assert str(find_version(account, None)) == "erp@2"


def test_a_live_version_cannot_be_approved_again(live):
    with pytest.raises(SettingsWrong, match="live already, approved by rosa"):
        approve(live, "jun", reason="now")


@pytest.mark.parametrize("status", ["draft", "testing", "live"])
def test_the_database_keeps_one_version_of_a_format_in_each_step(account, status):
    format_ = Format.objects.create(account=account, name="erp")
    FormatVersion.objects.create(format=format_, number=1, status=status)
    with pytest.raises(IntegrityError), transaction.atomic():
        FormatVersion.objects.create(format=format_, number=2, status=status)


# -- what a file is read with


def test_without_a_format_the_live_one_reads_the_file(account, live, file):
    run_command("import_customers", file, "--account", "maison")
    run = Run.objects.latest("id")
    assert (run.format_version, run.format_name, run.created) == (live, "erp@1", 2)


def test_standard_names_the_standard_template(account, live, file):
    assert find_version(account, "standard") is None
    with pytest.raises(SystemExit):
        run_command("import_customers", file, "--account", "maison", "--format", "standard")
    assert Run.objects.latest("id").format_name == "standard template"


def test_two_live_formats_must_be_told_apart(account, live, file):
    second = Format.objects.create(account=account, name="web")
    FormatVersion.objects.create(format=second, number=1, status="live")
    assert "several live formats" in refused("import_customers", file, "--account", "maison")


@pytest.mark.parametrize("name", ["erp@2", "erp@x", "erp@", "pos"])
def test_a_format_that_is_not_there_is_named_with_what_is(account, live, name):
    if name == "erp@":
        assert find_named(account, name) == live
        return
    assert "erp" in refused("export_format", name, "--account", "maison")


def test_an_unknown_account_is_wrong_usage(db, file):
    for command in (["export_format", "erp"], ["promote_format", "erp", "--to", "live"], ["load_format", file]):
        assert "create_account" in refused(*command, "--account", "nobody")


# -- at the same time


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_make_one_live_version(tmp_path):
    account = make_account("maison", auto_approval="always")
    sandbox = add_sandbox(account)
    version = start_testing(save_draft(account, "erp", SPEC))
    accepted(version, account=sandbox)
    start = threading.Barrier(2)
    outcomes = []

    def approve_it(name):
        try:
            start.wait()
            outcomes.append(approve(FormatVersion.objects.get(pk=version.pk), name, reason="now").approver)
        except SettingsWrong as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=approve_it, args=[name]) for name in ("rosa", "jun")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    winner = FormatVersion.objects.get(status="live").approver
    assert sorted(outcomes) == sorted([winner, f"erp@1 is live already, approved by {winner}."])


@pytest.mark.django_db(transaction=True)
def test_two_drafts_saved_at_once_are_one_draft():
    account = make_account("maison")
    start = threading.Barrier(2)

    def save(spec):
        start.wait()
        save_draft(Account.objects.get(pk=account.pk), "erp", spec)
        connection.close()

    threads = [threading.Thread(target=save, args=[spec]) for spec in (SPEC, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    draft = FormatVersion.objects.get()
    assert draft.to_spec().columns in (SPEC.columns, OTHER.columns)
