"""Entry point of the database engine (`ENGINE = "customersync.embedded_postgres"`)."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import sql

from customersync.embedded_postgres import server


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        socket_folder = server.start(settings.DATA_DIR)
        self.settings_dict.update(HOST=socket_folder, USER="postgres")
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; where the database does not exist yet, create it first."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            if not self._create_missing_database(conn_params):
                raise
        return super().get_new_connection(conn_params)

    def _create_missing_database(self, conn_params: dict[str, Any]) -> bool:
        name = conn_params["dbname"]
        if name != settings.DATABASES["default"]["NAME"]:
            return False
        with psycopg.connect(**{**conn_params, "dbname": "postgres"}, autocommit=True) as session:
            if session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            session.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name)))
        return True
