"""A benchmark that is told to end takes with it what it started."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSIDE = """
import sys
from pathlib import Path
from benchmarks.app_hosts import Program
from benchmarks.servers import end_in_order

end_in_order()
program = Program(["-c", "import time; time.sleep(600)"], {}, Path("/dev/null"))
try:
    print(program.process.pid, flush=True)
    program.process.wait()
finally:
    program.kill()
"""
OUTSIDE = f"""
import os, sys
from benchmarks.servers import run_to_its_end

run_to_its_end([sys.executable, "-c", {INSIDE!r}], dict(os.environ))
"""


@pytest.mark.parametrize("together", [False, True], ids=["it alone", "its whole group"])
@pytest.mark.parametrize("request_to_end", [signal.SIGTERM, signal.SIGINT], ids=["kill", "Ctrl-C"])
def test_a_benchmark_that_is_told_to_end_ends_its_programs(request_to_end, together):
    benchmark = subprocess.Popen(
        [sys.executable, "-c", OUTSIDE],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert benchmark.stdout
    program = int(benchmark.stdout.readline())
    try:
        (os.killpg if together else os.kill)(benchmark.pid, request_to_end)
        assert benchmark.wait(60) == 128 + request_to_end
        with pytest.raises(ProcessLookupError):
            os.kill(program, 0)
    finally:
        benchmark.stdout.close()
        for left in (benchmark.pid, program):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(left, signal.SIGKILL)
