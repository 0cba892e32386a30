"""The short form of benchmarks/faults: some faults on every kind of server, and all of what must hold does."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_one_fault_wherever_it_hits_a_pull_loses_and_doubles_nothing():
    ended = subprocess.run(
        [sys.executable, "benchmarks/faults", "--every", "130", "--kinds", "partial,held"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr[-5000:]
    pulled = re.findall(r"^(file|ftp|sftp) +(\w+) +(\d+) points, +(\d+) faults, 0 broken$", ended.stdout, re.M)
    assert len(pulled) == 6
    assert all(int(points) > 100 and int(faults) >= 2 for _, _, points, faults in pulled)
    assert "All of it holds." in ended.stdout
