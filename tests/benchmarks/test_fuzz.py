"""The short form of benchmarks/fuzz: files and formats that nobody would write, with fixed seeds."""

import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from benchmarks.fuzzing import Case, Fuzzer
from imports.models import Run
from tests.builders import add_lookups, make_account

ROOT = Path(__file__).resolve().parents[2]
CASES = 40


@pytest.fixture
def fuzzer(db, tmp_path):
    account = make_account("maison")
    add_lookups(account)
    fuzzer = Fuzzer(account, tmp_path)
    fuzzer.prepare()
    return fuzzer


def test_whatever_comes_gets_an_answer(fuzzer):
    fuzzer.run(2, cases=CASES)
    assert not fuzzer.failures, "\n".join(map(str, fuzzer.failures))
    assert fuzzer.cases == CASES
    assert len(fuzzer.statuses) == 4, "the cases are not as different as they were meant"


def test_a_case_is_the_same_each_time_and_leaves_nothing(fuzzer):
    first, again, other = Case(fuzzer, "1:3"), Case(fuzzer, "1:3"), Case(fuzzer, "1:4")
    assert first.data == again.data != other.data
    before = (fuzzer.account.connections.count(), Run.objects.count())
    first.run()
    assert (fuzzer.account.connections.count(), Run.objects.count()) == before


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda case, spec: 1 / 0, "apply: ZeroDivisionError: division by zero (test_fuzz.py"),
        (lambda case, spec: sum(0 for _ in count()), "apply: TooSlow: more than 0.5 s"),
    ],
)
def test_what_is_no_answer_or_takes_too_long_is_a_failure(fuzzer, monkeypatch, broken, said):
    fuzzer.limit = 0.5
    monkeypatch.setattr(Case, "apply", broken)
    monkeypatch.setattr(Case, "tell_the_same_of_rejects", lambda case, spec: None)
    Case(fuzzer, "1:3").run()
    assert said in "\n".join(map(str, fuzzer.failures))


@pytest.mark.parametrize("original_is_slow", [False, True])
def test_a_mutation_that_makes_a_file_many_times_slower_is_a_failure(fuzzer, monkeypatch, original_is_slow):
    fuzzer.noticed = 0.1
    case = Case(fuzzer, "1:3")
    case.original, case.data = b"a" * 100, b"b" * 100

    def work(self, spec):
        ends = time.process_time() + 0.2
        while (original_is_slow or self.path.read_bytes() == self.data) and time.process_time() < ends:
            pass

    monkeypatch.setattr(Case, "onboard", lambda case: [])
    monkeypatch.setattr(Case, "apply", work)
    monkeypatch.setattr(Case, "export", lambda case, spec: None)
    monkeypatch.setattr(Case, "tell_the_same_of_rejects", lambda case, spec: None)
    case.run()
    said = [failure.what for failure in fuzzer.failures]
    assert ["times longer than its original" in what for what in said] == [True] * (not original_is_slow)
    assert case.path.read_bytes() == case.data


def test_a_case_that_is_none_is_wrong_usage():
    ended = subprocess.run(
        [sys.executable, "benchmarks/fuzz", "--case", "seven"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "--case needs SEED:NUMBER" in ended.stderr) == (2, True)
