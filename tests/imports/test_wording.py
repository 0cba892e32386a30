"""Text from elsewhere: nothing that terminals, mail programs and file managers obey leaves the program."""

import io

import pytest
from django.db import transaction

from imports.copies import drafting
from imports.describing import receipt_name, rejects_name
from imports.feeds.archiving import archive_path
from imports.messages.mailing import make_email
from imports.models import Feed, Issue, Message, Run
from imports.runs.serving import serve_file
from imports.wording import file_name, one_line, plain_text

EVIL = "a\u202etxt.exe\u2066\u200e\x1b[31m\x00\x07\r\nBcc: x\u2028\u2029\x85\x9b\ufeff\ud800"
OBEYED = set("\u202e\u2066\u200e\x1b\x00\x07\r\u2028\u2029\x85\x9b\ufeff\ud800")


def test_text_on_one_line_holds_nothing_that_is_obeyed():
    assert not (OBEYED | {"\n", "\t"}) & set(one_line(EVIL))
    assert one_line("Zürich\u00a0東\u3000ok") == "Zürich 東 ok"


def test_text_of_several_lines_keeps_them():
    assert not OBEYED & set(plain_text(EVIL))
    assert plain_text("a\r\n\tb\n") == "a\n\tb\n"


def test_what_belongs_to_the_spelling_of_a_word_stays():
    assert one_line("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize("name", [EVIL, "東" * 200, "/etc/passwd", "a:b*c?.txt", "\ud800.txt", "x" * 500 + ".csv"])
def test_a_file_name_is_one_that_any_file_system_takes(name):
    safe = file_name(name)
    assert len(safe.encode()) <= 150
    assert not set(safe) & (OBEYED | set('/\\:*?"<>|\n'))
    assert safe[-4:] == name[-4:] or "\ud800" in name


@pytest.fixture
def run(account):
    feed = Feed.objects.create(account=account, name="erp", protocol="ftp", host="ftp.example.com")
    name = EVIL.replace("\x00", "").replace("\ud800", "")
    return Run.objects.create(
        account=account, feed=feed, file_name=name, format_name="standard template", status="partial",
        message=f"Because {name}", sha256="0" * 64,
    )  # fmt: skip


def test_mails_hold_nothing_that_is_obeyed(account, run):
    Issue.objects.create(run=run, line=2, column=run.file_name, code="x", severity="error", message=run.file_name)
    message = Message.objects.create(
        account=account, feed=run.feed, run=run, kind="email", event="run.partial", key="1", payload={"to": ["a@b.c"]}
    )
    mail = make_email(message)
    assert not (OBEYED | {"\n"}) & set(mail.subject)
    html = mail.alternatives[0][0]
    assert isinstance(mail.body, str)
    assert isinstance(html, str)
    assert not OBEYED & set(mail.body + html)
    sent = mail.message()
    assert sent["Bcc"] is None
    assert not OBEYED & set(str(sent["Subject"]))


def test_names_of_receipts_rejects_archives_and_downloads_hold_nothing_that_is_obeyed(run):
    with drafting(run.account_id, lambda: io.BytesIO(b"x"), run.file_name) as draft, transaction.atomic():
        answer = serve_file(draft.keep(), run.file_name)
    answer.close()
    names = [receipt_name(run), rejects_name(run), archive_path(run.feed, run, run.file_name)]
    for name in [*names, answer.headers["Content-Disposition"]]:
        assert not (OBEYED | {"\n"}) & set(name)
        assert "%E2%80%AE" not in name
