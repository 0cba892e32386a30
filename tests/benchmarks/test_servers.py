"""A benchmark that is told to end takes with it what it started."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.servers import WITH_THIS_PROCESS

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


@pytest.mark.parametrize(
    ("request_to_end", "together"),
    [
        pytest.param(signal.SIGTERM, False, id="kill"),
        pytest.param(signal.SIGTERM, True, id="kill of its whole group"),
        pytest.param(signal.SIGINT, True, id="Ctrl-C"),
        pytest.param(
            signal.SIGKILL, False, id="kill -9", marks=pytest.mark.skipif(not WITH_THIS_PROCESS, reason="needs setpriv")
        ),
    ],
)
def test_a_benchmark_that_is_ended_takes_its_programs_with_it(request_to_end, together):
    benchmark = subprocess.Popen(
        [sys.executable, "-c", OUTSIDE],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert benchmark.stdout
    program = int(benchmark.stdout.readline())
    processes = [psutil.Process(program), *psutil.Process(benchmark.pid).children()]
    try:
        (os.killpg if together else os.kill)(benchmark.pid, request_to_end)
        code = benchmark.wait(60)
        assert code == (-signal.SIGKILL if request_to_end == signal.SIGKILL else 128 + request_to_end)
        psutil.wait_procs(processes, timeout=60)
        assert not any(process.is_running() for process in processes)
    finally:
        benchmark.stdout.close()
        for left in (benchmark.pid, program):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(left, signal.SIGKILL)
