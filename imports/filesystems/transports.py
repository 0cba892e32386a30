"""Transports: how our servers are spoken to. What speaks is loaded by who opens a session, for that takes its time."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from imports.errors import SettingsWrong
from imports.filesystems.base import Identity, IdentityWrong, Server, ServerSettings, read_fingerprint


class SFTP(Server):
    """Trusts the pinned host keys and nothing else."""

    protocol = "sftp"
    label = "SFTP"
    port = 22
    fields = ("host", "port", "user", "password", "host_key", "private_key")
    pinned_by = pins_in = "host_key"

    @classmethod
    def open(cls, settings: ServerSettings) -> Server:
        from imports.filesystems.sftp import SFTPServer

        return SFTPServer(settings)

    @classmethod
    def find_pin_problems(cls, settings: ServerSettings) -> dict[str, str]:
        if not settings.host_key.strip():
            return {}
        from imports.filesystems.sftp_keys import PinnedKeys

        try:
            PinnedKeys(settings.host_key)
        except SettingsWrong as error:
            return {"host_key": str(error)}
        return {}

    @classmethod
    def read_identity(cls, settings: ServerSettings) -> Identity | None:
        return cls.read_identities(settings)[0]

    @classmethod
    def read_identities(cls, settings: ServerSettings) -> list[Identity]:
        from imports.filesystems.sftp_keys import read_host_keys

        return read_host_keys(settings)


class FTP(Server):
    """Trusts whoever answers."""

    protocol = "ftp"
    label = "FTP, unencrypted"
    port = 21
    fields: ClassVar[tuple[str, ...]] = ("host", "port", "user", "password")
    warning = "FTP sends the password and the customers unencrypted. Prefer SFTP or FTPS where the server can."

    @classmethod
    def open(cls, settings: ServerSettings) -> Server:
        from imports.filesystems.ftp import FTPServer

        return FTPServer(settings)


class FTPS(FTP):
    """Trusts the pinned certificate, else the given authorities, else the system's."""

    protocol = "ftps"
    label = "FTPS, explicit TLS"
    fields = ("host", "port", "user", "password", "ca_bundle", "certificate_fingerprint")
    pins_in = "certificate_fingerprint"
    warning = ""

    @classmethod
    def find_pin_problems(cls, settings: ServerSettings) -> dict[str, str]:
        from imports.filesystems.ftp_sessions import make_context

        problems = {}
        try:
            read_fingerprint(settings.certificate_fingerprint)
        except IdentityWrong as error:
            problems["certificate_fingerprint"] = str(error)
        try:
            make_context(replace(settings, certificate_fingerprint=""))
        except IdentityWrong as error:
            problems["ca_bundle"] = str(error)
        return problems

    @classmethod
    def read_identity(cls, settings: ServerSettings) -> Identity | None:
        from imports.filesystems.ftp_sessions import read_certificate

        return read_certificate(settings)


class ImplicitFTPS(FTPS):
    """The same, encrypted from the first byte on."""

    protocol = "ftps-implicit"
    label = "FTPS, implicit TLS"
    port = 990


class WithoutHost(Server):
    """What is named by its URL, or by nothing."""

    port = 0
    fields: ClassVar[tuple[str, ...]] = ("url", "options")

    @classmethod
    def name_server(cls, settings: ServerSettings) -> str:
        return settings.url.partition("?")[0].rpartition("@")[2] or cls.label

    @classmethod
    def name_in_messages(cls, settings: ServerSettings) -> str:
        return settings.url.partition("?")[0].rpartition("@")[2] or "this machine"


class Folder(WithoutHost):
    """A folder of this machine, which the operator opens to feeds."""

    protocol = "file"
    label = "folder of this machine"
    fields = ()

    @classmethod
    def open(cls, settings: ServerSettings) -> Server:
        from imports.filesystems.local import LocalServer

        return LocalServer(settings)

    @classmethod
    def find_problems(cls, settings: ServerSettings) -> dict[str, str]:
        if settings.root is None:
            return {"protocol": "LOCAL_FEEDS names no folder of this machine, so feeds cannot read any."}
        return {}


class URL(WithoutHost):
    """Another of fsspec's file systems, of the schemes that the operator allows."""

    protocol = "url"
    label = "another URL"
    keeps_times = False

    @classmethod
    def open(cls, settings: ServerSettings) -> Server:
        from imports.filesystems.urls import URLServer

        return URLServer(settings)

    @classmethod
    def find_problems(cls, settings: ServerSettings) -> dict[str, str]:
        if settings.url.partition("://")[0] in settings.schemes:
            return {}
        allowed = ", ".join(f"{name}://" for name in settings.schemes) or "none"
        return {"url": f"Give the URL, such as s3://bucket. URL_FEEDS allows {allowed}."}
