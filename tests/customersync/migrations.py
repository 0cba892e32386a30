"""What speaks against a migration while code of the release before is at work: add, fill, tighten, in that order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection
from django.db.migrations import operations as ops
from django.db.models import NOT_PROVIDED, CheckConstraint, Value
from django.db.models.functions import Now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.migrations import Migration
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState
    from django.db.models import Field

BIG_APPS = {"connections"}
BIG_MODELS = {
    *(("imports", name) for name in ("run", "issue", "pull", "message", "keptfile")),
    *(("dropbox", name) for name in ("storedfile", "session")),
}
"""Whose tables may hold so much that nobody can wait while each row is looked at."""
READ_BY_OTHERS = "the release before reads it: take it out of the state alone, and drop it in a later release"
GONE = (ops.RemoveField, ops.DeleteModel, ops.RenameField, ops.RenameModel, ops.AlterModelTable)
SPEAKS_AGAINST = [
    (r"\bDROP\s+(COLUMN|TABLE)\b|\bRENAME\b", READ_BY_OTHERS),
    (r"\bSET\s+NOT\s+NULL\b", "the release before may leave it out: give it a default in the database first"),
    (r"\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b", "each row is written anew: add another column"),
    (r"\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b)", "writers wait for the index: build it CONCURRENTLY"),
]
"""In SQL that is written by hand, and why."""


def find_problems(migration: Migration, state: ProjectState, made: set[tuple[str, str]]) -> list[str]:
    """Each problem in a line, with the remedy.

    `state` is that before the migration, `made` are the models that the release before does not know; both are changed.
    """
    return [
        f"{migration.app_label}.{migration.name}: {operation.describe()}: {problem}"
        for operation in migration.operations
        for problem in _look_at(operation, migration.app_label, state, made)
    ]


def _look_at(operation: Operation, app: str, state: ProjectState, made: set[tuple[str, str]]) -> Iterator[str]:
    if isinstance(operation, ops.SeparateDatabaseAndState):
        before = state.clone()
        for inner in operation.database_operations:
            yield from _look_at(inner, app, before, made)
        operation.state_forwards(app, state)
        return
    if isinstance(operation, ops.CreateModel):
        made.add((app, operation.name_lower))
    model = (app, str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower())
    if model not in made:
        yield from _judge(operation, model, state)
    operation.state_forwards(app, state)


def _judge(operation: Any, model: tuple[str, str], state: ProjectState) -> Iterator[str]:
    is_big = model[0] in BIG_APPS or model in BIG_MODELS
    if isinstance(operation, GONE):
        yield READ_BY_OTHERS
    elif isinstance(operation, ops.AddField):
        yield from _judge_new(operation.field, is_big=is_big)
    elif isinstance(operation, ops.AlterField):
        yield from _judge_altered(state.models[model].fields[operation.name], operation.field, is_big=is_big)
    elif isinstance(operation, ops.AddIndex) and not isinstance(operation, AddIndexConcurrently) and is_big:
        yield "writers wait for the index: AddIndexConcurrently, in a migration of its own that is not atomic"
    elif isinstance(operation, ops.AddConstraint) and type(operation) is ops.AddConstraint and is_big:
        if isinstance(operation.constraint, CheckConstraint):
            yield "each row is looked at meanwhile: AddConstraintNotValid, and ValidateConstraint in the next migration"
        else:
            yield "writers wait for the index: build it CONCURRENTLY, and make it the constraint by RunSQL"
    elif isinstance(operation, ops.RunSQL):
        for pattern, problem in SPEAKS_AGAINST:
            if re.search(pattern, str(operation.sql), re.IGNORECASE):
                yield problem


def _judge_new(field: Field[Any, Any], *, is_big: bool) -> Iterator[str]:
    if field.many_to_many:
        return
    if not field.null and field.db_default is NOT_PROVIDED:
        yield "the release before writes rows without it: give it db_default, or let it be null"
    if hasattr(field.db_default, "resolve_expression") and not isinstance(field.db_default, Value | Now):
        yield "each row is written anew to get its default: let it be null, and fill it"
    if is_big and _is_indexed(field):
        yield "writers wait for its index: db_index=False, and AddIndexConcurrently in a migration of its own"


def _judge_altered(before: Field[Any, Any], after: Field[Any, Any], *, is_big: bool) -> Iterator[str]:
    if after.many_to_many:
        return
    has_default = after.db_default is not NOT_PROVIDED
    if not after.null and not has_default and (before.null or before.db_default is not NOT_PROVIDED):
        yield "the release before may leave it out: give it a default in the database first"
    if not _takes_all(before, after):
        yield "each row is written anew: add another column"
    if is_big and _is_indexed(after) and not _is_indexed(before):
        yield "writers wait for its index: AddIndexConcurrently, in a migration of its own"


def _is_indexed(field: Field[Any, Any]) -> bool:
    return field.unique or getattr(field, "db_index", False)


def _takes_all(before: Field[Any, Any], after: Field[Any, Any]) -> bool:
    """Whether what is stored may stay as it is: a text grows."""
    if before.is_relation or after.is_relation:
        return before.is_relation and after.is_relation
    old, new = (str(field.db_type(connection)) for field in (before, after))
    if old == new or (old.startswith("varchar") and new == "text"):
        return True
    lengths = [re.fullmatch(r"varchar\((\d+)\)", one) for one in (old, new)]
    return all(lengths) and int(lengths[0][1]) <= int(lengths[1][1])  # type: ignore[index]  # both match
