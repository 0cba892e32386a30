"""The next step of a version, in one sentence, and the buttons for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.urls import reverse

from accounts.counting import counted
from accounts.zones import short_time
from imports.admin.steps import page_of
from imports.asking import find_questions
from imports.formats.policies import FormatError
from imports.models import FormatVersion, Run
from imports.runs.sampling import has_sample
from imports.versioning import describe_test

if TYPE_CHECKING:
    from accounts.models import User
    from imports.asking import Question

Status = FormatVersion.Status


@dataclass(frozen=True)
class Button:
    """Leads to a page that asks before anything is done."""

    name: str
    url: str
    is_first: bool = False


@dataclass(frozen=True)
class NextStep:
    """What a version waits for; `questions` and `buttons` are for those who may decide."""

    sentence: str
    buttons: list[Button] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    @property
    def can_use_all(self) -> bool:
        """Whether one click answers several questions."""
        return sum(question.is_needed and bool(question.suggestion) for question in self.questions) > 1


def find_next_step(version: FormatVersion, user: User) -> NextStep:
    """What comes next in the life of a version. Viewers get the sentence alone."""
    step = {
        Status.DRAFT: _of_draft,
        Status.TESTING: _of_testing,
        Status.LIVE: _of_live,
        Status.RETIRED: _of_retired,
    }[Status(version.status)](version)
    return step if user.may_edit(version.format.account_id) else NextStep(step.sentence)


def find_gap(version: FormatVersion) -> str:
    """What a version lacks to be read with; "" when nothing."""
    try:
        FormatVersion.objects.get(pk=version.pk).to_spec()
    except FormatError as error:
        return str(error)
    return ""


def _of_draft(version: FormatVersion) -> NextStep:
    around = [_step("Look through the columns", version, "mapping")] if (version.proposal or {}).get("columns") else []
    if has_sample(version.format):
        around = [_step("How it is read", version, "reading"), *around, _step("Try the sample", version, "trial")]
    questions = find_questions(version)
    needed = sum(question.is_needed for question in questions)
    if needed:
        waits = f"{counted(needed, 'question waits,questions wait')} for an answer"
        return NextStep(f"{waits}; then the draft can be tested.", around, questions)
    if gap := find_gap(version):
        return NextStep(f"The draft is not complete yet: {gap}", around, questions)
    account = version.format.account
    if not account.sandboxes.exists():
        url = reverse("admin:accounts_account_make_sandbox", args=[account.pk])
        sentence = f"The draft is complete, but {account.code} has no sandbox to test it in: make one."
        return NextStep(sentence, [Button("Make a sandbox", url, is_first=True), *around], questions)
    sentence = "The draft is complete. Look through its columns, then start testing it in the sandbox."
    return NextStep(sentence, [_step("Start testing", version, "test", is_first=True), *around], questions)


def _of_testing(version: FormatVersion) -> NextStep:
    accepted = Run.objects.accepted_tests(version).count()
    sandboxes = list(version.format.account.sandboxes.order_by("code")[:3])
    uploads = [
        Button(
            f"Upload a file to {sandbox.code}",
            f"{reverse('admin:imports_run_upload')}?account={sandbox.pk}",
            is_first=not accepted and sandbox == sandboxes[0],
        )
        for sandbox in sandboxes
    ]
    if has_sample(version.format):
        send = reverse("admin:imports_formatversion_send", args=[version.pk])
        uploads = [
            *(
                Button(f"Send the sample to {sandbox.code}", f"{send}?account={sandbox.pk}", is_first=not accepted)
                for sandbox in sandboxes[:1]
            ),
            *(Button(button.name, button.url) for button in uploads),
        ]
    compare = [_step("Compare", version, "compare")]
    if not accepted:
        where = " or ".join(sandbox.code for sandbox in sandboxes) or "a sandbox"
        sentence = f"Send files of the ERP to {where}, to be read with {version}; it can go live once one was accepted."
        return NextStep(sentence, [*uploads, *compare])
    runs = counted(accepted, "run was,runs were")
    sentence = (
        f"{runs} accepted in a sandbox, and it has been tested for {describe_test(version)} (two weeks are "
        "recommended): look at what they came to, then go live or send more files."
    )
    return NextStep(sentence, [_step("Go live", version, "go_live", is_first=True), *uploads, *compare])


def _of_live(version: FormatVersion) -> NextStep:
    since = f" since {short_time(version.live_at)}" if version.live_at else ""
    sentence = f"It is live{since}: files of {version.format.account.code} are read with it."
    return _with_newer(version, sentence)


def _of_retired(version: FormatVersion) -> NextStep:
    live = version.format.live
    sentence = f"It is retired; {live} is live." if live else "It is retired, and no version of the format is live."
    return _with_newer(version, sentence)


def _with_newer(version: FormatVersion, sentence: str) -> NextStep:
    """A change begins with the next draft, or goes on in what there is of one."""
    unfinished = version.format.versions.filter(status__in=[Status.DRAFT, Status.TESTING])
    newer = unfinished.select_related("format").first()
    if newer is None:
        return NextStep(
            f"{sentence} A change begins with the next draft.", [_step("Next draft", version, "next_draft")]
        )
    going_on = f"{sentence} {newer} is {'the draft of what comes next' if newer.is_draft else 'being tested'}."
    return NextStep(going_on, [Button(f"Go on with {newer}", page_of(newer), is_first=True)])


def _step(label: str, version: FormatVersion, name: str, *, is_first: bool = False) -> Button:
    return Button(label, reverse(f"admin:imports_formatversion_{name}", args=[version.pk]), is_first)
