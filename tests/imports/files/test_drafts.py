"""Drafts take the place of files alone; a device or a pipe is written to."""

from __future__ import annotations

import os
import threading

import pytest

from imports.files.drafts import drafting, publish


def write(path, text="new"):
    with drafting(path) as draft:
        draft.write_text(text)
        publish(draft, path)
        return draft


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_is_replaced_at_once(tmp_path, before):
    path = tmp_path / "rejects.txt"
    if before:
        path.write_text(before)
    draft = write(path)
    assert path.read_text() == "new"
    assert not draft.exists()


def test_what_is_not_published_leaves_the_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "rejects.txt"
    path.write_text("old")
    with pytest.raises(KeyError), drafting(path) as draft:
        draft.write_text("half")
        raise KeyError
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("rejects.txt", "old")]


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path):
    file, link = tmp_path / "file.txt", tmp_path / "link.txt"
    file.write_text("old")
    link.symlink_to(file)
    write(link)
    assert link.is_symlink()
    assert file.read_text() == "new"


def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    draft = write(pipe)
    reader.join(60)
    assert read == ["new"]
    assert pipe.is_fifo()
    assert draft.parent != tmp_path
    assert not draft.exists()
