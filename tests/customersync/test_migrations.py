"""Migrations newer than the release before keep its code at work; those that do not are told."""

from __future__ import annotations

import subprocess
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now, Random

from tests.customersync.migrations import find_problems
from tests.customersync.test_upgrade import PREVIOUS
from tests.processes import ROOT

BEFORE_THE_FIRST_RELEASE = {
    *(f"connections.{name}" for name in (
        "0004_index_changes", "0007_originals_stay", "0010_index_near_keys", "0012_index_updates", "0015_suggestions",
        "0016_follow_changes", "0019_written_values", "0020_index_reviews_due", "0022_index_accented_codes",
    )),
    *(f"imports.{name}" for name in (
        "0006_rejects_header", "0011_signs_of_life", "0021_replays_and_undos", "0024_page_indexes",
        "0027_lanes_of_workers", "0029_index_files", "0033_index_pulls", "0034_kept_files", "0035_index_what_waits",
    )),
}  # fmt: skip
"""Nobody had a large database when they were written, so writers wait for their indexes. None comes after a release."""


def list_previous():
    found = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", PREVIOUS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip(f"the history does not reach back to {PREVIOUS}: {found.stderr.strip()}")
    paths = (line.split("/") for line in found.stdout.splitlines() if "/migrations/0" in line)
    return {(app, name.removesuffix(".py")) for app, _, name in paths}


def test_migrations_since_the_release_before_keep_its_code_at_work():
    previous = list_previous()
    graph = MigrationLoader(None).graph
    ours = {app for app in ("accounts", "lookups", "connections", "imports", "dropbox") if apps.is_installed(app)}
    plan = graph._generate_plan(graph.leaf_nodes(), at_end=True)
    state, found, made = ProjectState(real_apps=set()), {}, set[tuple[str, str]]()
    for key in plan:
        migration = graph.nodes[key]
        if key[0] in ours and key not in previous:
            found[".".join(key)] = find_problems(migration, state, made)
        else:
            migration.mutate_state(state, preserve=False)
    assert len(found) > 50
    wrong = {name for name, problems in found.items() if problems}
    told = [problem for name in sorted(wrong - BEFORE_THE_FIRST_RELEASE) for problem in found[name]]
    assert not told, "\n".join(told)
    assert wrong >= BEFORE_THE_FIRST_RELEASE, "of these, some are all right now"


def problems_of(*operations):
    """Of a migration of connections, which has a big table."""
    state = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("code", models.CharField(max_length=10)),
        ("note", models.TextField(null=True)),
        ("kept", models.BooleanField(db_default=False)),
    ]
    state.add_model(ModelState("connections", "connection", fields))
    state.add_model(ModelState("accounts", "account", fields[:2]))
    migration = migrations.Migration("0099_next", "connections")
    migration.operations = list(operations)  # type: ignore[misc]  # of this migration alone, as Django's executor does
    return find_problems(migration, state, set())


BY_CODE = models.Index(fields=["code"], name="by_code")
CHECKED = models.CheckConstraint(condition=models.Q(code__gt=""), name="has_code")


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (migrations.RemoveField("connection", "note"), "the release before reads it"),
        (migrations.RenameField("connection", "note", "remark"), "the release before reads it"),
        (migrations.DeleteModel("connection"), "the release before reads it"),
        (migrations.RenameModel("connection", "customer"), "the release before reads it"),
        (migrations.AddField("connection", "score", models.IntegerField(default=0)), "give it db_default"),
        (migrations.AddField("connection", "lot", models.FloatField(db_default=Random())), "written anew"),
        (migrations.AddField("connection", "key", models.UUIDField(null=True, unique=True)), "wait for its index"),
        (
            migrations.AddField("connection", "of", models.ForeignKey("accounts.account", models.CASCADE, null=True)),
            "db_index=False",
        ),
        (migrations.AlterField("connection", "note", models.TextField(default="")), "a default in the database"),
        (migrations.AlterField("connection", "kept", models.BooleanField(default=False)), "a default in the database"),
        (migrations.AlterField("connection", "code", models.CharField(max_length=5)), "written anew"),
        (migrations.AlterField("connection", "code", models.IntegerField()), "written anew"),
        (migrations.AlterField("connection", "code", models.CharField(max_length=10, db_index=True)), "its index"),
        (migrations.AddIndex("connection", BY_CODE), "AddIndexConcurrently"),
        (migrations.AddConstraint("connection", CHECKED), "AddConstraintNotValid"),
        (
            migrations.AddConstraint("connection", models.UniqueConstraint(fields=["code"], name="one")),
            "CONCURRENTLY",
        ),
        (migrations.RunSQL("ALTER TABLE connections_connection DROP COLUMN note"), "the release before reads it"),
        (migrations.RunSQL("alter table t alter note set not null"), "a default in the database"),
        (migrations.RunSQL("ALTER TABLE t ALTER COLUMN code TYPE bigint"), "written anew"),
        (migrations.RunSQL("CREATE INDEX by_code ON connections_connection (code)"), "CONCURRENTLY"),
        (
            migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("connection", "note")]),
            "the release before reads it",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_the_release_before_would_fail_of_or_wait_for_is_told(operation, said):
    (problem,) = problems_of(operation)
    assert said in problem
    assert problem.startswith("connections.0099_next: ")


def test_what_it_does_not_notice_is_all_right():
    nobody_knows_it: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("of", models.CharField(max_length=9)),
    ]
    assert not problems_of(
        migrations.AddField("connection", "a", models.TextField(db_default="")),
        migrations.AddField("connection", "b", models.UUIDField(null=True, default=uuid.uuid4)),
        migrations.AddField("connection", "c", models.DateTimeField(db_default=Now())),
        migrations.AlterField("connection", "code", models.CharField(max_length=20)),
        migrations.AlterField("connection", "code", models.TextField()),
        AddIndexConcurrently("connection", BY_CODE),
        AddConstraintNotValid("connection", CHECKED),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("connection", "note")]),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY b ON connections_connection (code)"),
        migrations.CreateModel("Match", nobody_knows_it),
        migrations.AddIndex("match", models.Index(fields=["of"], name="of")),
        migrations.AddField("match", "score", models.IntegerField(default=0)),
    )
