"""Pages that stay in place while others write: each begins behind the last entry of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request

_NO_CURSOR = ValidationError({"cursor": "This is no cursor. Follow `next` and `previous` as they are."})


class KeyPagination(CursorPagination):
    """`next` and `previous` are whole URLs. A page takes the same time wherever it lies."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"
    ordering = "id"

    @property
    def parameters(self) -> set[str]:
        return {self.cursor_query_param, self.page_size_query_param}

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 10 and 1 <= int(asked) <= self.max_page_size):
            raise ValidationError({self.page_size_query_param: f"Give a number from 1 to {self.max_page_size:,}."})
        return int(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size}
        return parameters

    def decode_cursor(self, request: Request) -> Any:
        """Raises ValidationError for a cursor that this API never gave."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise _NO_CURSOR from None
        position = getattr(cursor, "position", None)
        if position is not None and ("\0" in position or not self.is_position(position)):
            raise _NO_CURSOR
        return cursor

    def is_position(self, text: str) -> bool:
        return text.isascii() and text.isdecimal() and len(text) <= 18


class NewestFirst(KeyPagination):
    ordering = "-id"


class ByText(KeyPagination):
    """In the order of a text, which is unique."""

    def is_position(self, text: str) -> bool:
        return len(text) <= 1000
