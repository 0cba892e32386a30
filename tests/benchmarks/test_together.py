"""The short form of benchmarks/together: people, files and programs at once for some seconds, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_people_files_and_programs_work_in_one_account_at_once():
    arguments = ["--seconds", "6", "--customers", "60", "--longest-wait", "60", "--seed", "7"]
    ended = subprocess.run(
        [sys.executable, "benchmarks/together", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-5000:]
    lines = [line.strip().split("  ", 1) for line in ended.stdout.splitlines() if line.startswith("  ")]
    tally = {what: count for count, what in lines}
    assert int(tally["importer: succeeded"].replace(",", "")) >= 1
    assert tally["errors"] == tally["values, records or copies that the change log does not explain"] == "0"
    assert "Nobody met an error" in ended.stdout
