"""Rejects that come back mended are read as their run was."""

import contextlib
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.sandboxes import add_sandbox
from imports.errors import SettingsWrong
from imports.formats.documents import read_format
from imports.models import Format, FormatVersion, Run
from imports.pipeline.recognising import find_version_for_file
from imports.versioning import save_draft

FORMAT = """
name: erp
dialect: {delimiter: ";", skip_lines: 1}
columns:
  - {source: Nr, target: customer_code}
  - {source: "Name, full", target: profile_name}
  - {source: Web, target: website}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""
FILE = "of today\nNr;Name, full;Web\n1;Harbor Row;\n2;Elm Street;no site\n"
STANDARD_FILE = (
    "customer_code|profile_name|price_type_currency|price_type_name\nC1|A|EUR|EU Wholesale\nC2||EUR|EU Wholesale\n"
)


def make_live(account, document=FORMAT, name="erp"):
    version = save_draft(account, name, read_format(document))
    FormatVersion.objects.filter(pk=version.pk).update(status="live")
    return version


@pytest.fixture
def import_text(account, tmp_path):
    """Imports a file as whoever runs the command does; returns the run, and its rejects beside it."""

    def run(text, *arguments, name="customers.txt", encoding="utf-8", account=account):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        rejects = tmp_path / "rejects.txt"
        rejects.unlink(missing_ok=True)
        with contextlib.suppress(SystemExit):
            call_command(
                "import_customers", str(path), "--account", account.code, "--rejects", str(rejects), *arguments,
                stdout=StringIO(),
            )  # fmt: skip
        run = Run.objects.latest("pk")
        return run, rejects.read_text(encoding) if rejects.exists() else ""

    return run


def test_rejects_of_the_standard_template_are_read_with_it_beside_a_live_format(account, import_text):
    _, rejects = import_text(STANDARD_FILE)
    make_live(account)
    assert find_version_for_file(account, None, FILE.encode()) is not None
    run, _ = import_text(rejects.replace("C2||", "C2|B|"))
    assert (run.status, run.format_name, run.created) == ("succeeded", "standard template", 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rejects_of_a_format_are_read_with_it_among_several_live_ones(account, import_text, encoding):
    document = FORMAT.replace("delimiter", f"encoding: {encoding.removesuffix('-sig')}, delimiter")
    make_live(account, document)
    make_live(account, document.replace("name: erp", "name: shop"), "shop")
    first, rejects = import_text(FILE, "--format", "shop", encoding=encoding)
    assert (first.status, first.rejected) == ("partial", 1)
    run, _ = import_text(rejects.replace("no site", "site.example"), encoding=encoding)
    assert (run.status, run.format_name, run.created) == ("succeeded", "shop@1", 1)


def test_they_are_read_with_the_version_that_is_live_by_now(account, import_text):
    make_live(account)
    _, rejects = import_text(FILE)
    FormatVersion.objects.update(status="retired")
    make_live(account)
    run, _ = import_text(rejects)
    assert run.format_name == "erp@2"


def test_rejects_of_two_formats_with_one_header_are_not_guessed(account, import_text):
    make_live(account)
    make_live(account, FORMAT.replace("name: erp", "name: shop"), "shop")
    _, rejects = import_text(FILE, "--format", "erp")
    import_text(FILE, "--format", "shop")
    with pytest.raises(CommandError, match=r"those of erp or shop\. Say with which format") as refused:
        import_text(rejects)
    assert refused.value.returncode == 2
    assert import_text(rejects, "--format", "erp")[0].format_name == "erp@1"


def test_rejects_of_an_unknown_run_are_read_by_the_one_format_that_has_their_header(account, import_text):
    make_live(account)
    _, rejects = import_text(FILE)
    Run.objects.update(rejects_header="")
    make_live(account, FORMAT.replace("Nr", "Code").replace("name: erp", "name: shop"), "shop")
    assert str(find_version_for_file(account, None, rejects.encode())) == "erp@1"
    sandbox = add_sandbox(account)
    assert str(find_version_for_file(sandbox, None, rejects.encode())) == "erp@1"
    with pytest.raises(SettingsWrong, match="of no format of the account"):
        find_version_for_file(account, None, b"A|B|_line|_code|_field|_message\n1|2|3|4|5|6\n")


def test_rejects_of_a_deleted_format_are_not_read_as_the_standard_template(account, import_text):
    make_live(account)
    _, rejects = import_text(FILE)
    Format.objects.all().delete()
    with pytest.raises(SettingsWrong, match="of no format of the account"):
        find_version_for_file(account, None, rejects.encode())


@pytest.mark.parametrize(
    "start", [b"", b"Nr;Name\n", b"Nr;_line;_code\n1;2;3\n", b"_line|_code|_field|_message|Nr\n", b"\xff\xfe\x00"]
)
def test_other_files_are_no_rejects(account, start):
    assert find_version_for_file(account, None, start) is None
