"""Review: connections are approved, rejected, or wait again. Each decision has one door here, whoever asks."""

from connections.review.decisions import (
    UNLIKE,
    approve,
    approve_unlike,
    approve_waiting,
    due_at,
    reject,
    reopen,
)

__all__ = ["UNLIKE", "approve", "approve_unlike", "approve_waiting", "due_at", "reject", "reopen"]
