"""What other programs do with the API: a generated client, and a large upload to a server of its own."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import requests

from imports.models import Run
from tests.imports.customer_files import NEW, as_text
from tests.processes import ROOT, environment, free_port, wait_until
from tests.queue import work

pytestmark = pytest.mark.django_db(transaction=True)

IMPORTER = """
import io, sys
from sync import AuthenticatedClient
from sync.api.runs import accounts_runs_retrieve, runs_upload
from sync.models import UploadRequest
from sync.types import File

url, token, path, run = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)
if run == "-":
    body = UploadRequest(file=File(io.BytesIO(open(path, "rb").read()), "customers.txt", "text/plain"))
    made = runs_upload.sync("maison", client=client, body=body)
    print(made.id, made.status)
else:
    read = accounts_runs_retrieve.sync("maison", run, client=client)
    print(read.status, read.counts.created)
"""


def test_a_generated_client_imports_a_file_and_reads_the_result(world, live_server, tmp_path):
    tool = Path(sys.executable).with_name("openapi-python-client")
    schema = ROOT / "docs" / "openapi.yaml"
    made = subprocess.run(
        [tool, "generate", "--path", schema, "--output-path", tmp_path / "client", "--meta", "none"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    (tmp_path / "client").rename(tmp_path / "sync")
    (tmp_path / "importer.py").write_text(IMPORTER)
    (tmp_path / "customers.txt").write_text(as_text([NEW]))

    def run(number):
        arguments = [live_server.url, world.rosa.token, tmp_path / "customers.txt", number]
        ended = subprocess.run(
            [sys.executable, "importer.py", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.split()

    number, status = run("-")
    assert status == "queued"
    work()
    assert run(number) == ["succeeded", "1"]


def test_a_large_upload_takes_little_memory_and_keeps_nobody_waiting(world, tmp_path):
    """100 MB to a server process of its own, which answers others meanwhile."""
    port = free_port()
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {world.rosa.token}"}
    answers, others_were_answered = [], threading.Event()

    def upload():
        with path.open("rb") as file:
            body = Multipart(file, 100_000_000, others_were_answered)
            answers.append(
                requests.post(
                    f"{url}/api/v1/accounts/maison/runs/upload/",
                    data=body,
                    headers={**headers, "Content-Type": body.content_type, "Content-Length": str(body.length)},
                    timeout=120,
                )
            )

    try:
        wait_until(lambda: _answers(f"{url}/health/"))
        process, peak, asked = psutil.Process(server.pid), 0, 0
        thread = threading.Thread(target=upload)
        thread.start()
        while thread.is_alive():
            peak = max(peak, process.memory_info().rss)
            assert requests.get(f"{url}/api/v1/accounts/", headers=headers, timeout=60).status_code == 200
            asked += 1
            if asked > 3:
                others_were_answered.set()
            time.sleep(0.02)
        thread.join()
    finally:
        server.kill()
        server.wait()
    assert answers[0].status_code == 202, answers[0].text
    assert Run.objects.get().file_size == 100_000_000
    assert peak < 150_000_000


class Multipart:
    """A form with one file, sent piece by piece; its second half when it may go on."""

    def __init__(self, file, size, may_go_on):
        self.file, self.size, self.may_go_on = file, size, may_go_on
        self.head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.txt"\r\n\r\n'
        self.tail = b"\r\n--x--\r\n"
        self.content_type = "multipart/form-data; boundary=x"
        self.length = len(self.head) + size + len(self.tail)

    def __iter__(self):
        yield self.head
        while piece := self.file.read(1 << 16):
            yield piece
            if self.file.tell() > self.size / 2:
                assert self.may_go_on.wait(60), "others were not answered meanwhile"
        yield self.tail

    def __len__(self):
        return self.length


def _answers(url):
    try:
        return requests.get(url, timeout=60).status_code
    except (requests.ConnectionError, requests.Timeout):
        return 0
