"""Samples in which a column seems to mark customers as deleted, and what a person answers."""

from io import StringIO

import pytest
from django.core.management import call_command

from imports.asking import answer_question, do_without, find_questions
from imports.errors import SettingsWrong
from imports.formats.policies import FormatError, RowMark
from imports.onboarding.corrections import Corrections
from imports.onboarding.proposing import onboard, propose_format
from imports.runs.rehearsing import propose_and_rehearse
from imports.versioning import save_draft, start_testing
from tests.builders import make_account

HEADER = "KUNNR;NAME1;STRAS;ORT01;PSTLZ;LAND1;WAERS;LOEVM"
MARKED = {"LOEVM": {"X": RowMark.LEAVE_OUT}}


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.csv"
    rows = [f"{n};Laden {n};Hauptstr. {n};Berlin;10{n};DE;EUR;{'X' if n == 103 else ''}" for n in range(101, 110)]
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


def test_a_sample_with_marks_asks_what_they_mean(sample):
    (marks,) = onboard(sample).describe()["marks"]
    assert marks == {"position": 8, "name": "LOEVM", "rows": {"X": 1}, "others": [], "suggestion": "leave_out"}


@pytest.mark.parametrize("header", ["CLASS", "Credit Hold"])
def test_of_other_columns_nothing_is_asked(sample, header):
    sample.write_text(sample.read_text().replace("LOEVM", header))
    assert onboard(sample).marks == []


@pytest.mark.django_db
def test_what_is_decided_is_in_the_draft_and_asked_no_more(sample):
    account = make_account()
    proposal = propose_format(sample, account, Corrections(row_marks=MARKED))
    assert (proposal.marks, proposal.to_draft().policies.row_marks) == ([], MARKED)
    with pytest.raises(FormatError, match="no single column 'Fax'"):
        propose_format(sample, account, Corrections(row_marks={"Fax": {"X": RowMark.TAKE}}))


@pytest.mark.django_db
def test_the_command_asks_tries_the_suggestion_and_takes_the_answer(sample):
    make_account("erp")

    def run(*options):
        call_command("onboard_format", str(sample), *options, account="erp", stdout=(out := StringIO()))
        return out.getvalue()

    shown = run()
    assert "Rows that seem to be marked as deleted or inactive in 'LOEVM': 'X' on 1 row." in shown
    assert '--leave-out "LOEVM=X"' in shown
    assert "8 rows, 8 customers" in shown
    assert "'LOEVM'" not in run("--leave-out", "LOEVM=X")
    assert "9 rows, 9 customers" in run("--take", "LOEVM=X")


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "meaning"), [("leave_out", "leave_out"), ("take", "take"), ("", "take")])
def test_the_question_of_a_draft_is_answered(sample, answer, meaning):
    account = make_account()
    proposal = propose_and_rehearse(sample, account, Corrections())
    draft = save_draft(account, "erp", proposal.to_draft(), proposal=proposal.describe())
    question = next(question for question in find_questions(draft) if question.kind == "marks")
    assert question.asks == "What are rows with 'X' in 'LOEVM'?"
    with pytest.raises(SettingsWrong, match="row_marks LOEVM"):
        start_testing(draft)
    with pytest.raises(SettingsWrong, match="left out"):
        answer_question(draft, question.name, value="perhaps")
    said = answer_question(draft, question.name, value=answer) if answer else do_without(draft, question.name)
    assert "LOEVM" in said
    draft.refresh_from_db()
    assert draft.row_marks == {"LOEVM": {"X": meaning}}
    assert question.name not in [each.name for each in find_questions(draft)]
