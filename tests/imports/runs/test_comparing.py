"""Comparing versions: by what they say, and by what comes out of files that came before."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.sandboxes import add_sandbox
from connections.models import Change, Connection
from imports.formats.differing import compare_specs
from imports.formats.documents import read_format
from imports.models import Issue, Run
from imports.runs.comparing import MOST_SHOWN, compare_run, find_comparable
from imports.versioning import approve, save_draft, start_testing
from tests.imports.customer_files import import_path
from tests.imports.test_versioning import DOCUMENT, FILE, SPEC

OTHER = read_format(DOCUMENT.replace("source: Name", "source: Short name").replace('";"', '"|"'))


def changed(before, after):
    return read_format(DOCUMENT.replace(before, after))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(FILE)
    return path


@pytest.fixture
def run(account, file):
    """A run of a live version, whose file is kept."""
    sandbox = add_sandbox(account)
    version = start_testing(save_draft(account, "erp", SPEC))
    import_path(sandbox, file, version=version)
    return import_path(account, file, version=approve(version, "rosa", reason="a test"))


def stored():
    return (
        sorted(Connection.objects.values_list("account", "customer_code", "profile_name", "updated_at")),
        Run.objects.count(),
        Issue.objects.count(),
        Change.objects.count(),
    )


def compare(*arguments):
    output = StringIO()
    call_command("compare_format", *map(str, arguments), "--account", "maison", stdout=output)
    return output.getvalue()


# -- by what they say


def test_formats_that_say_the_same_do_not_differ():
    assert compare_specs(SPEC, read_format(DOCUMENT)) == []


def test_every_difference_is_named_with_both_sides():
    differences = {what: (before, after) for what, before, after in compare_specs(SPEC, OTHER)}
    assert differences == {
        "dialect delimiter": (";", "|"),
        "profile_name": ('{"source": "Name"}', '{"source": "Short name"}'),
    }


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (DOCUMENT + "policies: {max_error_percent: 5}\n", "policies max_error_percent"),
        (DOCUMENT + "policies: {conflict: last}\n", "policies conflict"),
        (DOCUMENT + "header: [Nr, Name, Fax]\n", "approved header"),
        (DOCUMENT + "  - {source: Web, target: website}\n", "website"),
        (DOCUMENT.replace("target: profile_name", "target: profile_name, default: unnamed"), "profile_name"),
    ],
)
def test_columns_policies_and_the_header_are_compared(document, what):
    assert what in [difference.what for difference in compare_specs(SPEC, read_format(document))]


# -- by what comes out


def test_a_file_read_again_shows_what_would_come_out_differently(run):
    before = stored()
    comparison = compare_run(run, SPEC, changed("profile_name}", "profile_name, value_map: {Harbor Row: Harbour}}"))
    assert (comparison.before.status, comparison.after.status, comparison.customers) == ("succeeded", "succeeded", 1)
    assert comparison.shown == [("1", [("profile_name", "Harbor Row", "Harbour")])]
    assert stored() == before


def test_two_formats_that_read_alike_differ_in_nothing(run):
    comparison = compare_run(run, SPEC, changed("source: Name", "source: NAME"))
    assert (comparison.customers, comparison.shown) == (0, [])


def test_customers_that_would_be_rejected_are_told_with_the_reason(run):
    comparison = compare_run(run, SPEC, changed("EU Wholesale", "Retail"))
    assert (comparison.before.rejected, comparison.after.rejected, comparison.customers) == (0, 2, 2)
    _, differences = comparison.shown[0]
    assert any(what.startswith("error price_type") and "Retail" in after for what, _, after in differences)


def test_a_file_that_would_be_held_is_told(run):
    before = stored()
    comparison = compare_run(run, SPEC, changed("source: Name", "source: Company"))
    assert comparison.after.status == "held"
    assert "Company" in comparison.after.message
    assert stored() == before


def test_limits_hold_nothing_back_in_a_comparison(run, account):
    strict = read_format(DOCUMENT + "policies: {max_error_percent: 0, max_change_percent: 0}\n")
    assert compare_run(run, SPEC, strict).after.status == "succeeded"


def test_a_long_list_of_customers_is_counted_and_cut(account, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("Nr;Name\n" + "".join(f"{n:04};Shop {n}\n" for n in range(MOST_SHOWN + 20)))
    run = import_path(account, path, SPEC)
    comparison = compare_run(run, SPEC, changed("source: Name", "source: 'Shop {Nr}'"))
    assert comparison.customers == MOST_SHOWN + 20
    assert len(comparison.shown) == MOST_SHOWN


# -- which files


def test_only_kept_files_of_the_format_are_read_again(account, run, file, tmp_path):
    import_path(account, file, SPEC)  # by no version
    import_path(account, file, version=run.format_version, dry_run=True)
    forgotten = import_path(account, file, version=run.format_version, keep=False)
    found = find_comparable(account, run.format_version, 10)
    assert forgotten not in found
    assert [other.account.code for other in found] == ["maison", "maison-sandbox"]
    assert find_comparable(account, run.format_version, 1) == [run]


# -- the command


def test_the_command_compares_the_newest_version_with_the_live_one(account, run):
    save_draft(account, "erp", changed("profile_name}", "profile_name, value_map: {Harbor Row: Harbour}}"))
    shown = compare("erp")
    assert shown.startswith("erp@1 (live) → erp@2 (draft)\n")
    assert '  profile_name: {"source": "Name"} → ' in shown
    assert "(customers.csv): succeeded → succeeded, 0 → 0 customers rejected, 1 comes out differently" in shown
    assert "    profile_name: Harbor Row → Harbour" in shown


def test_the_json_of_a_comparison(account, run):
    save_draft(account, "erp", changed("EU Wholesale", "Retail"))
    answer = json.loads(compare("erp", "--json", "--files", "1"))
    assert (answer["before"], answer["after"]) == ("erp@1", "erp@2")
    assert answer["differences"] == [
        {"what": "price_type_name_1", "before": '{"constant": "EU Wholesale"}', "after": '{"constant": "Retail"}'}
    ]
    (compared,) = answer["files"]
    assert (compared["run"], compared["customers"], compared["after"]["counts"]["rejected"]) == (run.pk, 2, 2)
    assert compared["shown"][0]["customer_code"] == "1"


def test_without_kept_files_the_command_says_so(account, run):
    run.delete()
    Run.objects.all().delete()
    save_draft(account, "erp", OTHER)
    assert "No file that was read with erp@1 is kept" in compare("erp")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "nothing"),
        (["erp@7"], "no version .7."),
        (["erp@1"], "erp@1"),
        (["erp", "--with", "other"], "other"),
    ],
)
def test_what_cannot_be_compared_is_refused(account, run, arguments, message):
    with pytest.raises(CommandError, match=message) as raised:
        compare(*arguments)
    assert raised.value.returncode == 2
