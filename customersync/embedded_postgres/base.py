"""Entry point of the database engine (`ENGINE = "customersync.embedded_postgres"`)."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import sql

from customersync.embedded_postgres import server


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL engine; starts the server, and makes the database, when they are first needed."""

    def get_connection_params(self) -> dict[str, Any]:
        self.settings_dict.update(HOST=server.start(settings.DATA_DIR), USER="postgres")
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            if conn_params["dbname"] != settings.DATABASES["default"]["NAME"]:
                raise
            _create_missing_database(conn_params)
        return super().get_new_connection(conn_params)


def _create_missing_database(conn_params: dict[str, Any]) -> None:
    """Create the database unless it exists; one process at a time, so that all of them find it."""
    name = conn_params["dbname"]
    with psycopg.connect(
        host=conn_params["host"], user=conn_params["user"], dbname="postgres", autocommit=True
    ) as session:
        session.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if not session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            create = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
            session.execute(create.format(sql.Identifier(name)))
