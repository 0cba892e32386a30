"""Folders of FTP servers of every kind: all that lies there is listed, or it is said why nobody knows."""

import io
import shutil

import pytest

from imports.filesystems import (
    FolderMissing,
    ListingUnreadable,
    LoginRefused,
    PermissionRefused,
    ServerUnreachable,
    open_server,
)
from tests.processes import free_port
from tests.servers import list_like_ibm_i, make_authority, run_ftp

NO_MLSD = {"MLSD": "502 Command not implemented.", "MLST": "502 Command not implemented."}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for all tests; each says how it answers."""
    with run_ftp(tmp_path_factory.mktemp("ftp")) as running:
        yield running


@pytest.fixture
def folder(shared):
    shutil.rmtree(shared.folder / "in", ignore_errors=True)
    (shared.folder / "in" / "processed").mkdir(parents=True)
    (shared.folder / "in" / "customers.txt").write_bytes(b"x" * 1234)
    return shared.folder


@pytest.fixture
def server(shared, folder):
    shared.replies.clear()
    shared.listings.clear()
    return shared


def listed(server, folder="in"):
    with open_server(server.settings) as session:
        return {
            file.name: (file.size, file.modified_at is not None, file.oddity) for file in session.list_files(folder)
        }


CUSTOMERS = {"customers.txt": (1234, True, "")}


def unreadable(place):
    return [f"{path.name} | {path.stat().st_size}" for path in place.iterdir()]


def names_with_folder(place):
    return [f"/in/{path.name}" for path in place.iterdir()]


@pytest.mark.parametrize(
    ("replies", "listings"),
    [
        (NO_MLSD, {"LIST": list_like_ibm_i}),
        (NO_MLSD, {"LIST": unreadable}),
        (NO_MLSD, {"LIST": unreadable, "NLST": names_with_folder}),
        ({}, {"MLSD": unreadable}),
        ({}, {"MLSD": lambda place: [f"modify=20261124053000; {path.name}" for path in place.iterdir()]}),
        ({}, {"MLSD": lambda place: [f"type=file;perm=r; {path.name}" for path in place.glob("*.txt")]}),
        ({**NO_MLSD, "LIST": "502 Command not implemented."}, {}),
        (NO_MLSD, {"LIST": lambda place: ["ERP   *MEM  customers.txt", "ERP  8192 24.11.26 05:30:00 *FILE processed"]}),
        (NO_MLSD, {"LIST": lambda place: ["customers.txt;2 3/3 24-NOV-2026 05:30", "old.dir;1 1 4-NOV-2026 05:30"]}),
    ],
)  # fmt: skip
def test_whatever_the_dialect_the_file_is_listed_with_its_size_and_time(server, replies, listings):
    server.replies.update(replies)
    server.listings.update(listings)
    assert listed(server) == CUSTOMERS


@pytest.mark.parametrize("refused", ["NLST", "SIZE"])
def test_where_nobody_can_know_what_lies_there_the_line_is_quoted(server, refused):
    server.replies.update({**NO_MLSD, refused: "502 Command not implemented."})
    server.listings["LIST"] = lambda place: ["customers.txt | 1234"]
    with pytest.raises(
        ListingUnreadable, match=r"'customers\.txt.*'.*502 Command not implemented.*switch on MLSD or SIZE"
    ):
        listed(server)


@pytest.mark.parametrize(("replies", "size"), [({}, 1234), ({"MLST": "550 No such file."}, 99), (NO_MLSD, 99)])
def test_a_file_is_looked_at_as_it_was_listed(server, replies, size):
    """SIZE may count line ends otherwise than a listing, and a file that seems to change never settles."""
    server.replies.update({"SIZE": "213 99", **replies})
    with open_server(server.settings) as session:
        session.list_files("in")
        found = session.look_at("in/customers.txt")
    assert found is not None and found.size == size


@pytest.mark.parametrize("said", ["213 1,234", "213 none", "213", "250 12"])
def test_a_size_that_is_no_number_is_none(server, said):
    server.replies.update({**NO_MLSD, "LIST": "502 Command not implemented.", "SIZE": said})
    with pytest.raises(ListingUnreadable, match=f"SIZE: '?501 {said}"):
        listed(server)


def test_an_unreadable_line_is_no_empty_folder_for_who_lists_no_names(server):
    server.replies.update(NO_MLSD)
    server.listings.update({"LIST": lambda place: ["customers.txt | 1234"], "NLST": lambda place: []})
    with pytest.raises(ListingUnreadable, match="NLST names nothing"):
        listed(server)
    server.replies["NLST"] = "550 No files found."
    with pytest.raises(ListingUnreadable, match="No files found"):
        listed(server)


def test_a_file_without_a_size_of_its_own_is_named(server):
    server.replies["SIZE"] = "550 Could not get the size of that."
    server.listings["MLSD"] = lambda place: ["type=file; customers.txt", "type=file;size=3; other.txt"]
    found = listed(server)
    assert "Could not get the size" in found["customers.txt"][2]
    assert "Ask its operator to switch on MLSD or SIZE" in found["customers.txt"][2]
    assert found["other.txt"][0] == 3


@pytest.mark.parametrize(
    "said",
    [
        "550 No files found",
        "450 No files found",
        "550 Directory is empty.",
        "550 *.*: No such file or directory",
        "550 Keine Dateien gefunden",
        "450 Aucun fichier",
        "550 No members found.",
        "550 No data sets found.",
        "550 No matching files",
        "550 0 files found",
        "550 Can't find any files",
        "550 No hay archivos",
        "550 Nie znaleziono plików",
    ],
)
@pytest.mark.parametrize("commands", [["MLSD"], ["LIST"], ["MLSD", "LIST", "NLST"]])
def test_an_empty_folder_may_be_answered_by_an_error(server, said, commands):
    server.replies.update(NO_MLSD if "MLSD" not in commands else {})
    server.replies.update(dict.fromkeys(commands, said))
    assert listed(server) == {}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("550 Permission denied.", PermissionRefused),
        ("550 Not authorized to list.", PermissionRefused),
        ("550 Zugriff verweigert", PermissionRefused),
        ("550 Failed.", PermissionRefused),
        ("550 No.", PermissionRefused),
        ("550 No such device or address", PermissionRefused),
        ("450 Busy, no listing now", ServerUnreachable),
        ("451 Local error", ServerUnreachable),
    ],
)
def test_a_refusal_is_no_empty_folder(server, said, error):
    server.replies.update(dict.fromkeys(["MLSD", "LIST", "NLST"], said))
    with pytest.raises(error, match=said[4:8]):
        listed(server)


def test_a_folder_that_cannot_be_entered_is_none(server):
    with pytest.raises(FolderMissing):
        listed(server, "nowhere")


@pytest.mark.parametrize("replies", [{}, NO_MLSD])
def test_links_are_followed_to_files_and_named_where_they_lead_to_none(server, folder, replies):
    server.replies.update(replies)
    (folder / "in" / "today.txt").symlink_to("customers.txt")
    (folder / "in" / "archive.txt").symlink_to("processed")
    (folder / "in" / "lost.txt").symlink_to("nowhere.txt")
    found = listed(server)
    assert found.pop("today.txt") == (1234, True, "")
    if replies:  # this server leaves both out of MLSD, or calls them folders
        assert found.pop("archive.txt")[2] == "it is a link to a folder"
        assert found.pop("lost.txt")[2] == "it is a link that leads to no file"
    assert found == CUSTOMERS


def test_a_member_stands_below_its_file_and_is_known_by_its_own_name(server, folder):
    (folder / "in" / "OUT.FILE").mkdir()
    (folder / "in" / "OUT.FILE" / "CUST.MBR").write_text("content")
    server.replies.update(NO_MLSD)
    server.listings["LIST"] = lambda place: ["ERP   *MEM   OUT.FILE/CUST.MBR"]
    with open_server(server.settings) as session:
        (file,) = session.list_files("in")
    assert (file.path, file.name, file.size) == ("in/OUT.FILE/CUST.MBR", "CUST.MBR", 7)


def test_a_server_whose_paths_are_not_those_of_unix_is_asked_from_where_the_login_leads(server, folder):
    server.replies["PWD"] = '257 "ERPLIB" is the current library.'
    (folder / "ERPLIB").symlink_to(".")
    (folder / "in" / "ERPLIB").symlink_to("..")
    (folder / "in" / "processed" / "ERPLIB").symlink_to("../..")
    assert listed(server) == CUSTOMERS
    with open_server(server.settings) as session:
        session.make_folder("in/processed")
        session.rename("in/customers.txt", "in/processed/customers.txt")
    assert (folder / "in" / "processed" / "customers.txt").exists()


@pytest.mark.parametrize("said", ["502 Command not implemented.", "550 Permission denied.", "500 What?"])
def test_a_server_that_does_not_tell_where_the_login_leads(server, said):
    server.replies["PWD"] = said
    server.replies["XPWD"] = '257 "/" is the current directory.'
    assert listed(server) == CUSTOMERS
    server.replies["XPWD"] = said
    with pytest.raises(PermissionRefused, match=f"does not tell where the login of .* leads .PWD: .*{said[4:8]}.*SFTP"):
        listed(server)


def test_a_login_that_is_asked_for_again_is_no_refusal_of_a_command(server):
    server.replies["PWD"] = "530 Please login with USER and PASS."
    with pytest.raises(LoginRefused):
        listed(server)


def test_a_login_that_is_lost_later_is_tried_again(server):
    server.replies["CWD"] = "530 Please login with USER and PASS."
    with pytest.raises(ServerUnreachable, match="ended the login of 'brand'"):
        listed(server)


def test_data_are_asked_for_by_whichever_passive_command_is_known(server):
    server.replies["PASV"] = "502 Command not implemented."
    assert listed(server) == CUSTOMERS


def test_a_port_for_data_that_is_closed_is_named(server):
    port = free_port()
    server.replies["PASV"] = f"227 Entering passive mode (127,0,0,1,{port // 256},{port % 256})."
    with pytest.raises(ServerUnreachable, match=f"it answers, but port {port} that it gives for data"):
        listed(server)


@pytest.mark.parametrize("kind", ["", "implicit"])
def test_data_whose_tls_just_ends_are_all_and_data_that_are_lost_are_none(tmp_path, kind):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "customers.txt").write_bytes(b"x" * 1234)
    with run_ftp(tmp_path, kind, make_authority(tmp_path, "server")) as running:
        running.misbehaviour.add("no goodbye")
        assert listed(running) == CUSTOMERS
        with open_server(running.settings) as session:
            session.write_file("in/b.txt", b"y" * 100_000)
            assert session.download("in/b.txt", io.BytesIO(), 10**9) == 100_000
        running.misbehaviour.add("reset data")
        with pytest.raises(ServerUnreachable):
            listed(running)


@pytest.mark.parametrize(
    ("command", "said"), [("TYPE", "504 Not that."), ("PASV", "500 No."), ("MLSD", "553 Not here.")]
)
def test_a_refusal_names_the_command_that_it_answers(server, command, said):
    server.replies.update({command: said, "EPSV": "500 No."})
    if command == "MLSD":
        server.replies.update(dict.fromkeys(("LIST", "NLST"), said))
    with pytest.raises(PermissionRefused, match=rf"{said} .({command if command != 'MLSD' else 'NLST'})"):
        listed(server)
