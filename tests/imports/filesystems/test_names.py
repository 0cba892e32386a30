"""Names on servers, which say nothing of their encoding."""

import pytest

from imports.filesystems.names import Names

LATIN, UTF_8 = "caf\xe9.txt".encode("latin-1"), "caf\xe9.txt".encode()


@pytest.mark.parametrize(
    ("names", "read"),
    [
        ([b"a.txt"], ["a.txt"]),
        ([UTF_8, "\u20ac.txt".encode()], ["caf\xe9.txt", "\u20ac.txt"]),
        ([LATIN, b"a.txt"], ["caf\xe9.txt", "a.txt"]),
        ([LATIN, "\u20ac.txt".encode()], ["caf\xe9.txt", "\u20ac.txt"]),
        ([LATIN, UTF_8], ["caf\\xe9.txt", "caf\xe9.txt"]),
        ([b"LIB.FILE/\xe9.MBR", "\u20ac.txt".encode()], ["LIB.FILE/\xe9.MBR", "\u20ac.txt"]),
    ],
)
def test_each_name_is_read_by_itself_and_sent_as_it_is(names, read):
    session = Names()
    session.learn(names)
    assert [session.read(name) for name in names] == read
    assert [session.write(f"in/{name}") for name in read] == [b"in/" + name for name in names]


@pytest.mark.parametrize(
    ("names", "sent"),
    [([], UTF_8), ([b"a.txt"], UTF_8), ([b"\xe0.txt"], LATIN), ([b"\xe0.txt", "\u20ac.txt".encode()], UTF_8)],
)
def test_a_new_name_is_written_as_the_folder_is(names, sent):
    session = Names()
    session.learn(names)
    assert session.write("caf\xe9.txt") == sent
