"""What the published schema shows of connections."""

from __future__ import annotations

from typing import Any

from connections.stored import GIVEN_OF_ADDRESS

EXAMPLES: dict[str, dict[str, Any]] = {
    "Address": {
        "kind": "S", "code": "10017-1", **{field.name: field.nothing for field in GIVEN_OF_ADDRESS},
        "name": "Elm Street Outfitters", "address_1": "12 Elm Street", "city": "Portland", "state": "OR",
        "zip": "97205", "country": "US",
    },
    "Buyer": {"email": "ann@example.com", "name": "Ann Lee"},
    "ValueNameRequest": {"record": "address", "key": "S:10017-1", "field": "city"},
    "RejectionRequest": {"duplicate_of": "10016", "note": "The same shop, entered by another rep."},
}  # fmt: skip


def describe_schema(schemas: dict[str, Any]) -> None:
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
