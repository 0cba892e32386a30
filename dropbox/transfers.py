"""Transfers of FTPS: what becomes of an upload, by how it ended."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket

from OpenSSL import SSL
from pyftpdlib.handlers import DTPHandler, TLS_DTPHandler

from dropbox.errors import OutOfOrder, Refused
from dropbox.jobs import do_and_wait
from dropbox.sessions import note
from dropbox.uploading import Upload, finish_upload, keep_cut_off

log = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""How long a client is watched whose upload ended without TLS saying so: one that was killed loses all its sockets."""


class Incoming:
    """An upload as the library writes it; what becomes of it is decided when the transfer has ended."""

    def __init__(self, upload: Upload, name: str) -> None:
        self.upload, self.name = upload, name
        self.offset = upload.size if upload.appends else 0
        self.closed = self.settled = False

    def seek(self, offset: int) -> None:
        """Resume there: what stood behind it is not of this upload."""
        self.upload.truncate(offset)
        self.offset = offset

    def write(self, data: bytes) -> None:
        """What is refused is looked for by whoever reads from the client."""
        with contextlib.suppress(Refused):
            self.offset += self.upload.write(self.offset, data)

    def close(self) -> None:
        """The library closes before it knows how the transfer ended."""
        self.closed = True


class Ending(DTPHandler):
    """Whether an upload came to its end. It stands below what speaks TLS, which calls past its own heirs."""

    came_whole = ends = False
    _ssl_accepting = False

    def recv(self, buffer_size: int) -> bytes:
        self.cmd_channel.touch()
        try:
            data: bytes = super().recv(buffer_size)
        except SSL.SysCallError:
            self._error = True  # no farewell to who is gone
            raise
        except SSL.Error as error:
            if "unexpected eof" not in str(error):
                raise
            self._error = True
            raise SSL.SysCallError(-1, "Unexpected EOF") from None
        return data

    def handle_read(self) -> None:
        super().handle_read()
        if not self._closed and isinstance(self.file_obj, Incoming) and self.file_obj.upload.problem:
            self.close()

    handle_read_event = handle_read

    def handle_close(self) -> None:
        if self._ssl_accepting and not self.receive:
            # An empty listing is sent before TLS stands, without which clients take it for an error
            self.ends = not any(self.producer_fifo)
            return
        if not self._closed and self.receive:
            self.came_whole = self._was_ended_by_client()
        super().handle_close()

    def handle_ssl_established(self) -> None:
        if self.ends:
            self.producer_fifo.clear()  # of nothing, which would count as not sent
            self.handle_close()

    def _was_ended_by_client(self) -> bool:
        """TLS says when a client has sent all. One that does not say so is believed where it is still there."""
        opened = self.socket
        if isinstance(opened, SSL.Connection) and opened.get_shutdown() & SSL.RECEIVED_SHUTDOWN:
            return True
        with socket.socket(fileno=os.dup(self.cmd_channel.socket.fileno())) as control:
            if not select.select([control], [], [], GRACE_SECONDS)[0]:
                return True
            try:
                return control.recv(1, socket.MSG_PEEK) != b""
            except BlockingIOError:
                return True
            except OSError:
                return False

    def close(self) -> None:
        self.settle()
        super().close()

    def settle(self) -> None:
        """Once, at the first of all the ways to close."""
        if isinstance(self.file_obj, Incoming) and not self.file_obj.settled:
            self.file_obj.settled = True
            self._end_upload(self.file_obj.upload)

    def _end_upload(self, upload: Upload) -> None:
        visit = self.cmd_channel.visit
        try:
            if self.transfer_finished and self.came_whole and not upload.problem:
                size = do_and_wait(finish_upload, upload)
                do_and_wait(note, visit, files=1, count=size)
                return
            do_and_wait(keep_cut_off, upload)
            refused = upload.problem
        except Refused as error:
            refused = error
        if refused is None:
            self._resp = ("426 The upload was cut off. What came of it can be resumed", log.debug)
            return
        if visit is not None:
            with contextlib.suppress(OutOfOrder):
                do_and_wait(note, visit, refusal=str(refused))
        self._resp = (f"{451 if isinstance(refused, OutOfOrder) else 552} {refused}", log.debug)


class Data(TLS_DTPHandler, Ending):
    """A transfer. What becomes of an upload is settled before TLS says goodbye, which may never come to its end."""

    def handle_ssl_established(self) -> None:
        Ending.handle_ssl_established(self)

    def close(self) -> None:
        self.settle()
        super().close()
