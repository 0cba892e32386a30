"""The field table of the source document as data.

Everything that must know a field of the template reads it here: the mapping of files, the checks, the
export, the documentation. A field is added by adding its row.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from unicodedata import normalize as unicode_normalize

from lookups.texts import drop_invisible


class Kind(StrEnum):
    """What a cell of a field holds."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ADDRESS_TYPE = "B or S"
    CURRENCY = "currency"
    COUNTRY = "country"
    EMAIL = "e-mail"
    WEBSITE = "website"


class Group(StrEnum):
    """What a field belongs to; fields of one group and number are read together."""

    CONNECTION = "connection"
    ROW = "row"
    WAREHOUSES = "warehouses"
    BUYERS = "buyers"
    PAYMENT_TERMS = "payment_terms"
    SHIPPING_TERMS = "shipping_terms"
    PRICE_TYPES = "price_types"
    SHIPPING = "shipping"
    BILLING = "billing"
    ADDRESS = "address"


ASSIGNMENTS = (Group.PRICE_TYPES, Group.PAYMENT_TERMS, Group.SHIPPING_TERMS, Group.WAREHOUSES)
ADDRESSES = (Group.SHIPPING, Group.BILLING, Group.ADDRESS)


KEYS = frozenset(
    {
        "customer_code", "buyer_email", "shipping_code", "billing_code", "address_code", "price_type_currency",
        "price_type_name",
    }
)  # fmt: skip


LOOKUP_CODES = frozenset({"company_number_code", "customer_group_code", "sales_rep_code"})
LOOKUP_NAMES = frozenset({"company_number_name", "customer_group_name"})
"""Names of entries of lists, among the fields of a connection."""


@dataclass(frozen=True, slots=True)
class TemplateField:
    """One row of the field table.

    `name` is without its `_%`; `part` is what the field is within its group (`city` of `shipping_city`).
    """

    name: str
    label: str
    kind: Kind
    max_length: int | None
    group: Group
    part: str
    required: bool = False
    repeats: bool = False
    description: str = ""

    @property
    def is_key(self) -> bool:
        """Whether records are found by the field, so that a row without it means none."""
        return self.name in KEYS

    @property
    def is_free_text(self) -> bool:
        """Whether the field holds any text, and nothing is found or told apart by it."""
        return self.kind is Kind.TEXT and self.group not in ASSIGNMENTS and self.name not in LOOKUP_NAMES

    @property
    def names_entry(self) -> bool:
        """Whether it names an entry of one of the account's lists, by code or by name."""
        is_listed = self.group in ASSIGNMENTS and self.kind is not Kind.CURRENCY
        return is_listed or self.name in LOOKUP_NAMES or self.name in LOOKUP_CODES

    def numbered(self, number: int) -> str:
        """The field's name with its number, as issues and exports write it."""
        return f"{self.name}_{number}" if self.repeats else self.name


def _field(
    name: str,
    label: str,
    kind: Kind,
    max_length: int | None,
    group: Group,
    description: str,
    *,
    part: str = "",
    required: bool = False,
) -> TemplateField:
    repeats = group not in (Group.CONNECTION, Group.ROW)
    return TemplateField(name, label, kind, max_length, group, part or name, required, repeats, description)


_C, _R = Group.CONNECTION, Group.ROW
_TEXT, _CODE, _BOOLEAN = Kind.TEXT, Kind.CODE, Kind.BOOLEAN

_CONNECTION_FIELDS = (
    _field("profile_name", "Profile Name", _TEXT, 100, _C, "The customer's name as it is displayed.", required=True),
    _field("customer_code", "Customer Code", _CODE, 100, _C, "Identifies the customer in the account.", required=True),
    _field("customer_alias", "Customer Alias", _TEXT, 150, _C, "The brand's own name for the customer."),
    _field("alternate_name", "Alternate Name", _TEXT, 100, _C, "One more name of the brand's for the customer."),
    _field("website", "Website", Kind.WEBSITE, 255, _C, "The customer's website."),
    _field("company_number_name", "Company Number Name", _TEXT, 150, _C, "Name of the company the customer is under."),
    _field("company_number_code", "Company Number Code", _CODE, 100, _C, "Code of that company."),
    _field("customer_group_name", "Customer Group Name", _TEXT, 150, _C, "Name of the group the retailer is part of."),
    _field("customer_group_code", "Customer Group Code", _CODE, 100, _C, "Code of that group."),
    _field("discount", "Discount", Kind.INTEGER, 3, _C, "The customer's discount in percent, a whole number 0–100."),
    _field(
        "discount_line_item_level",
        "Discount Line Item Level",
        _BOOLEAN,
        None,
        _C,
        "Yes: the discount is on each line; no: on the order. Required if discount is provided.",
    ),
    _field("sales_rep_code", "Sales Rep Code", _CODE, 255, _C, "Code of the sales representative."),
)

_ASSIGNMENT_FIELDS = (
    _field("warehouse_name", "Warehouse Name", _TEXT, 255, Group.WAREHOUSES, "Name of the warehouse.", part="name"),
    _field("warehouse_code", "Warehouse Code", _CODE, 255, Group.WAREHOUSES, "Code of the warehouse.", part="code"),
    _field("buyer_name", "Buyer Name", _TEXT, 255, Group.BUYERS, "The buyer's full name.", part="name"),
    _field(
        "buyer_email",
        "Buyer Email",
        Kind.EMAIL,
        255,
        Group.BUYERS,
        "The buyer's e-mail. Required if buyer name is provided.",
        part="email",
    ),
    _field("payment_terms", "Payment Terms", _TEXT, 255, Group.PAYMENT_TERMS, "How the customer pays.", part="name"),
    _field(
        "payment_terms_code", "Payment Terms Code", _CODE, 255, Group.PAYMENT_TERMS, "Code of that term.", part="code"
    ),
    _field("shipping_terms", "Shipping Terms", _CODE, 255, Group.SHIPPING_TERMS, "Code of the term.", part="code"),
    _field(
        "price_type_currency",
        "Price Type Currency",
        Kind.CURRENCY,
        3,
        Group.PRICE_TYPES,
        "ISO 4217 code of the customer's currency.",
        part="currency",
        required=True,
    ),
    _field(
        "price_type_name",
        "Price Type Name",
        _TEXT,
        100,
        Group.PRICE_TYPES,
        "The label of the customer's prices, such as US Wholesale.",
        part="name",
        required=True,
    ),
)

_ROW_FIELDS = (
    _field(
        "address_type",
        "Address Type",
        Kind.ADDRESS_TYPE,
        1,
        _R,
        "B or S: the row carries a billing or a shipping address. Without it every group that is filled is read.",
    ),
    _field(
        "create_doors",
        "Create Doors",
        _BOOLEAN,
        None,
        _R,
        "Yes: make a door of the shipping address, its name and code.",
    ),
)


def _address_fields(group: Group, word: str) -> tuple[TemplateField, ...]:
    """The rows shipping_*_% or billing_*_%; billing has no e-mail and no phone."""

    def field(
        part: str, kind: Kind, max_length: int, description: str, *, required: bool = False, label: str = ""
    ) -> TemplateField:
        label = f"{word.title()} {label or part.replace('_', ' ').title()}"
        return _field(f"{word}_{part}", label, kind, max_length, group, description, part=part, required=required)

    fields = [
        field("code", _CODE, 100, f"Code of the {word} address.", required=True),
        field("name", _TEXT, 255, "The name to address. If blank, the customer's name is used."),
        field("address_1", _TEXT, 100, "Street address."),
        field("address_2", _TEXT, 100, "Second line of the street address."),
        field("city", _TEXT, 150, "City."),
        field("state", _TEXT, 40, "State. Required if the country is US, CA, JP or AU."),
        field("zip", _TEXT, 20, "Postal code."),
        field(
            "country",
            Kind.COUNTRY,
            100,
            "Country, by its ISO 3166 code or its name.",
            required=True,
        ),
    ]
    if group is not Group.BILLING:
        fields += [
            field("email", Kind.EMAIL, 255, f"E-mail of the {word} address."),
            field("phone", _TEXT, 30, f"Phone of the {word} address."),
        ]
    return tuple(fields)


_SHIPPING_FIELDS = _address_fields(Group.SHIPPING, "shipping")
_BILLING_FIELDS = _address_fields(Group.BILLING, "billing")

TEMPLATE: tuple[TemplateField, ...] = (
    *_CONNECTION_FIELDS,
    *_ASSIGNMENT_FIELDS,
    _ROW_FIELDS[0],
    *_SHIPPING_FIELDS,
    _ROW_FIELDS[1],
    *_BILLING_FIELDS,
)
"""The field table, in the order of the source document."""

GENERIC_ADDRESS: tuple[TemplateField, ...] = tuple(
    replace(
        field,
        name=f"address_{field.part}",
        label=f"Address {field.label.removeprefix('Shipping ')}",
        group=Group.ADDRESS,
        description=f"{field.description} Of the kind that address_type says.",
    )
    for field in _SHIPPING_FIELDS
)
"""Columns that serve both kinds of address; the row's address_type decides."""

FIELDS: dict[str, TemplateField] = {field.name: field for field in (*TEMPLATE, *GENERIC_ADDRESS)}

MEANING = hashlib.blake2b(
    repr([(f.name, f.kind, f.max_length, f.required) for f in FIELDS.values()]).encode(), digest_size=16
).digest()
"""Differs when the rows of the table say anything else of a file: what a file of another template came to is no proof
of what it would come to now."""

_MUST = re.compile(r"^\*++_?|(?:_?\*++|_?\((?:required|mandatory|optional)\))++$")
_NUMBERED = re.compile(r"(?P<name>.+)_(?P<number>[1-9][0-9]{0,2})")
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A template field with its number, what a column is mapped to; a bare name means number 1."""

    name: str
    number: int = 1

    @property
    def field(self) -> TemplateField:
        return FIELDS[self.name]

    def __str__(self) -> str:
        return self.field.numbered(self.number)


def names_of(field: TemplateField) -> list[str]:
    """How headers name a field, also with the number of the first group."""
    numbered = [f"{field.name}_1", f"{field.label} 1"] if field.repeats else []
    return [field.name, field.label, *numbered]


def spell_name(name: str) -> set[str]:
    """The name of a column with its letters in the cases that programs write."""
    return {name, name.lower(), name.upper(), name.title(), name.capitalize(), name[:1].upper() + name[1:]}


def normalize(header: str) -> str:
    """A header as names are compared: trimmed, any case, words joined by underscores, nothing that cannot be seen."""
    folded = header.casefold()
    if not folded.isascii():
        folded = unicode_normalize("NFC", drop_invisible(folded))
    return "_".join(folded.replace("_", " ").split())


def find_target(header: str) -> Target | None:
    """The target a header of the standard template means: a field's name or label, bare or numbered.

    `shipping_address_1` is a bare name (street line 1 of group 1), the same as `shipping_address_1_1`. Marks of what
    must be filled in are no part of it: "Customer Code*", "Profile Name (required)".
    """
    if len(header) > _LONGEST_NAME:
        return None
    name = _MUST.sub("", normalize(header))
    if name in FIELDS:
        return Target(name)
    match = _NUMBERED.fullmatch(name)
    if match and match["name"] in FIELDS and FIELDS[match["name"]].repeats:
        return Target(match["name"], int(match["number"]))
    return None
