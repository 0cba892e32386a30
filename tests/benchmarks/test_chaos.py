"""The short form of benchmarks/chaos: accidents for some seconds, and nothing is lost or done twice."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_is_applied_once_whatever_is_killed():
    arguments = ["--seconds", "8", "--feeds", "4", "--hosts", "2", "--seed", "7"]
    ended = subprocess.run(
        [sys.executable, "benchmarks/chaos", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-5000:]
    lines = [line.strip().split("  ", 1) for line in ended.stdout.splitlines() if line.startswith("  ")]
    tally = {what: int(count.replace(",", "")) for count, what in lines}
    assert tally["files dropped"] == tally["files applied"] == tally["files archived"] >= 4
    assert tally["files dropped into the drop box"] > 0
    assert "exactly once, in order" in ended.stdout
    assert tally["hosts killed"] > 0
