"""The benchmark from end to end, small: it measures, it compares, and it refuses what did no work. No times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ["W1 first load", "W2 same file again", "W3 1 % changed", "W4 500-row delta", "R1 report of W1"]
WORKLOADS += ["R2 its changes, CSV", "U1 undo of W1"]
YARDSTICK = """
import json, sys
files = [argument for argument in sys.argv[1:] if argument.endswith(".txt")]
for number, _ in enumerate(files):
    print(json.dumps({"seconds": 0.5, "bad_lines": BAD_LINES if number == 0 else 0}))
"""


def benchmark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "benchmarks/run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture
def yardstick(tmp_path: Path) -> Callable[..., Path]:
    """A folder with a yardstick that needs no database and leaves out as many rows as it is told."""

    def make(bad_lines: int = 0) -> Path:
        (tmp_path / "limit.py").write_text(YARDSTICK.replace("BAD_LINES", str(bad_lines)))
        return tmp_path

    return make


def test_every_workload_is_measured_beside_the_yardstick_where_that_reads_the_layout(yardstick, tmp_path):
    document = tmp_path / "results.json"
    ended = benchmark(
        "--customers",
        "40",
        "--layouts",
        "wide,standard",
        "--repeat",
        "1",
        "--yardstick",
        yardstick(),
        "--json",
        document,
    )
    assert ended.returncode == 0, ended.stderr
    results = json.loads(document.read_text())["results"]
    assert [(result["layout"], result["workload"]) for result in results] == [
        (layout, workload) for layout in ("wide", "standard") for workload in WORKLOADS
    ]
    for result in results:
        assert result["rows"] >= 40
        assert 10 < result["peak_mb"] < 1000
        assert result["workload"] in ended.stdout
        if result["layout"] == "wide" or result["workload"][0] in "RU":
            assert "ratio" not in result
        else:
            assert result["limit_seconds"] == 0.5
            assert result["ratio"] == pytest.approx(result["seconds"] / 0.5, abs=0.01)


def test_a_yardstick_that_leaves_rows_out_is_no_comparison(yardstick):
    ended = benchmark(
        "--customers", "10", "--layouts", "standard", "--repeat", "1", "--yardstick", yardstick(bad_lines=3)
    )
    assert ended.returncode == 1
    assert "left rows out" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layouts", "standard,tall"], "no such layout: tall"),
        (["--yardstick", "nowhere"], "there is no limit.py in"),
        (["--repeat", "0"], "--repeat must be at least 1"),
        (["--customers", "-5"], "--customers must be at least 1"),
    ],
)
def test_wrong_usage_is_refused(arguments, message):
    ended = benchmark(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
