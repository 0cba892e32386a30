"""A small named cast for tests: accounts, their lookups, customers, users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Membership, User
from connections.history.keeping import ValueName, settle_kept
from connections.models import Address, Buyer, Change, Connection, ConnectionPriceType, Door
from lookups.models import (
    CompanyNumber,
    CustomerGroup,
    PaymentTerm,
    PriceType,
    SalesRep,
    ShippingTerm,
    Warehouse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model

PASSWORD = "correct horse battery staple"

PRICE_TYPES = (("USD", "US Wholesale"), ("EUR", "EU Wholesale"), ("GBP", "UK Wholesale"), ("JPY", "Japan"))
PAYMENT_TERMS = (("N30", "Net 30"), ("N60", "Net 60"), ("PRE", "Prepay"))
SHIPPING_TERMS = (("UPS", "UPS Ground"), ("DHL", "DHL Express"), ("EXW", "Ex works"))
SALES_REPS = (("REP1", "Rosa Diaz", "rosa@example.com"), ("REP2", "Jun Mori", "jun@example.com"))
WAREHOUSES = (("WH1", "Rotterdam"), ("WH2", "Newark"))
CUSTOMER_GROUPS = (("DEPT", "Department stores"), ("IND", "Independents"))
COMPANY_NUMBERS = (("CN1", "Maison Paris SAS"), ("CN2", "Maison New York Inc."))
ELM = {"code": "1", "address_1": "12 Elm Street", "city": "Portland", "zip": "97205", "country": "US"}


def make_account(code: str = "maison", **fields: Any) -> Account:
    return Account.objects.create(code=code, **{"name": code.title(), **fields})


def make_user(username: str, **flags: Any) -> User:
    """A member of the staff; `is_superuser=True` makes one who may do everything."""
    return User.objects.create_user(username, f"{username}@example.com", PASSWORD, **{"is_staff": True, **flags})


def add_member(account: Account, user: User, role: str = Membership.Role.EDITOR) -> Membership:
    return Membership.objects.create(account=account, user=user, role=role)


def add_lookups(account: Account) -> None:
    """Give the account every list, with the entries named above."""
    PriceType.objects.bulk_create(
        PriceType(account=account, currency=currency, label=label) for currency, label in PRICE_TYPES
    )
    SalesRep.objects.bulk_create(
        SalesRep(account=account, code=code, name=name, email=email) for code, name, email in SALES_REPS
    )
    PaymentTerm.objects.bulk_create(PaymentTerm(account=account, code=code, name=name) for code, name in PAYMENT_TERMS)
    ShippingTerm.objects.bulk_create(
        ShippingTerm(account=account, code=code, name=name) for code, name in SHIPPING_TERMS
    )
    Warehouse.objects.bulk_create(Warehouse(account=account, code=code, name=name) for code, name in WAREHOUSES)
    CustomerGroup.objects.bulk_create(
        CustomerGroup(account=account, code=code, name=name) for code, name in CUSTOMER_GROUPS
    )
    CompanyNumber.objects.bulk_create(
        CompanyNumber(account=account, code=code, name=name) for code, name in COMPANY_NUMBERS
    )


def make_connection(
    account: Account,
    customer_code: str = "C1",
    *,
    price_type: str = "EUR EU Wholesale",
    addresses: Iterable[Mapping[str, str]] = (),
    doors: Iterable[Mapping[str, str]] = (),
    buyers: Iterable[Mapping[str, str]] = (),
    **fields: Any,
) -> Connection:
    """A connection with one price type, which the account gets where it has none such.

    `fields` are those of the model; an address needs at least its code, kind S and country FR are assumed.
    """
    connection = Connection.objects.create(
        account=account,
        customer_code=customer_code,
        **{"profile_name": f"Customer {customer_code}", "status": Connection.Status.APPROVED, **fields},
    )
    currency, _, label = price_type.partition(" ")
    lookup, _ = PriceType.objects.get_or_create(account=account, currency=currency, label=label)
    ConnectionPriceType.objects.create(connection=connection, lookup=lookup)
    Address.objects.bulk_create(
        Address(connection=connection, **{"kind": "S", "country": "FR", **address}) for address in addresses
    )
    Door.objects.bulk_create(Door(connection=connection, **door) for door in doors)
    Buyer.objects.bulk_create(Buyer(connection=connection, **buyer) for buyer in buyers)
    return connection


def copy_connection(connection: Connection, count: int) -> None:
    """So many others that differ by their codes alone, C000001 and so on, in one statement."""
    with database.cursor() as cursor:
        values = {"customer_code": "to_char(number, 'FMC000000')"}
        copy_row(cursor, connection, f"generate_series(1, {count}) number", values)
        cursor.execute("ANALYZE connections_connection")


def copy_row(cursor: CursorWrapper, row: Model, numbers: str, values: Mapping[str, str]) -> None:
    """Copies of a row, one for each of the `numbers`: SQL, as the `values` are in which they differ, by column."""
    names = [str(field.column) for field in row._meta.concrete_fields if not field.primary_key]
    chosen = ", ".join(values.get(name, f'"{name}"') for name in names)
    columns, table = ", ".join(f'"{name}"' for name in names), row._meta.db_table
    cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table}, {numbers} WHERE id = %s", [row.pk])


def keep_values(connection: Connection, user: User, *names: tuple[str, str, str]) -> None:
    """Keep values, each named by record, key and field, as the user does."""
    with transaction.atomic():
        settle_kept(connection, [ValueName(*name) for name in names], [], user)


def let_values_go(connection: Connection, user: User, *names: tuple[str, str, str]) -> None:
    with transaction.atomic():
        settle_kept(connection, [], [ValueName(*name) for name in names], user)


def make_change(connection: Connection, **fields: Any) -> Change:
    """A change of the connection; without `fields`, that it was created."""
    return Change.objects.create(
        connection=connection,
        account_id=connection.account_id,
        customer_code=connection.customer_code,
        **{"at": timezone.now(), "action": Change.Action.CREATED, "record": Change.Record.CONNECTION, **fields},
    )
