"""The drop box over SFTP, by the clients that senders use."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
from typing import Any

import asyncssh
import pytest

from dropbox.jobs import do
from dropbox.models import Session, StoredFile
from imports.feeds.pulling import pull_feed
from imports.models import Feed
from tests.builders import PASSWORD
from tests.dropbox.visitors import connect, make_box, openssh, start_dropbox, visit
from tests.feeds import customers
from tests.processes import wait_until


async def write(files, path, content, flags=asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC):
    async with files.open(path, flags, encoding=None) as file:
        await file.write(content)


def test_openssh_uploads_lists_renames_and_replaces(dropbox, box, tmp_path):
    (tmp_path / "customers.txt").write_text(customers("C1"))
    (tmp_path / "other.txt").write_text(customers("C2"))
    done = openssh(
        dropbox, box, "ls", "put customers.txt in/", "put -p other.txt in/second.txt", "rename in/second.txt in/b.txt",
        "put other.txt in/customers.txt", "ls -l in", "get in/customers.txt back.txt", "rm in/b.txt", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("failed", "in", "out", "processed"))
    assert (tmp_path / "back.txt").read_text() == customers("C2")
    assert box.names() == ["customers.txt"]
    assert box.content("customers.txt") == customers("C2").encode()
    assert box.is_queued()
    session = box.last_session()
    assert (session.protocol, session.address, session.ended) == ("SFTP", "127.0.0.1", "the client left")
    assert (session.files, session.bytes, session.fetched) == (3, sum(map(len, map(customers, ("C1", "C2", "C2")))), 1)


def test_what_was_uploaded_is_imported_and_answered(dropbox, box):
    visit(dropbox, box, lambda files: write(files, "in/customers.txt", customers("C1", "C2").encode()))
    pull = pull_feed(box.feed)
    assert (pull.status, pull.imported, pull.message) == ("succeeded", 1, "")
    assert box.feed.account.connections.count() == 2
    run = box.feed.runs.get()
    assert run.archived_as == f"processed/{run.pk}-{run.sha256[:8]}-customers.txt"

    async def look(files):
        return [sorted(set(await files.listdir(folder)) - {".", ".."}) for folder in ("in", "processed", "out")]

    archived, receipt = run.archived_as.removeprefix("processed/"), f"{run.pk}-succeeded-customers.txt.json"
    assert visit(dropbox, box, look) == [[], [archived], [receipt]]


def test_a_file_is_imported_at_once_and_the_next_one_when_the_hour_is_over(dropbox, box):
    def upload(name):
        visit(dropbox, box, lambda files: write(files, f"in/{name}", customers(name[0]).encode()))
        box.feed.refresh_from_db()

    upload("a.txt")
    assert box.is_queued()
    first = pull_feed(box.feed)
    upload("b.txt")
    assert not box.is_queued()
    assert (box.feed.next_pull_at - first.started_at).total_seconds() == 3600
    box.login.at_once = True
    box.login.save()
    upload("c.txt")
    assert box.is_queued()


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("at the top", "customers.txt", "in the folder in alone"),
        ("in the archive", "processed/a.txt", "in the folder in alone"),
        ("in a folder of its own", "in/2026/a.txt", "in the folder in alone"),
        ("above", "in/../../a.txt", "Paths with .. are not followed"),
        ("with a line end", "in/a\nb.txt", r"no control characters and no backslash: a\nb.txt"),
        ("as on Windows", "in/c:\\a.txt", "no backslash"),
        ("with what nobody sees", "in/a\u202etxt", r"no control characters and no backslash: a\u202etxt"),
        ("with a long name", f"in/{'ü' * 128}", "A name may have 255 bytes"),
    ],
)
def test_names_and_places_that_are_not_taken_are_refused_with_the_reason(dropbox, box, name, path, said):
    with pytest.raises(asyncssh.SFTPError) as refused:
        visit(dropbox, box, lambda files: write(files, path, b"x"))
    assert said in refused.value.reason
    assert not StoredFile.objects.exists()
    assert said in box.last_session().refusal


def test_there_are_no_folders_links_or_other_places(dropbox, box):
    asked = {
        "mkdir": lambda files: files.mkdir("in/new"),
        "rmdir": lambda files: files.rmdir("out"),
        "symlink": lambda files: files.symlink("/etc/passwd", "in/link"),
        "link": lambda files: files.link("in/a.txt", "in/link"),
        "readlink": lambda files: files.readlink("in/a.txt"),
        "elsewhere": lambda files: files.listdir("/etc"),
        "a file elsewhere": lambda files: files.stat("/etc/passwd"),
        "above": lambda files: files.listdir("../.."),
        "no name at all": lambda files: files.stat(b"in/a\0b.txt"),
        "not UTF-8": lambda files: files.stat(b"in/\xff.txt"),
        "cut short": lambda files: files.truncate("in/a.txt", 1),
        "rename out of it": lambda files: files.rename("in/a.txt", "processed/a.txt"),
    }

    async def ask(files):
        await write(files, "in/a.txt", b"whole")
        refused = {}
        for what, does in asked.items():
            try:
                await does(files)
            except asyncssh.SFTPError as error:
                refused[what] = error.reason
        return refused

    refused = visit(dropbox, box, ask)
    assert refused.keys() == asked.keys()
    assert all(refused.values())
    assert "There is no" in refused["no name at all"], "and nothing of a database"
    assert box.content("a.txt") == b"whole"


def test_archives_and_receipts_may_be_read_and_only_receipts_deleted(dropbox, box):
    from dropbox.storing import store_file

    for folder in ("processed", "failed", "out"):
        store_file(box.feed.pk, folder, "a.txt", open_bytes(folder.encode()))

    async def ask(files):
        read = []
        for folder in ("processed", "failed", "out"):
            async with files.open(f"{folder}/a.txt", "rb") as file:
                read.append(await file.read())
        for folder in ("processed", "failed"):
            for does in (files.remove(f"{folder}/a.txt"), files.rename(f"{folder}/a.txt", "in/a.txt")):
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await does
        await files.remove("out/a.txt")
        return read

    assert visit(dropbox, box, ask) == [b"processed", b"failed", b"out"]
    assert (box.names("processed"), box.names("failed"), box.names("out")) == (["a.txt"], ["a.txt"], [])


def test_a_request_is_answered_with_no_more_than_a_block(dropbox, box):
    from dropbox.requests import BLOCK
    from dropbox.storing import store_file

    content = os.urandom(BLOCK + 1)
    store_file(box.feed.pk, "processed", "a.txt", open_bytes(content))

    async def ask(files):
        given = files.limits.max_read_len, files.limits.max_write_len
        async with files.open("processed/a.txt", "rb") as file:
            handler: Any = files._handler  # private; the client asks for no more than it was told
            block, _ = await handler.read(file._handle, 0, 0xFFFFFFFF)
            return given, block, await file.read()

    assert visit(dropbox, box, ask) == ((BLOCK, BLOCK), content[:BLOCK], content)


def open_bytes(content):
    import io

    return io.BytesIO(content)


def test_no_shell_no_command_and_no_way_further(dropbox, box):
    async def ask():
        async with connect(dropbox, box) as connection:
            for asked in ({"command": "id"}, {"term_type": "xterm"}, {"subsystem": "netconf"}):
                with pytest.raises((asyncssh.ChannelOpenError, asyncssh.ProcessError, asyncssh.ConnectionLost)):
                    process = await connection.create_process(**asked)
                    await process.wait(check=True)
                    raise AssertionError(asked)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", dropbox.ports["SFTP"])
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 22)

    asyncio.run(ask())
    assert not StoredFile.objects.exists()


def test_openssh_is_given_no_shell(dropbox, box):
    program = shutil.which("ssh") or pytest.skip("OpenSSH's ssh is not installed")
    done = subprocess.run(
        [program, "-i", str(box.key), "-p", str(dropbox.ports["SFTP"]), "-F", "none", "-o", "BatchMode=yes",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         f"{box.login.user_name}@127.0.0.1", "id"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "uid=" not in done.stdout


def test_the_right_password_and_the_right_key_alone_let_in(dropbox, box, tmp_path):
    other = make_box(box.feed.account, tmp_path, "other")

    def come(**options):
        return visit(dropbox, box, lambda files: files.listdir("/"), **options)

    assert "in" in come(password=PASSWORD)
    assert "in" in come()
    for wrong in ({"password": "wrong"}, {"client_keys": [str(other.key)]}, {"password": PASSWORD, "username": "root"}):
        with pytest.raises(asyncssh.PermissionDenied):
            come(**wrong)
    box.login.password = ""
    box.login.save()
    for password in (PASSWORD, ""):
        with pytest.raises(asyncssh.PermissionDenied):
            come(password=password)


def test_after_five_failures_nobody_is_let_in_for_a_while_and_it_is_said_why(dropbox, box, tmp_path):
    other = make_box(box.feed.account, tmp_path, "other")
    for number in range(5):
        with pytest.raises(asyncssh.PermissionDenied):
            visit(dropbox, box, lambda files: files.listdir("/"), password=f"wrong {number}")
    with pytest.raises(asyncssh.DisconnectError, match="Too many attempts to log in failed"):
        visit(dropbox, box, lambda files: files.listdir("/"))
    visit(dropbox, other, lambda files: files.listdir("/"))


def test_a_login_sees_nothing_of_another_one(dropbox, box, tmp_path):
    other = make_box(box.feed.account, tmp_path, "other")
    visit(dropbox, other, lambda files: write(files, "in/secret.txt", b"x"))

    async def look(files):
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await files.stat("in/secret.txt")
        with pytest.raises(asyncssh.SFTPError):
            await files.remove("in/secret.txt")
        return await files.listdir("in")

    assert visit(dropbox, box, look) == []
    assert other.names() == ["secret.txt"]


# -- whole files only


def test_a_file_is_there_when_it_is_closed_and_not_before(dropbox, box):
    async def upload(files):
        file = await files.open("in/a.txt", "wb")
        await file.write(b"half")
        seen = await do(box.names)
        assert (await files.stat("in/a.txt")).size == 4
        await file.close()
        return seen

    assert visit(dropbox, box, upload) == []
    assert box.names() == ["a.txt"]


def test_habits_of_winscp(dropbox, box):
    """An unfinished name, a time set by path, then the rename, over a file that is there."""

    async def upload(files):
        await write(files, "in/a.txt", b"old")
        await do(Feed.objects.update, queued_at=None)
        await write(files, "in/a.txt.filepart", b"new")
        await files.setstat("in/a.txt.filepart", asyncssh.SFTPAttrs(permissions=0o644))
        await files.utime("in/a.txt.filepart", (1_000_000_000, 1_000_000_000))
        queued = await do(box.is_queued)
        with pytest.raises(asyncssh.SFTPFailure, match=r"There is a file in/a\.txt already"):
            await files.rename("in/a.txt.filepart", "in/a.txt")
        await files.remove("in/a.txt")
        await files.rename("in/a.txt.filepart", "in/a.txt")
        return queued

    assert visit(dropbox, box, upload) is False, "an unfinished name is no file yet"
    assert box.content("a.txt") == b"new"
    assert box.is_queued()
    assert box.files().get().modified_at.year > 2001, "in the order in which they came"


def cut_off(dropbox, box, content=b"half", path="in/a.txt"):
    """A client that is lost in the middle of an upload."""

    async def go():
        async with connect(dropbox, box) as connection, connection.start_sftp_client() as files:
            file = await files.open(path, "wb")
            await file.write(content)
            connection.abort()

    asyncio.run(go())
    wait_until(lambda: box.files(whole=False).exists())


def test_half_a_file_is_never_imported_and_can_be_resumed(dropbox, box, tmp_path):
    text = customers("C1", "C2")
    cut_off(dropbox, box, text[:20].encode())
    assert (box.names(), box.is_queued()) == ([], False)
    assert pull_feed(box.feed).listed == 0
    assert box.last_session().ended == "the connection was lost"
    (tmp_path / "a.txt").write_text(text)
    done = openssh(dropbox, box, "ls -l in", "reput a.txt in/a.txt", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert " 20 " in done.stdout, "what is there of it is shown"
    assert box.content("a.txt") == text.encode()
    assert not box.files(whole=False).exists()


def test_a_cut_off_file_is_not_renamed_into_a_whole_one_and_may_be_sent_again(dropbox, box):
    cut_off(dropbox, box)

    async def go_on(files):
        with pytest.raises(asyncssh.SFTPPermissionDenied, match=r"The upload of in/a\.txt was cut off"):
            await files.rename("in/a.txt", "in/b.txt")
        await write(files, "in/a.txt", b"whole")

    visit(dropbox, box, go_on)
    assert box.content("a.txt") == b"whole"


def test_a_cut_off_upload_leaves_the_whole_file_of_its_name_alone(dropbox, box):
    visit(dropbox, box, lambda files: write(files, "in/a.txt", b"whole"))
    cut_off(dropbox, box)
    assert box.content("a.txt") == b"whole"


def test_a_file_with_a_hole_is_refused(dropbox, box):
    async def upload(files):
        file = await files.open("in/a.txt", "wb")
        await file.write(b"end", 100)
        await file.close()

    with pytest.raises(asyncssh.SFTPFailure, match="behind byte 0 some of its 103 bytes are missing"):
        visit(dropbox, box, upload)
    assert not StoredFile.objects.exists()


def test_appending_goes_on_where_the_file_ends(dropbox, box):
    async def upload(files):
        await write(files, "in/a.txt", b"one ")
        await write(files, "in/a.txt", b"two", asyncssh.FXF_WRITE | asyncssh.FXF_APPEND)

    visit(dropbox, box, upload)
    assert box.content("a.txt") == b"one two"


# -- limits


@pytest.mark.parametrize(
    ("feed", "login", "said"),
    [
        ({"most_bytes": 10}, {}, "A file may have 10 bytes"),
        ({}, {"quota_bytes": 10}, "may have 10 bytes together"),
        ({}, {"most_files": 1}, "sent 1 files within an hour"),
    ],
)
def test_more_than_is_allowed_is_refused_with_the_reason(dropbox, box, feed, login, said):
    Feed.objects.update(**feed)
    type(box.login).objects.update(**login)

    async def upload(files):
        await write(files, "in/a.txt", b"12345678")
        await write(files, "in/b.txt", b"12345678901")

    with pytest.raises(asyncssh.SFTPError) as refused:
        visit(dropbox, box, upload)
    assert said in refused.value.reason
    assert box.names() == ["a.txt"]
    assert said in box.last_session().refusal


@pytest.mark.parametrize(
    ("login", "said"),
    [({"quota_bytes": 10}, "may have 10 bytes together"), ({"most_files": 1}, "sent 1 files within an hour")],
)
def test_limits_hold_for_files_that_come_at_the_same_time(dropbox, box, login, said):
    type(box.login).objects.update(**login)

    async def upload(files):
        first, second = [await files.open(f"in/{name}.txt", "wb") for name in "ab"]
        for file in (first, second):
            await file.write(b"12345678")
        await first.close()
        await second.close()

    with pytest.raises(asyncssh.SFTPError) as refused:
        visit(dropbox, box, upload)
    assert said in refused.value.reason
    assert (box.names(), box.names(whole=False)) == (["a.txt"], [])
    assert said in box.last_session().refusal


def test_a_session_opens_no_more_files_than_it_may_and_closes_them_all(dropbox, box):
    import psutil

    process = psutil.Process(dropbox.process.pid)
    before = process.num_fds()

    async def open_many(files):
        opened = [await files.open(f"in/{number}.txt", "wb") for number in range(100)]
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="A session may have 100 files open"):
            await files.open("in/one-more.txt", "wb")
        await opened[0].close()
        for _ in range(3):
            async with files.open("in/0.txt", "rb") as file:
                await file.read()

    visit(dropbox, box, open_many)
    assert box.last_session().fetched == 3
    wait_until(lambda: process.num_fds() <= before + 3)


def test_a_file_in_too_many_pieces_is_refused_before_it_costs_anybody_time(dropbox, box):
    async def upload(files):
        file = await files.open("in/a.txt", "wb")
        with pytest.raises(asyncssh.SFTPFailure, match="more than 1,000 pieces"):
            for number in range(1100):
                await file.write(b"x", 2 * number)
        with pytest.raises(asyncssh.SFTPFailure, match="more than 1,000 pieces"):
            await file.close()

    visit(dropbox, box, upload)
    assert not StoredFile.objects.exists()


def test_a_full_disk_is_said_and_leaves_nothing(dropbox, box):
    limits = resource.prlimit(dropbox.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(dropbox.process.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(asyncssh.SFTPFailure, match="The server cannot keep the file"):
            visit(dropbox, box, lambda files: write(files, "in/a.txt", b"x" * 2000))
    finally:
        resource.prlimit(dropbox.process.pid, resource.RLIMIT_FSIZE, limits)
    assert not StoredFile.objects.exists()
    visit(dropbox, box, lambda files: write(files, "in/a.txt", b"x" * 2000))
    assert box.names() == ["a.txt"]


def test_more_sessions_than_a_login_may_have_are_refused(dropbox, box):
    type(box.login).objects.update(most_sessions=1)

    async def come_again(files):
        await do(box.names)
        async with connect(dropbox, box) as connection:
            with pytest.raises((asyncssh.Error, OSError)):
                await connection.start_sftp_client()

    visit(dropbox, box, come_again)


def test_many_sessions_at_once_upload_in_flat_memory(dropbox, box):
    import psutil

    process, sessions = psutil.Process(dropbox.process.pid), 20

    async def upload(number, gate, size):
        async with connect(dropbox, box) as connection, connection.start_sftp_client() as files:
            file = await files.open(f"in/{number}.bin", "wb")
            await file.write(b"x" * size)
            gate.release()
            while gate.waiting:
                await asyncio.sleep(0.05)
            await file.close()

    class Gate:
        waiting = sessions

        def release(self):
            self.waiting -= 1

    async def all_at_once(size):
        gate = Gate()
        await asyncio.gather(*(upload(number, gate, size) for number in range(sessions)))

    asyncio.run(all_at_once(1))  # threads and their database sessions stay
    before = process.memory_info().rss
    asyncio.run(all_at_once(size := 5_000_000))
    grown = process.memory_info().rss - before
    assert box.files().count() == sessions
    assert Session.objects.filter(login=box.login).count() == 2 * sessions
    assert grown < sessions * size / 2, "what they send is not kept in memory, however slowly it is taken"


# -- what ends sessions


@pytest.mark.parametrize("how", ["paused", "removed", "login removed"])
def test_pausing_or_removing_a_feed_ends_its_sessions(dropbox, box, how):
    def end():
        if how == "paused":
            Feed.objects.update(enabled=False)
        elif how == "removed":
            box.feed.delete()
        else:
            box.login.delete()

    async def stay(files):
        await files.listdir("/")
        await do(end)
        for _ in range(1200):
            await files.stat("/")
            await asyncio.sleep(0.05)
        raise AssertionError("it was not ended")

    with pytest.raises((asyncssh.Error, OSError)):
        visit(dropbox, box, stay)
    wait_until(lambda: Session.objects.filter(ended__startswith="ended because the login or its feed").exists())
    with pytest.raises(asyncssh.PermissionDenied):
        visit(dropbox, box, lambda files: files.listdir("/"))


def test_a_server_that_is_killed_in_the_middle_of_an_upload_leaves_no_half(box):
    running = start_dropbox()

    async def upload():
        async with connect(running, box) as connection, connection.start_sftp_client() as files:
            await write(files, "in/whole.txt", b"whole")
            file = await files.open("in/half.txt", "wb")
            await file.write(b"x" * 1_000_000)
            os.killpg(running.process.pid, signal.SIGKILL)
            await file.close()

    with pytest.raises((asyncssh.Error, OSError)):
        asyncio.run(upload())
    running.process.communicate()
    assert list(StoredFile.objects.values_list("name", "whole")) == [("whole.txt", True)]
    assert Feed.objects.get().is_queued, "the whole one is to be imported"
