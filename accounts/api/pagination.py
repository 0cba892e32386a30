"""Pages that stay in place while others write: each begins behind the last entry of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request


class KeyPagination(CursorPagination):
    """`next` and `previous` are whole URLs. A page takes the same time wherever it lies."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"
    ordering = "id"

    def decode_cursor(self, request: Request) -> Any:
        """Raises NotFound for a cursor that this API never gave, which the database would stumble over."""
        cursor = super().decode_cursor(request)
        position = getattr(cursor, "position", None)
        if position is not None and ("\0" in position or not self.is_position(position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_position(self, text: str) -> bool:
        return text.isascii() and text.isdecimal() and len(text) <= 18


class NewestFirst(KeyPagination):
    ordering = "-id"


class ByText(KeyPagination):
    """In the order of a text, which is unique."""

    def is_position(self, text: str) -> bool:
        return len(text) <= 1000
