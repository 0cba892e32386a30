"""What the published schema says about fields of the template, and about feeds and runs."""

from __future__ import annotations

from typing import Any

from imports.template import FIELDS

EXAMPLES: dict[str, dict[str, Any]] = {
    "FeedRequest": {
        "name": "erp", "protocol": "sftp", "host": "sftp.example.com", "user": "maison", "password": "…",
        "host_key": "SHA256:dLtnAgbNPeVXLAsKNeyFXzBaYfzfAdWOCtTQYjQIvqM", "folder": "out",
        "mask": "customers_{%Y%m%d%H%M%S}*.txt", "contacts": ["erp@example.com"],
    },
    "ReleaseRequest": {"force": False},
}  # fmt: skip


def describe_schema(schemas: dict[str, Any]) -> None:
    """Fields of the template are described by the template."""
    parts = {"Connection": "", "Address": "shipping_", "Buyer": "buyer_"}
    for name, prefix in parts.items():
        for part, schema in schemas[name]["properties"].items():
            field = FIELDS.get(f"{prefix}{part}") or FIELDS.get(f"{part}_code")
            if field is not None and "$ref" not in schema:
                schema["description"] = f"{field.description} {schema.get('description', '')}".strip()
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
