"""Jobs: what a session asks of database and storage, done by a few threads for all sessions together."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.db import Error, connection

from dropbox.errors import OutOfOrder

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

WORKERS = 8
"""At once; so many database sessions a drop box has, however many clients it serves."""
_workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="dropbox")


async def do(job: Callable[Arguments, Answer], *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
    """Have a job done. Raises what it raises, and OutOfOrder where the database does not answer."""
    return await asyncio.wrap_future(_submit(partial(job, *arguments, **named)))


def do_and_wait(job: Callable[Arguments, Answer], *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
    """The same for threads."""
    return _submit(partial(job, *arguments, **named)).result()


def _submit(job: Callable[[], Answer]) -> Future[Answer]:
    """The thread knows for whom it works, so that the log does."""
    context = copy_context()
    return _workers.submit(lambda: context.run(lambda: _run(job)))


def _run(job: Callable[[], Answer]) -> Answer:
    try:
        return job()
    except Error as error:
        raise OutOfOrder("The server's database does not answer. Try again in some minutes.") from error
    finally:
        connection.close()  # a session that is open for the next job would be kept while nobody asks for anything
