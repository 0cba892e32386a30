"""What shall stand of a customer: values by their names, clearing, and what is never asked for twice."""

import itertools
import random

import pytest
from django.db.models import CharField

from connections.models import Address, Buyer, Change, Connection, Door
from connections.stored import ADDRESS_FIELDS, CONNECTION_FIELDS, GIVEN_OF_ADDRESS, GIVEN_OF_CONNECTION
from imports.formats.policies import AssignmentMode, Conflict, Policies
from imports.formats.policies import UnknownLookup as Unknown
from imports.formats.spec import Blank, Column, Dialect, FormatSpec, Ownership
from imports.template import ASSIGNMENTS, FIELDS, TEMPLATE, Group, Kind, Target
from tests.imports.customer_files import NEW, SHIPPING, as_text, issues_of
from tests.imports.formats.test_spec import column, spec

TOKEN = r"\N"
CODE = {"customer_code": "C1"}


# -- values by their names


TEXTS = [field for field in TEMPLATE if field.kind is Kind.TEXT]
OWN_TEXTS = [field.part for field in TEXTS if field.group is Group.CONNECTION and field.part in CONNECTION_FIELDS]
ADDRESS_TEXTS = [field for field in TEXTS if field.group in (Group.SHIPPING, Group.BILLING)]


def texts(prefix):
    """A row in which every text field holds its own name."""
    return {
        **NEW,
        **{name: f"{prefix} {name}" for name in OWN_TEXTS},
        "website": f"https://{prefix}.website.example",
        **{field.name: f"{prefix} {field.part}" for field in ADDRESS_TEXTS},
        "shipping_code": "S1",
        "shipping_country": "FR",
        "shipping_email": f"{prefix}@email.example",
        "billing_code": "S1",
        "billing_country": "FR",
        "create_doors": "yes",
        "buyer_email": "buyer@example.com",
        "buyer_name": f"{prefix} buyer",
    }


@pytest.mark.parametrize("known", [False, True])
def test_every_text_lands_in_the_field_of_its_name(send, known):
    if known:
        send(texts("old"))
    run = send(texts("new"))
    assert run.status == "succeeded"
    connection = Connection.objects.get()
    assert {name: getattr(connection, name) for name in OWN_TEXTS} == {name: f"new {name}" for name in OWN_TEXTS}
    assert connection.website == "https://new.website.example"
    for address in Address.objects.all():
        shipping = address.kind == "S"
        assert {name: getattr(address, name) for name in ADDRESS_FIELDS} == {
            **{name: f"new {name}" for name in ADDRESS_FIELDS},
            "country": "FR",
            "email": "new@email.example" if shipping else "",
            "phone": "new phone" if shipping else "",
        }
    assert Address.objects.count() == 2
    assert (Buyer.objects.get().email, Buyer.objects.get().name) == ("buyer@example.com", "new buyer")
    assert (Door.objects.get().code, Door.objects.get().name) == ("S1", "new name")
    if known:
        for change in Change.objects.filter(run_id=run.pk):
            after = change.after or ""
            assert change.before == after.replace("new", "old"), change
            assert change.field.split("_")[-1] in after or change.record in ("buyer", "door")
        # and the website, the shipping address's e-mail, the buyer and the door
        assert Change.objects.filter(run_id=run.pk).count() == len(OWN_TEXTS) + len(ADDRESS_TEXTS) + 4


@pytest.mark.parametrize("changed", [*OWN_TEXTS, *(field.name for field in ADDRESS_TEXTS)])
def test_a_text_that_is_sent_alone_changes_nothing_but_itself(send, changed):
    sent = texts("old")
    send(sent)
    before = send.customer()
    keys = ("customer_code", "shipping_code", "billing_code")
    run = send({name: sent[name] for name in keys} | {changed: sent[changed].replace("old", "new")})
    assert (run.status, run.updated) == ("succeeded", 1)
    part, kind = FIELDS[changed].part, {Group.SHIPPING: "S", Group.BILLING: "B"}.get(FIELDS[changed].group)
    after = before | {"addresses": [dict(address) for address in before["addresses"]]}
    for record in (after,) if kind is None else after["addresses"]:
        if record.get("kind") == kind:
            record[part] = f"new {part}"
    assert send.customer() == after
    assert list(Change.objects.filter(run_id=run.pk).values_list("field", "before", "after")) == [
        (part, f"old {part}", f"new {part}")
    ]


def test_the_template_and_the_models_have_the_same_fields():
    parts = {field.part for field in TEMPLATE if field.group is Group.SHIPPING}
    assert parts == {"code", *ADDRESS_FIELDS}
    fields = {field.name for field in TEMPLATE if field.group is Group.CONNECTION}
    as_files_call_it = {f"{field.name}_code" if field.list_name else field.name for field in GIVEN_OF_CONNECTION}
    assert fields - as_files_call_it == {"customer_code", "company_number_name", "customer_group_name"}
    assert as_files_call_it <= fields


@pytest.mark.parametrize(
    ("model", "given", "group"),
    [
        (Connection, GIVEN_OF_CONNECTION, Group.CONNECTION),
        (Address, GIVEN_OF_ADDRESS, Group.SHIPPING),
        (Address, GIVEN_OF_ADDRESS, Group.BILLING),
    ],
)
def test_a_field_of_a_model_takes_what_the_template_allows_and_its_name_fits_into_the_change_log(model, given, group):
    rows = {field.part: field for field in TEMPLATE if field.group is group}
    longest_name = Change._meta.get_field("field").max_length or 0
    for name, _, list_name, nothing in given:
        assert len(name) <= longest_name
        field = model._meta.get_field(name)
        assert field.null or isinstance(field, CharField), f"{name} must be able to hold nothing"
        if name in rows and nothing == "" and name != "country":
            assert field.max_length == rows[name].max_length, name
        if name in rows and not list_name:
            assert field.blank is not rows[name].required, name


def test_models_name_only_fields_of_their_own_as_not_given():
    for model in (Connection, Address):
        assert model.not_given <= {field.name for field in model._meta.concrete_fields}


def test_a_lookup_is_known_by_what_it_points_at_and_not_by_its_name():
    lists = {"company_number": "company_numbers", "customer_group": "customer_groups", "sales_rep": "sales_reps"}
    assert {field.name: field.list_name for field in GIVEN_OF_CONNECTION if field.list_name} == lists
    assert [field.name for field in GIVEN_OF_ADDRESS if field.list_name] == []


def test_a_known_customer_is_read_again_once_the_template_says_something_else(send, monkeypatch):
    """A column that was unknown may be a field by then."""
    send(NEW)
    digest = bytes(Connection.objects.get().source_digest)
    monkeypatch.setattr("imports.pipeline.importing.MEANING", b"of another template")
    send(NEW)
    assert bytes(Connection.objects.get().source_digest) != digest


# -- clearing

TERMS = ("payment_terms_code", "payment_terms", "warehouse_code", "warehouse_name", "shipping_terms")


def clearing(*names, **options):
    return spec(*(column(name, **options) for name in names), clear_token=TOKEN)


def test_a_clear_token_beside_a_code_or_a_name_of_an_assignment_is_no_value(send):
    format_ = clearing("payment_terms_code", "payment_terms", "warehouse_code", "warehouse_name")
    header = "customer_code|profile_name|payment_terms_code|payment_terms|warehouse_code|warehouse_name\n"
    run = send.text(header + rf"C1|A|N30|{TOKEN}|{TOKEN}|Newark" + "\n", format_)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    assert (send.customer()["payment_terms"], send.customer()["warehouses"]) == (["N30"], ["WH2"])
    run = send.text(header + rf"C1|A|{TOKEN}|{TOKEN}||{TOKEN}" + "\n", format_)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    assert (send.customer()["payment_terms"], send.customer()["warehouses"]) == ([], [])


def test_a_clear_token_beside_a_code_or_a_name_of_a_field_is_no_value(send):
    format_ = clearing("company_number_code", "company_number_name", "customer_group_code", "customer_group_name")
    header = (
        "customer_code|profile_name|company_number_code|company_number_name|customer_group_code|customer_group_name\n"
    )
    run = send.text(header + rf"C1|A|CN2|{TOKEN}|{TOKEN}|Independents" + "\n", format_)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    assert (send.customer()["company_number"], send.customer()["customer_group"]) == ("CN2", "IND")
    run = send.text(header + rf"C1|A|{TOKEN}|||{TOKEN}" + "\n", format_)
    assert (send.customer()["company_number"], send.customer()["customer_group"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("EU Wholesail", "price_type_name_1 is required: a customer needs at least one price type that is known"),
        ("", "price_type_name_1 is required"),
    ],
)
def test_a_new_customer_is_told_whether_its_price_types_are_unknown_or_missing(send, name, message):
    format_ = spec(
        column("price_type_currency"), column("price_type_name"), unknown_lookup={"price_types": Unknown.SKIP}
    )
    currency = "EUR" if name else ""
    run = send.text(
        f"customer_code|profile_name|price_type_currency|price_type_name\nC1|A|{currency}|{name}\n", format_
    )
    assert run.status == "rejected"
    assert run.issues.get(code="required", field__startswith="price_type_name").message.rstrip(".") == message


def test_a_price_type_that_is_half_cleared_is_incomplete(send):
    format_ = clearing("price_type_currency", "price_type_name")
    header = "customer_code|profile_name|price_type_currency|price_type_name\n"
    run = send.text(header + f"C1|A|{TOKEN}|EU Wholesale\nC2|A|EUR|{TOKEN}\nC3|A|{TOKEN}|{TOKEN}\n", format_)
    assert [issue for issue in issues_of(run) if issue[0] in (2, 3)] == [
        (2, "price_type_currency_1", "required"), (3, "price_type_name_1", "required"),
    ]  # fmt: skip
    assert {code for line, _, code in issues_of(run) if line == 4} == {"required"}


def test_the_price_types_of_a_known_customer_cannot_be_cleared(send):
    send(NEW)
    format_ = clearing("price_type_currency", "price_type_name")
    run = send.text(f"customer_code|profile_name|price_type_currency|price_type_name\nC1|A|{TOKEN}|{TOKEN}\n", format_)
    assert run.status == "rejected"
    assert "cannot be cleared" in run.issues.first().message


@pytest.mark.parametrize("filled", ["payment_terms_code", "warehouse_code", "shipping_terms"])
def test_a_blank_assignment_clears_its_kind_where_all_rows_are_blank(send, filled):
    columns = [column(name, blank=Blank.CLEAR) for name in ("payment_terms_code", "warehouse_code", "shipping_terms")]
    format_ = spec(*columns)
    cells = {"payment_terms_code": "N30", "warehouse_code": "WH1", "shipping_terms": "UPS"}
    base = {"customer_code": "C1", "profile_name": "A"}
    other = {"customer_code": "C2", "profile_name": "B"}
    send.text(as_text([base | cells, other | cells]), format_)
    blank = dict.fromkeys(cells, "")
    run = send.text(as_text([base | blank | {filled: cells[filled]}, base | blank]), format_)
    kinds = {"payment_terms_code": "payment_terms", "warehouse_code": "warehouses", "shipping_terms": "shipping_terms"}
    assert run.updated == 1
    assert {name: send.customer()[kind] for name, kind in kinds.items()} == {
        name: [cells[name]] if name == filled else [] for name in cells
    }
    assert {name: send.customer("C2")[kind] for name, kind in kinds.items()} == {
        name: [cell] for name, cell in cells.items()
    }


def test_a_code_that_is_skipped_is_no_blank_that_clears(send):
    format_ = spec(column("warehouse_code", blank=Blank.CLEAR), unknown_lookup={"warehouses": Unknown.SKIP})
    header = "customer_code|profile_name|warehouse_code\n"
    send.text(header + "C1|A|WH1\n", format_)
    run = send.text(header + "C1|A|WH9\n", format_)
    assert issues_of(run) == [(2, "warehouse_code_1", "unknown_lookup")]
    assert send.customer()["warehouses"] == ["WH1"]


def test_a_kind_that_is_filled_once_is_not_cleared_either(send):
    format_ = spec(column("warehouse_code", blank=Blank.CLEAR, ownership=Ownership.IF_BLANK))
    header = "customer_code|profile_name|warehouse_code\n"
    send.text(header + "C1|A|WH1\n", format_)
    assert send.text(header + "C1|A|\n", format_).updated == 0
    assert send.customer()["warehouses"] == ["WH1"]


@pytest.mark.parametrize("mapped", ["company_number_code", "company_number_name"])
def test_whichever_column_names_an_entry_says_what_a_blank_does_and_who_wins(send, mapped):
    header = f"customer_code|profile_name|{mapped}\n"
    first, second = ("CN1", "CN2") if mapped.endswith("code") else ("Maison Paris SAS", "Maison New York Inc.")
    fills = spec(column(mapped, ownership=Ownership.IF_BLANK))
    send.text(header + f"C1|A|{first}\n", fills)
    send.text(header + f"C1|A|{second}\n", fills)
    assert send.customer()["company_number"] == "CN1"
    send.text(header + "C1|A|\n", spec(column(mapped, blank=Blank.CLEAR)))
    assert send.customer()["company_number"] is None


# -- whatever is cleared, the run ends

GROUPS = [field for field in TEMPLATE if field.name != "customer_code"]
FILLED = {
    **NEW,
    "customer_alias": "Alias", "alternate_name": "Other", "website": "https://a.example",
    "company_number_name": "Maison Paris SAS", "company_number_code": "CN1",
    "customer_group_name": "Independents", "customer_group_code": "IND",
    "discount": "10", "discount_line_item_level": "yes", "sales_rep_code": "REP1",
    "warehouse_name": "Rotterdam", "warehouse_code": "WH1", "buyer_name": "Ana", "buyer_email": "ana@example.com",
    "payment_terms": "Net 30", "payment_terms_code": "N30", "shipping_terms": "UPS", "create_doors": "yes",
    **{f"{kind}_{part}": value for kind in ("shipping", "billing") for part, value in {
        "code": "A1", "name": "Name", "address_1": "1", "address_2": "2", "city": "Lyon", "state": "X", "zip": "1",
        "country": "FR",
    }.items()},
    "shipping_email": "s@example.com", "shipping_phone": "1",
}  # fmt: skip


def cleared_rows():
    """Every column cleared alone, beside nothing, beside each other of its group, and in random company."""
    names = [field.name for field in GROUPS if field.name != "address_type"]
    sets = [{name} for name in names]
    for group in Group:
        members = [field.name for field in GROUPS if field.group is group and field.name in names]
        sets += [set(pair) for pair in itertools.combinations(members, 2)] + [set(members)]
    chance = random.Random(7)
    sets += [{name for name in names if chance.random() < share} for share in (0.1, 0.5, 0.9) for _ in range(40)]
    rows = []
    for cleared in sets:
        rows.append(FILLED | dict.fromkeys(cleared, TOKEN))
        rows.append(
            {"profile_name": "A", "price_type_currency": "EUR", "price_type_name": "EU Wholesale"}
            | dict.fromkeys(cleared, TOKEN)
        )
    rows += [FILLED | {"address_type": kind} for kind in (TOKEN, "B", "S")]
    return [row | {"customer_code": f"C{number}"} for number, row in enumerate(rows)]


@pytest.mark.parametrize(
    "policies",
    [
        {},
        {"assignments": dict.fromkeys(ASSIGNMENTS, AssignmentMode.ADD), "conflict": Conflict.LAST},
        {
            "unknown_lookup": dict.fromkeys(
                ("payment_terms", "warehouses", "company_numbers", "price_types"), Unknown.CREATE
            ),
            "conflict": Conflict.FIRST,
        },
    ],
)
def test_a_run_ends_whatever_columns_hold_the_clear_token(send, policies):
    columns = tuple(Column(Target(field.name), field.name) for field in TEMPLATE)
    format_ = FormatSpec("test", Dialect(), columns, Policies(clear_token=TOKEN, **policies))
    rows = [FILLED | {"address_type": ""} | row for row in cleared_rows()]
    empty = dict.fromkeys(FILLED, "")
    known = [FILLED | {"address_type": "", "customer_code": row["customer_code"]} for row in rows[::2]]
    assert send.text(as_text(known), format_).status == "succeeded"
    twice = [[empty | row, FILLED | row] for row in cleared_rows()]
    run = send.text(
        as_text([row | {"address_type": row.get("address_type", "")} for pair in twice for row in pair]), format_
    )
    assert run.status == "partial"
    assert run.created + run.updated + run.unchanged > 100
    assert run.rejected == len(set(run.issues.filter(severity="error").values_list("customer_code", flat=True)))
    stored = repr(send.customers())
    assert "CLEAR" not in stored
    assert TOKEN not in stored and repr(TOKEN)[1:-1] not in stored
    assert not run.issues.filter(message__contains="CLEAR").exists()


def test_a_group_of_nothing_but_clear_tokens_is_no_record(send):
    format_ = clearing("buyer_email", "buyer_name", "shipping_code", "shipping_city", "shipping_country")
    header = "customer_code|profile_name|buyer_email|buyer_name|shipping_code|shipping_city|shipping_country\n"
    run = send.text(header + rf"C1|A|{TOKEN}||{TOKEN}|{TOKEN}|" + "\n" + rf"C2|B||{TOKEN}|||{TOKEN}" + "\n", format_)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    assert [customer["buyers"] + customer["addresses"] for customer in send.customers().values()] == [[], []]


def test_a_name_needs_the_email_that_is_cleared(send):
    format_ = clearing("buyer_email", "buyer_name")
    run = send.text(rf"customer_code|profile_name|buyer_email|buyer_name{chr(10)}C1|A|{TOKEN}|Ana" + "\n", format_)
    assert (run.status, issues_of(run)) == ("rejected", [(2, "buyer_email_1", "required")])
    assert "buyer_name is given" in run.issues.get().message


def test_the_name_of_a_known_buyer_can_be_cleared(send):
    format_ = clearing("buyer_email", "buyer_name")
    header = "customer_code|profile_name|buyer_email|buyer_name\n"
    send.text(header + "C1|A|ana@example.com|Ana\n", format_)
    run = send.text(header + rf"C1|A|ANA@example.com|{TOKEN}" + "\n", format_)
    assert (run.updated, send.customer()["buyers"]) == (1, [{"email": "ana@example.com", "name": ""}])


def test_an_unchanged_customer_keeps_its_time_though_its_bytes_differ(send):
    send(NEW | SHIPPING | {"customer_alias": "x"})
    before = Connection.objects.get().updated_at
    run = send({"customer_code": "C1", "customer_alias": " x ", "profile_name": ""})
    assert (run.unchanged, Connection.objects.get().updated_at) == (1, before)
    assert send({"customer_code": "C1", "customer_alias": "y"}).updated == 1
    assert Connection.objects.get().updated_at > before


@pytest.mark.parametrize("word", ["TBD", "unknown", "Unbekannt"])
def test_a_word_for_a_state_that_nobody_knows_yet_is_no_state(send, word):
    address = SHIPPING | {"shipping_country": "US", "shipping_state": word}
    run = send(NEW | address)
    assert (run.status, issues_of(run)) == ("rejected", [(2, "shipping_state_1", "required")])
    assert f"and {word!r} is a word for nothing" in run.issues.get().message
    assert send(NEW | address | {"shipping_country": "FR"}).status == "succeeded"
