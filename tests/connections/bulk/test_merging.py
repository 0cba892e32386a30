"""The merge: every statement touches what is staged and nothing of any other customer or account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connections.bulk import references
from connections.bulk.entities import ASSIGNMENTS, CHILDREN, CONNECTION, RECORDS, quote
from connections.bulk.merging import Stage, reserve_ids
from connections.bulk.references import may_check_at_once
from connections.bulk.rows import Rows
from connections.models import Address, Buyer, Change, Connection, ConnectionWarehouse, Door
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, CONNECTION_FIELDS
from lookups.models import CustomerGroup, PaymentTerm, PriceType, SalesRep, ShippingTerm, Warehouse
from tests.builders import add_lookups, make_account, make_connection

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.django_db

ADDRESS, DOOR, BUYER = CHILDREN
MODELS: list[Any] = [Connection, Address, Door, Buyer, *ASSIGNMENT_MODELS.values()]
LISTS: dict[str, Any] = {
    "price_types": PriceType, "payment_terms": PaymentTerm, "shipping_terms": ShippingTerm, "warehouses": Warehouse,
}  # fmt: skip
MODEL_OF: dict[str, Any] = ASSIGNMENT_MODELS
RUN = 77
DIGEST, OLD_DIGEST = b"0123456789abcdef", b"fedcba9876543210"


def entry(account, kind, place):
    return LISTS[kind].objects.filter(account=account).order_by("pk")[place]


def code(kind, lookup):
    return str(lookup) if kind == "price_types" else lookup.code


def make_full(account, customer_code):
    """A customer with a record of each kind; all customers have the same codes, e-mails and values."""
    customer = make_connection(
        account,
        customer_code,
        profile_name="Harbor",
        price_type="USD US Wholesale",
        source_digest=OLD_DIGEST,
        sales_rep=SalesRep.objects.get(account=account, code="REP1"),
        addresses=[{"code": "S1", "city": "Lyon"}, {"kind": "B", "code": "S1", "city": "Lyon"}],
        doors=[{"code": "S1", "name": "Lyon"}, {"code": "S2", "name": "Lyon"}],
        buyers=[{"email": "ana@example.com", "name": "Ana"}, {"email": "bo@example.com", "name": "Ana"}],
    )
    for kind, model in MODEL_OF.items():
        places = (1,) if kind == "price_types" else (0, 1)
        for place in places:
            model.objects.create(connection=customer, lookup=entry(account, kind, place))
    return customer


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    CustomerGroup.objects.create(account=account, code="ZZZ")
    for kind, model in LISTS.items():
        if kind == "warehouses":
            model.objects.create(account=account, code="WH3")
    return account


@pytest.fixture
def customer(account):
    """The one that a merge changes, between others of its account and of another one."""
    other = make_account("northwind")
    add_lookups(other)
    for owner, customer_code in ((account, "C0"), (other, "C1"), (other, "C2")):
        make_full(owner, customer_code)
    customer = make_full(account, "C1")
    make_full(account, "C2")
    return customer


def stored_rows():
    """Every row of the customers' tables and where it lies: a row that is written again lies elsewhere."""
    rows: dict[Any, Any] = {}
    with connection.cursor() as cursor:
        for model in MODELS:
            cursor.execute(f"SELECT id, ctid::text, t::text FROM {quote(model._meta.db_table)} t")
            rows |= {(model, pk): row for pk, *row in cursor.fetchall()}
    return rows


def written(before):
    """What was created, deleted and written again since."""
    after = stored_rows()
    return (
        sorted((model._meta.model_name, pk) for model, pk in after.keys() - before.keys()),
        sorted((model._meta.model_name, pk) for model, pk in before.keys() - after.keys()),
        sorted((key[0]._meta.model_name, key[1]) for key in before.keys() & after.keys() if before[key] != after[key]),
    )


def staged(entity, **values):
    """A row to stage, by the names of its columns; those not given are blank."""
    unknown = values.keys() - set(entity.stage_columns)
    assert not unknown, unknown
    blank = dict.fromkeys(ADDRESS_FIELDS, "") if entity is ADDRESS else {}
    values = {"record_id": None, "line": 9, **blank, **values}
    return [values.get(name) for name in entity.stage_columns]


def as_staged(customer, *, changed, **values):
    """The row of a known customer, with some values replaced."""
    known = {name: getattr(customer, name) for name in ("customer_code", *CONNECTION_FIELDS)}
    values = known | {"source_digest": DIGEST} | values
    return staged(CONNECTION, connection_id=customer.pk, record_id=customer.pk, changed=changed, **values)


def as_new(pk, customer_code):
    texts = dict.fromkeys(("customer_alias", "alternate_name", "website"), "")
    return staged(
        CONNECTION, connection_id=pk, customer_code=customer_code, near_key=customer_code.lower(), profile_name="New",
        source_digest=DIGEST, changed=True, line=4,
        snapshot='{"values": {"profile_name": "New"}}', **texts,
    )  # fmt: skip


def rows_of(some):
    """Lists of an entity and its rows, put together as a merge takes them: records of new customers as their tables."""
    given = {entity: [dict(zip(entity.stage_columns, row, strict=True)) for row in rows] for entity, *rows in some}
    new = {row["connection_id"] for row in given[CONNECTION] if row["record_id"] is None}

    def pick(entity, names, *, of_new: bool) -> list[Sequence[Any]]:
        rows = [row for row in given.get(entity, []) if (row["connection_id"] in new) == of_new]
        return [[row[name] for name in names] for row in rows]

    connections: list[Sequence[Any]] = [[row[name] for name in CONNECTION.stage_columns] for row in given[CONNECTION]]
    staged = [pick(entity, entity.stage_columns, of_new=False) for entity in RECORDS]
    added = [pick(entity, entity.table_columns, of_new=True) for entity in RECORDS]
    entries = {
        entity: {row["lookup_id"] for row in given.get(entity, []) if row["connection_id"] in new}
        for entity in ASSIGNMENTS.values()
    }
    rows = [connections, *staged]
    return Rows(rows, [[row[1] for row in some].count(None) for some in rows], [*added], entries)


def merge(account, *rows):
    with connection.cursor() as cursor:
        stage = Stage(cursor, "pending")
        stage.expect(len(rows[0]) - 1)
        stage.take(rows_of(rows))
        stage.merge(account_id=account.pk, run_id=RUN, at=timezone.now())


def log():
    """The change log, whole, by customer and line."""
    fields = ("account__code", "customer_code", "line", "action", "record", "key", "field", "before", "after")
    assert set(Change.objects.values_list("run_id", flat=True)) <= {RUN}
    for change in Change.objects.all():
        assert Connection.objects.get(pk=change.connection_id).customer_code == change.customer_code
    return sorted(map(tuple, Change.objects.values_list(*fields)), key=repr)


def test_a_changed_field_is_written_to_its_customer_alone(account, customer):
    before = stored_rows()
    rep = SalesRep.objects.get(account=account, code="REP2")
    merge(account, [CONNECTION, as_staged(customer, changed=True, customer_alias="x", sales_rep_id=rep.pk)])
    assert written(before) == ([], [], [("connection", customer.pk)])
    customer.refresh_from_db()
    assert (customer.customer_alias, customer.sales_rep, customer.profile_name) == ("x", rep, "Harbor")
    assert log() == [
        ("maison", "C1", 9, "updated", "connection", "", "customer_alias", "", "x"),
        ("maison", "C1", 9, "updated", "connection", "", "sales_rep", "REP1", "REP2"),
    ]


def test_an_unchanged_customer_keeps_its_time_and_gets_its_digest(account, customer):
    other = Connection.objects.get(account=account, customer_code="C2")
    merge(account, [CONNECTION, as_staged(customer, changed=False), as_staged(other, changed=True)])
    times = dict(Connection.objects.values_list("pk", "updated_at"))
    assert times[customer.pk] == customer.updated_at
    assert times[other.pk] > other.updated_at
    assert {bytes(digest) for digest in Connection.objects.filter(pk__in=[customer.pk, other.pk]).values_list(
        "source_digest", flat=True)} == {DIGEST}  # fmt: skip
    others = Connection.objects.exclude(pk__in=[customer.pk, other.pk])
    assert {bytes(digest) for digest in others.values_list("source_digest", flat=True)} == {OLD_DIGEST}
    assert log() == []


@pytest.mark.parametrize(
    ("entity", "find", "key", "value"),
    [
        (ADDRESS, {"kind": "S"}, "S:S1", {"country": "FR", "city": "Paris"}),
        (DOOR, {"code": "S1"}, "S1", {"name": "Paris"}),
        (BUYER, {"email": "ana@example.com"}, "ana@example.com", {"name": "Paris"}),
    ],
)
def test_a_changed_record_is_written_alone(account, customer, entity, find, key, value):
    record = entity.model.objects.get(connection=customer, **find)
    same = entity.model.objects.filter(connection=customer).exclude(pk=record.pk).get()
    keys = {name: getattr(record, name) for name in entity.key}
    row = staged(entity, connection_id=customer.pk, record_id=record.pk, **keys, **value)
    untouched = {name: getattr(same, name) for name in entity.columns}
    before = stored_rows()
    merge(
        account,
        [CONNECTION, as_staged(customer, changed=True)],
        [entity, row, staged(entity, connection_id=customer.pk, record_id=same.pk, **untouched)],
    )
    name = entity.model._meta.model_name
    assert written(before) == ([], [], sorted([("connection", customer.pk), (name, record.pk)]))
    field = "city" if entity is ADDRESS else "name"
    record.refresh_from_db()
    assert getattr(record, field) == "Paris"
    old = "Ana" if entity is BUYER else "Lyon"
    assert log() == [("maison", "C1", 9, "updated", entity.record, key, field, old, "Paris")]


@pytest.mark.parametrize(
    ("entity", "values", "key"),
    [
        (ADDRESS, {"kind": "B", "code": "N1", "country": "FR"}, "B:N1"),
        (DOOR, {"code": "N1", "name": ""}, "N1"),
        (BUYER, {"email": "new@example.com", "name": ""}, "new@example.com"),
    ],
)
def test_a_new_record_is_the_customers_own(account, customer, entity, values, key):
    known = entity.model.objects.filter(connection=customer).first()
    same = staged(
        entity, connection_id=customer.pk, record_id=known.pk, **{name: getattr(known, name) for name in entity.columns}
    )
    before = stored_rows()
    merge(
        account,
        [CONNECTION, as_staged(customer, changed=True)],
        [entity, same, staged(entity, connection_id=customer.pk, **values)],
    )
    new = entity.model.objects.get(**values)
    name = entity.model._meta.model_name
    assert new.connection == customer
    assert written(before) == ([(name, new.pk)], [], [("connection", customer.pk)])
    assert log() == [("maison", "C1", 9, "created", entity.record, key, "", None, None)]
    given = {name: value for name, value in values.items() if name not in entity.key and value}
    assert Change.objects.get().values == given


@pytest.mark.parametrize("kind", LISTS)
def test_an_entry_is_taken_from_its_customer_alone(account, customer, kind):
    entity, model = ASSIGNMENTS[kind], MODEL_OF[kind]
    given, taken, stays = entry(account, kind, 2), entry(account, kind, 0), entry(account, kind, 1)
    old = model.objects.get(connection=customer, lookup=taken)
    before = stored_rows()
    merge(
        account,
        [CONNECTION, as_staged(customer, changed=True)],
        [
            entity,
            staged(entity, connection_id=customer.pk, lookup_id=given.pk, lookup_code=code(kind, given)),
            staged(entity, connection_id=customer.pk, record_id=customer.pk, lookup_id=taken.pk,
                   lookup_code=code(kind, taken)),
        ],
    )  # fmt: skip
    new = model.objects.get(connection=customer, lookup=given)
    assert set(model.objects.filter(connection=customer).values_list("lookup", flat=True)) == {given.pk, stays.pk}
    name = model._meta.model_name
    assert written(before) == ([(name, new.pk)], [(name, old.pk)], [("connection", customer.pk)])
    assert log() == [
        ("maison", "C1", 9, "created", entity.record, code(kind, given), "", None, None),
        ("maison", "C1", 9, "deleted", entity.record, code(kind, taken), "", None, None),
    ]
    assert set(map(str, Change.objects.values_list("values", flat=True))) == {"{}"}


@pytest.fixture(params=[False, True])
def at_once(request, monkeypatch):
    """References are checked row by row, as where few customers are new, or at once."""
    if request.param:
        monkeypatch.setattr(references, "FEW", -1)
    return request.param


@pytest.mark.usefixtures("at_once")
def test_a_new_customer_comes_beside_the_known_ones(account, customer):
    with connection.cursor() as cursor:
        (pk,) = reserve_ids(cursor, Connection, 1)
    warehouse = entry(account, "warehouses", 0)
    before = stored_rows()
    merge(
        account,
        [CONNECTION, as_staged(customer, changed=False), as_new(pk, "C9")],
        [ADDRESS, staged(ADDRESS, connection_id=pk, line=5, kind="S", code="S1", country="FR")],
        [
            ASSIGNMENTS["warehouses"],
            staged(ASSIGNMENTS["warehouses"], connection_id=pk, line=5, lookup_id=warehouse.pk, lookup_code="WH1"),
        ],
    )
    address = Address.objects.get(connection=pk)
    given = ConnectionWarehouse.objects.get(connection=pk)
    assert written(before) == (
        sorted([("connection", pk), ("address", address.pk), ("connectionwarehouse", given.pk)]),
        [],
        [("connection", customer.pk)],
    )
    new = Connection.objects.get(pk=pk)
    assert (new.account, new.status, new.customer_code, bytes(new.source_digest)) == (account, "pending", "C9", DIGEST)
    assert new.created_at == new.updated_at
    assert log() == [
        ("maison", "C9", 4, "created", "connection", "", "", None, None),
    ]
    assert Change.objects.get().values == {"values": {"profile_name": "New"}}


def test_two_customers_in_one_merge_are_not_mixed(account, customer):
    other = Connection.objects.get(account=account, customer_code="C2")
    records = [Door.objects.get(connection=owner, code="S1") for owner in (customer, other)]
    taken = [entry(account, "payment_terms", place) for place in (0, 1)]
    terms = ASSIGNMENTS["payment_terms"]
    merge(
        account,
        [
            CONNECTION,
            as_staged(customer, changed=True, customer_alias="one"),
            as_staged(other, changed=True, customer_alias="two"),
        ],
        [
            DOOR,
            staged(DOOR, connection_id=customer.pk, record_id=records[0].pk, code="S1", name="One"),
            staged(DOOR, connection_id=other.pk, record_id=records[1].pk, code="S1", name="Two"),
        ],
        [
            terms,
            staged(terms, connection_id=customer.pk, record_id=customer.pk, lookup_id=taken[0].pk, lookup_code="N30"),
            staged(terms, connection_id=other.pk, record_id=other.pk, lookup_id=taken[1].pk, lookup_code="N60"),
        ],
    )
    assert list(Connection.objects.filter(account=account).values_list("customer_code", "customer_alias")) == [
        ("C0", ""), ("C1", "one"), ("C2", "two"),
    ]  # fmt: skip
    assert [Door.objects.get(pk=record.pk).name for record in records] == ["One", "Two"]
    assert [list(owner.payment_terms.values_list("code", flat=True)) for owner in (customer, other)] == [
        ["N60"], ["N30"],
    ]  # fmt: skip
    assert log() == [
        ("maison", "C1", 9, "deleted", "payment_term", "N30", "", None, None),
        ("maison", "C1", 9, "updated", "connection", "", "customer_alias", "", "one"),
        ("maison", "C1", 9, "updated", "door", "S1", "name", "Lyon", "One"),
        ("maison", "C2", 9, "deleted", "payment_term", "N60", "", None, None),
        ("maison", "C2", 9, "updated", "connection", "", "customer_alias", "", "two"),
        ("maison", "C2", 9, "updated", "door", "S1", "name", "Lyon", "Two"),
    ]


@pytest.mark.usefixtures("superuser")
@pytest.mark.parametrize("is_new", [False, True])
def test_an_entry_that_is_gone_fails_the_merge_itself(account, customer, at_once, is_new):
    terms = ASSIGNMENTS["payment_terms"]
    with connection.cursor() as cursor:
        (pk,) = reserve_ids(cursor, Connection, 1)
    owner = as_new(pk, "C9") if is_new else as_staged(customer, changed=True)
    gone = staged(terms, connection_id=owner[0], lookup_id=10**9, lookup_code="GONE")
    match = "1000000000 was deleted meanwhile" if at_once and is_new else "not present"
    with pytest.raises(IntegrityError, match=match):
        merge(account, [CONNECTION, owner], [terms, gone])


@pytest.mark.usefixtures("at_once")
def test_what_a_new_customer_refers_to_must_be_there(account, customer):
    with connection.cursor() as cursor:
        (pk,) = reserve_ids(cursor, Connection, 1)
    new = as_new(pk, "C9")
    new[CONNECTION.stage_columns.index("sales_rep_id")] = 10**9
    with pytest.raises(IntegrityError):
        merge(account, [CONNECTION, new])


@pytest.mark.usefixtures("superuser")
def test_entries_that_new_customers_have_are_locked_and_triggers_are_back(account, customer, monkeypatch):
    monkeypatch.setattr(references, "FEW", -1)
    rep = SalesRep.objects.get(account=account, code="REP2")
    with connection.cursor() as cursor:
        (pk,) = reserve_ids(cursor, Connection, 1)
        new = as_new(pk, "C9")
        new[CONNECTION.stage_columns.index("sales_rep_id")] = rep.pk
        term, terms = entry(account, "payment_terms", 0), ASSIGNMENTS["payment_terms"]
        merge(account, [CONNECTION, new], [terms, staged(terms, connection_id=pk, lookup_id=term.pk)])
        cursor.execute(
            "SELECT l.xmax::text <> '0', t.xmax::text <> '0' FROM lookups_salesrep l, lookups_paymentterm t"
            " WHERE l.id = %s AND t.id = %s",
            [rep.pk, term.pk],
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)


@pytest.mark.usefixtures("superuser")
def test_references_are_checked_at_once_by_who_may():
    with connection.cursor() as cursor, transaction.atomic():
        assert may_check_at_once(cursor, 10_000)
        cursor.execute("SET LOCAL ROLE pg_monitor")
        assert not may_check_at_once(cursor, 10_000)
        cursor.execute("RESET ROLE; GRANT SET ON PARAMETER session_replication_role TO pg_monitor")
        cursor.execute("SET LOCAL ROLE pg_monitor")
        assert may_check_at_once(cursor, 10_000)
        transaction.set_rollback(True)


def test_the_next_merge_begins_with_empty_tables(account, customer):
    door = staged(DOOR, connection_id=customer.pk, code="N1", name="")
    merge(account, [CONNECTION, as_staged(customer, changed=True)], [DOOR, door])
    merge(account, [CONNECTION, as_staged(customer, changed=True)], [DOOR, staged(
        DOOR, connection_id=customer.pk, code="N2", name="")])  # fmt: skip
    assert sorted(Door.objects.filter(connection=customer).values_list("code", flat=True)) == ["N1", "N2", "S1", "S2"]


def test_what_was_added_is_taken_back_from_new_customers_alone(account, customer):
    with connection.cursor() as cursor:
        pk, other = reserve_ids(cursor, Connection, 2)
        warehouses, warehouse = ASSIGNMENTS["warehouses"], entry(account, "warehouses", 0)
        before = stored_rows()
        stage = Stage(cursor, "pending")
        stage.take(rows_of([
            [CONNECTION, as_new(pk, "C8"), as_new(other, "C9"), as_staged(customer, changed=True)],
            [DOOR, *(staged(DOOR, connection_id=owner, code="N1", name="") for owner in (pk, other, customer.pk))],
            [warehouses, *(staged(warehouses, connection_id=owner, lookup_id=warehouse.pk) for owner in (pk, other))],
        ]))  # fmt: skip
        assert len(written(before)[0]) == 4
        stage.remove(["C8"])
        assert set(Door.objects.order_by().filter(code="N1").values_list("connection_id", flat=True)) == {other}
        stage.take_back()
    assert written(before) == ([], [], [])
