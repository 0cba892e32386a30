"""The pages of formats: a sample becomes a draft, a draft goes live, and nobody does it for another account."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from accounts.sandboxes import add_sandbox
from connections.models import Connection
from imports.admin import FormatVersionAdmin
from imports.asking import find_questions
from imports.choosing import read_spec
from imports.errors import SettingsWrong, TryAgainLater
from imports.formats.documents import read_format, write_format
from imports.mapping import list_columns, list_sections
from imports.models import Format, FormatVersion, Run
from imports.runs.sampling import has_sample
from imports.versioning import approve, save_draft, start_draft, start_testing
from lookups.models import PriceType
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.imports.customer_files import import_path, kept_bytes, kept_path
from tests.imports.test_versioning import DOCUMENT, FILE, SPEC
from tests.pages import filled_in, new_row, text_of
from tests.processes import a_session_waits, wait_until

pytestmark = pytest.mark.django_db
ADD = reverse("admin:imports_format_add")
NORTHWIND = Path(__file__).parents[2] / "samples" / "northwind_customers.csv"


@pytest.fixture
def account(client):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, user := make_user("eddie"), "editor")
    client.force_login(user)
    return account


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(FILE)
    return path


@pytest.fixture
def draft(account):
    return save_draft(account, "erp", SPEC)


@pytest.fixture
def viewer(client, account):
    add_member(account, user := make_user("vera"), "viewer")
    return user


def page(version, name="change"):
    return reverse(f"admin:imports_formatversion_{name}", args=[version.pk])


def upload(client, account, **given):
    return client.post(ADD, {"account": account.pk, "name": "erp", **given})


def stored(version):
    """What the stored version says, without its number."""
    return replace(read_spec(FormatVersion.objects.get(pk=version.pk)), name=version.format.name)


def problems(response):
    return [str(error) for errors in response.context["adminform"].form.errors.values() for error in errors]


def test_a_sample_becomes_a_draft_with_its_evidence(client, account):
    with NORTHWIND.open("rb") as sample:
        response = upload(client, account, sample=sample, price_type_currency="USD", address_type="S")
    draft = FormatVersion.objects.get()
    assert (draft.status, str(draft), draft.format.account) == ("draft", "erp@1", account)
    assert response.url == page(draft)
    assert {"customer_code", "price_type_currency_1", "address_type"} <= set(
        draft.columns.values_list("target", flat=True)
    )
    shown = client.get(page(draft)).content.decode()
    assert "91 rows of the sample were looked at" in client.get(page(draft, "mapping")).content.decode()
    assert "Which price type name do all rows have?" in shown
    assert "1 question waits for an answer; then the draft can be tested." in shown


def test_the_file_of_a_run_that_no_format_reads_is_the_sample_of_one(client, account, viewer, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("Kundennr.;Firma;Ort;Land\n1;Müller;Dresden;DE\n2;Söhne;Ulm;DE\n", encoding="cp1252")
    run = import_path(account, path)
    steps = client.get(reverse("admin:imports_run_change", args=[run.pk])).context["steps"]
    assert steps[0].name == "Make a format of this file"
    form = client.get(steps[0].url)
    assert f"Without another one, the file of {run}." in text_of(form)
    response = client.post(steps[0].url, {**filled_in(form), "name": "erp"})
    draft = FormatVersion.objects.get()
    assert (response.url, draft.encoding, draft.delimiter) == (page(draft), "cp1252", ";")
    again = client.post(steps[0].url, {**filled_in(form), "name": "erp"})
    assert problems(again) == ["erp@1 is a draft already. Go on with it or delete it, or give another name."]
    FormatVersion.objects.update(status="retired")
    client.post(steps[0].url, {**filled_in(form), "name": "erp"})
    assert str(FormatVersion.objects.get(status="draft")) == "erp@2"
    add_member(make_account("atelier"), viewer, "editor")
    client.force_login(viewer)  # who edits another account, and may only look at this one
    assert str(run) not in text_of(client.get(steps[0].url))


def test_what_was_proposed_wrongly_is_decided_beside_the_sample(client, account):
    lines = ["Kunden;eines ERP", "KdNr;Firma;Ort;Land;Art", *(f"{n};~Père; {n}~;Lyon;FR;Z{n}" for n in range(10, 19))]
    sample = SimpleUploadedFile("erp.csv", "\n".join(lines).encode("cp1252"))
    given = {"encoding": "cp1250", "delimiter": "semicolon", "quotechar": "~", "header_line": "2"}
    columns = "Art = customer_alias\r\nOrt =\r\n"
    response = upload(client, account, sample=sample, columns=columns, price_type_currency="EUR", **given)
    assert response.status_code == 302, problems(response)
    draft = FormatVersion.objects.get()
    assert (draft.encoding, draft.delimiter, draft.quotechar, draft.skip_lines) == ("cp1250", ";", "~", 1)
    assert draft.columns.get(source="Art").target == "customer_alias"
    assert not draft.columns.filter(source="Ort").exists()
    shown = client.get(page(draft, "mapping")).content.decode()
    assert "10 · 11 · 12" in shown
    assert "Left out, as decided" in shown


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"columns": "Art"}, "give a column, an equals sign and a field of the template"),
        ({"columns": "Art = nothing"}, "give a column, an equals sign and a field of the template"),
        ({"columns": "Fax = website"}, "The sample has no column 'Fax'"),
        ({"encoding": "klingon"}, "klingon"),
        ({"delimiter": "||"}, "Give one character"),
        ({"quotechar": "~~"}, "Give one character"),
        ({"delimiter": ";", "quotechar": ";"}, "Delimiter and quote must be different"),
    ],
)
def test_what_cannot_be_decided_about_a_sample_is_answered(client, account, given, wrong):
    sample = SimpleUploadedFile("erp.csv", b"KdNr;Firma;Ort;Land;Art\n1;A;Lyon;FR;Z\n2;B;Lyon;FR;Z\n")
    said = problems(upload(client, account, sample=sample, **given))
    assert any(wrong in problem for problem in said), said
    assert not FormatVersion.objects.exists()


@pytest.mark.parametrize(
    "error", [SettingsWrong("ONBOARDING_VOCABULARY is wrong."), TryAgainLater("The database gave up.")]
)
def test_a_sample_that_cannot_be_tried_just_now_is_answered(client, account, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("imports.runs.rehearsing.propose_format", fail)
    sample = SimpleUploadedFile("erp.csv", b"KdNr;Firma\n1;A\n2;B\n")
    assert problems(upload(client, account, sample=sample)) == [str(error)]
    with pytest.raises(CommandError, match=str(error)):
        call_command("onboard_format", str(NORTHWIND), "--account", account.code)


def test_a_format_as_a_file_becomes_a_draft(client, account):
    document = SimpleUploadedFile("erp.yaml", DOCUMENT.encode())
    assert upload(client, account, document=document).status_code == 302
    assert stored(FormatVersion.objects.get()) == SPEC


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, "Give either a sample or a format as a file."),
        ({"sample": b"a;b\n1;2\n", "document": DOCUMENT.encode()}, "Give either a sample or a format as a file."),
        ({"sample": b"\x00\x01\x02PK\x03\x04" * 50}, "not text"),
        ({"document": b"name: [erp"}, "YAML"),
        ({"document": b"\xff\xfe\xff"}, "UTF-8"),
        ({"document": b"#" * (1 << 21)}, "too large"),
    ],
)
def test_what_cannot_be_a_format_is_said_beside_the_file(client, account, given, wrong):
    files = {name: SimpleUploadedFile("file", content) for name, content in given.items()}
    response = upload(client, account, **files)
    assert response.status_code == 200
    assert any(wrong in problem for problem in problems(response)), problems(response)
    assert not Format.objects.exists()


def test_a_name_that_is_none_is_said_beside_the_name(client, account):
    response = upload(client, account, name="my format", document=SimpleUploadedFile("erp.yaml", DOCUMENT.encode()))
    assert "name" in response.context["adminform"].form.errors


def test_formats_are_made_for_production_accounts(client, account):
    sandbox = add_sandbox(account)
    offered = client.get(ADD).context["adminform"].form.fields["account"].queryset
    assert account in offered
    assert sandbox not in offered


def test_a_draft_is_edited_column_by_column(client, draft):
    response = client.get(page(draft))
    data = filled_in(response)
    data |= {
        "delimiter": "tab",
        "unknown_lookup__warehouses": "create",
        "assignments__warehouses": "add",
        "languages": ["de", "fr"],
        "columns-1-target": "customer_alias",
        "columns-1-value_map": "n/a =\nHarbor Row = Harbour",
        "columns-1-blank": "clear",
    }
    assert client.post(page(draft), data).status_code == 302
    version = FormatVersion.objects.get(pk=draft.pk)
    column = version.columns.get(source="Name")
    assert (column.target, column.blank) == ("customer_alias", "clear")
    assert column.value_map == {"n/a": "", "Harbor Row": "Harbour"}
    assert (version.delimiter, version.unknown_lookup) == ("\t", {"warehouses": "create"})
    assert version.assignments == {"warehouses": "add"}
    assert version.to_spec().policies.languages == ("de", "fr")


def test_an_untouched_draft_stays_as_it_is(client, draft):
    assert client.post(page(draft), filled_in(client.get(page(draft)))).status_code == 302
    assert stored(draft) == SPEC


WRONG_SETTINGS: list[tuple[dict[str, str], str]] = [
    ({"columns-1-target": "profile"}, "profile"),
    ({"columns-1-constant": "Always"}, ""),
    ({"columns-2-constant": "Euro"}, "currency"),
    ({"columns-1-value_map": "nothing"}, "cell = value"),
    ({"columns-1-value_map": "a = b\nA = c"}, "differ in case only"),
    ({"delimiter": "ab"}, "one character"),
    ({"delimiter": '"'}, ""),
    ({"encoding": "klingon"}, "is no encoding that files are read in"),
    ({"encoding": "utf-7"}, "is no encoding that files are read in"),
    ({"width": "5"}, "width is for files without a header"),
    ({"max_error_percent": "101"}, "100"),
]


def test_a_wrong_setting_changes_nothing(client, draft):
    data = filled_in(client.get(page(draft)))
    for changed, wrong in WRONG_SETTINGS:
        response = client.post(page(draft), data | changed)
        assert response.status_code == 200, f"{changed} was taken"
        assert wrong in response.content.decode()
        assert stored(draft) == SPEC


def test_a_draft_goes_live_step_by_step(client, account, draft, file):
    sandbox = add_sandbox(account)
    assert "sandbox only" in client.get(page(draft, "test")).content.decode()
    assert client.post(page(draft, "test")).url == page(draft)
    draft.refresh_from_db()
    assert draft.status == "testing"

    refused = client.post(page(draft, "go_live"), {"reason": "hurry"}).content.decode()
    assert "0 accepted runs" in refused
    draft.refresh_from_db()
    assert draft.status == "testing"

    import_path(sandbox, file, version=draft)
    assert "reason" in client.post(page(draft, "go_live"), {"reason": ""}).content.decode()
    assert client.post(page(draft, "go_live"), {"reason": "the pilot customer waits"}).status_code == 302
    draft.refresh_from_db()
    assert (draft.status, draft.reason, draft.approved_by.username) == ("live", "the pilot customer waits", "eddie")

    assert client.post(page(draft, "next_draft")).url == page(FormatVersion.objects.get(status="draft"))


def test_a_version_that_is_no_draft_is_not_edited(client, draft):
    FormatVersion.objects.update(status="testing")
    response = client.get(page(draft))
    assert not response.context["has_change_permission"]
    assert client.post(page(draft), {"delimiter": "|"}).status_code == 302
    draft.refresh_from_db()
    assert draft.delimiter == ";"
    assert client.post(page(draft, "delete"), {"post": "yes"}).status_code == 302
    assert stored(FormatVersion.objects.get()) == SPEC


@pytest.mark.parametrize(
    ("status", "offered", "sentence"),
    [
        ("draft", {"test", "compare", "download"}, "The draft is complete."),
        ("testing", {"next_draft", "compare", "download"}, "Send files of the ERP to maison-sandbox"),
        ("live", {"next_draft", "compare", "download"}, "files of maison are read with it. A change begins"),
        ("retired", {"next_draft", "compare", "download"}, "no version of the format is live. A change begins"),
    ],
)
def test_only_the_next_steps_are_offered(client, account, viewer, draft, status, offered, sentence):
    add_sandbox(account)
    FormatVersion.objects.update(status=status)
    steps = ("test", "go_live", "next_draft", "compare", "download")

    def links():
        with CaptureQueriesContext(connection) as queries:
            shown = client.get(page(draft)).content.decode()
        assert len(queries) <= 30
        assert sentence in shown
        return {name for name in steps if f'href="{page(draft, name)}"' in shown}

    assert links() == offered
    client.force_login(viewer)
    assert links() == {"compare", "download"}


def test_a_draft_without_a_sandbox_leads_to_making_one(client, account, draft):
    shown = client.get(page(draft)).content.decode()
    assert "maison has no sandbox to test it in" in shown
    assert reverse("admin:accounts_account_make_sandbox", args=[account.pk]) in shown


def test_going_live_is_offered_once_a_file_was_accepted(client, account, draft, file):
    sandbox = add_sandbox(account)
    start_testing(draft)
    import_path(sandbox, file, version=draft)
    shown = client.get(page(draft)).content.decode()
    assert "1 run was accepted in a sandbox" in shown
    assert f'href="{page(draft, "go_live")}"' in shown
    assert f"{reverse('admin:imports_run_upload')}?account={sandbox.pk}" in shown


def test_a_version_leads_to_what_comes_after_it(client, account, draft, file):
    sandbox = add_sandbox(account)
    start_testing(draft)
    import_path(sandbox, file, version=draft)
    approve(draft, "Eddie", reason="soon")
    newer = start_draft(draft.format)
    shown = client.get(page(draft)).content.decode()
    assert "erp@2 is the draft of what comes next." in shown
    assert f'href="{page(newer)}"' in shown


# -- questions

ASKING = "KdNr;Firma;Strasse;Ort;PLZ\n" + "".join(f"{n};Laden {n};Hauptstr. {n};Berlin;101{n}\n" for n in range(10, 19))


@pytest.fixture
def asking(client, account):
    """A draft whose sample says neither prices nor the kind nor the country of its addresses."""
    response = upload(client, account, sample=SimpleUploadedFile("erp.csv", ASKING.encode()))
    assert response.status_code == 302, problems(response)
    return FormatVersion.objects.get()


def answer(client, version, **posted):
    return client.post(page(version, "answer"), posted, follow=True).content.decode()


def asked(version):
    return [str(question.target) for question in find_questions(version)]


def test_questions_stand_on_top_until_they_are_answered(client, account, viewer, asking):
    add_sandbox(account)
    assert asked(asking) == ["address_type", "address_country_1", "price_type_currency_1", "price_type_name_1"]
    shown = client.get(page(asking)).content.decode()
    assert "4 questions wait for an answer" in shown
    assert shown.index("Which address type do all rows have?") < shown.index('id="formatversion_form"')
    assert f'href="{page(asking, "test")}"' not in shown

    refused = client.post(page(asking, "test")).content.decode()
    assert "leaves open what the sample does not say: address_type, address_country_1" in refused

    assert "Every row has &#x27;DE&#x27; for address_country_1 now." in answer(
        client, asking, field="address_country_1", value=" DE "
    )
    answer(client, asking, all="yes")
    assert asked(asking) == []
    assert asking.columns.get(target="address_type").constant == "B"
    assert len(set(asking.columns.values_list("order", flat=True))) == asking.columns.count()
    assert "is testing" in client.post(page(asking, "test"), follow=True).content.decode()

    client.force_login(viewer)
    assert "Use this" not in client.get(page(asking)).content.decode()


def test_a_viewer_is_asked_nothing(client, viewer, asking):
    client.force_login(viewer)
    shown = client.get(page(asking)).content.decode()
    assert "4 questions wait for an answer" in shown
    assert "Use this" not in shown
    assert client.post(page(asking, "answer"), {"all": "yes"}).status_code == 403
    assert len(asked(asking)) == 4


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"field": "price_type_currency_1", "value": "Euro"}, "currency"),
        ({"field": "price_type_name_1", "value": " "}, "Give a value for price_type_name_1, or do without it."),
        ({"field": "discount", "value": "1"}, "does not ask for &#x27;discount&#x27;"),
        ({"field": "price_type_name_1", "value": "a\0b"}, "which is no character of a text"),
        ({}, "does not ask for"),
    ],
)
def test_what_is_no_answer_changes_nothing(client, asking, posted, said):
    assert said in answer(client, asking, **posted)
    assert len(asked(asking)) == 4


def test_the_format_may_do_without_and_the_next_draft_remembers(client, account, asking):
    """Also a proposal of the same format that is made anew."""
    add_sandbox(account)
    answer(client, asking, field="price_type_name_1", without="yes")
    answer(client, asking, field="price_type_currency_1", without="yes")
    answer(client, asking, all="yes")
    asking.refresh_from_db()
    assert asked(asking) == ["address_country_1"]
    proposal = {key: value for key, value in asking.proposal.items() if key != "without"}
    save_draft(account, "erp", asking.to_spec(), proposal=proposal)
    assert asked(FormatVersion.objects.get()) == ["address_country_1"]
    with pytest.raises(SettingsWrong, match="does not ask for 'discount'"):
        start_testing(asking, without=["discount"])
    call_command("promote_format", "erp", "--account", "maison", "--to", "testing", "--without", "address_country_1")
    draft = start_draft(asking.format)
    assert draft.proposal
    assert draft.proposal["columns"]
    assert draft.proposal["without"] == ["price_type_name_1", "price_type_currency_1", "address_country_1"]
    assert not asked(draft)


def test_leaving_the_addresses_out_leaves_no_question_about_them(asking):
    asking.columns.filter(target__startswith="address").delete()
    assert asked(asking) == ["price_type_currency_1", "price_type_name_1"]


def test_a_missing_field_is_answered_by_a_column(client, asking):
    asking.columns.filter(target="profile_name").delete()
    asking.proposal["missing"] = ["profile_name: no column names the customer", "shipping_state_1: 2 of 9 need it"]
    asking.columns.create(order=90, target="shipping_city_1", source="Ort")
    asking.save()
    assert [(str(q.target), q.is_needed) for q in find_questions(asking) if q.kind == "missing"] == [
        ("profile_name", True),
        ("shipping_state_1", False),
    ]
    assert "Choose one of the sample&#x27;s columns" in answer(client, asking, field="profile_name", column="77")
    assert "profile_name is read from Firma now." in answer(client, asking, field="profile_name", column="2")
    assert asking.columns.get(target="profile_name").source == "Firma"


def test_blank_cells_of_what_is_needed_are_asked_for_and_may_stay(client, asking):
    asking.proposal |= {"defaults": [{"target": "profile_name", "suggestion": "unnamed", "reason": "blank on 1 row"}]}
    asking.save()
    found = find_questions(asking)[-1]
    assert (found.asks, found.is_needed) == ("What does a blank profile name stand for?", False)
    assert "stand for &#x27;unnamed&#x27; now" in answer(client, asking, field="profile_name", value="unnamed")
    assert asking.columns.get(target="profile_name").default == "unnamed"


# -- where the columns of the sample go


@pytest.fixture
def mapped(client, account):
    with NORTHWIND.open("rb") as sample:
        upload(client, account, sample=sample, price_type_currency="USD", price_type_name="US Wholesale")
    return FormatVersion.objects.get()


def put(client, version, **fields):
    """Change fields by header on the page of the columns."""
    data = filled_in(client.get(page(version, "mapping")))
    places = {column.label: column.position for column in list_columns(version)}
    data |= {f"column-{places[header]}": field for header, field in fields.items()}
    return client.post(page(version, "mapping"), data, follow=True)


def targets(version):
    return {column.origin: column.target for column in version.columns.all() if column.target != "address_code_1"}


def test_the_columns_stand_with_values_evidence_and_fields(client, mapped):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(page(mapped, "mapping"))
    assert len(queries) <= 30
    shown = answer.content.decode()
    assert "Alfreds Futterkiste · Ana Trujillo" in shown
    assert "profile_name, 99 % sure: &#x27;companyName&#x27; is a name for it" in shown
    assert "Customer Code: code, at most 100. Identifies the customer in the account." in shown
    assert "It serves address_code_1 as well." in shown
    assert [name for name, _ in list_sections(mapped)][-3:] == ["The customer", "Address", "Left out"]
    assert f'href="{page(mapped, "mapping")}"' in client.get(page(mapped)).content.decode()
    before = targets(mapped)
    assert "Nothing changed." in put(client, mapped).content.decode()
    assert targets(mapped) == before


def test_what_is_unsure_stands_first(mapped):
    for column in mapped.proposal["columns"]:
        if column["source"] in ("city", "phone"):
            column["confidence"] = 0.6
    mapped.columns.filter(source="phone").update(target="shipping_phone_2")  # decided by a person
    name, columns = list_sections(mapped)[0]
    assert name == "Look at these first"
    assert "city" in [column.label for column in columns]
    assert "Shipping address 2" in dict(list_sections(mapped))


def test_fields_change_places_and_keep_the_settings_of_their_columns(client, mapped):
    mapped.columns.filter(source="companyName").update(default="unnamed", ownership="if_blank")
    answer = put(client, mapped, companyName="customer_alias", contactName="Profile Name", fax="", region="")
    assert "of erp@1 changed." in answer.content.decode()
    changed = mapped.columns.get(source="companyName")
    assert (changed.target, changed.default, changed.ownership) == ("customer_alias", "unnamed", "if_blank")
    assert mapped.columns.get(source="contactName").target == "profile_name"
    assert not mapped.columns.filter(source="region").exists()
    put(client, mapped, companyName="profile_name", contactName="customer_alias", region="address_state")
    assert mapped.columns.get(source="companyName").target == "profile_name"
    assert mapped.columns.get(source="region").value_map  # as it was proposed
    put(client, mapped, fax="price_type_name")
    assert mapped.columns.get(target="price_type_name_1").source == "fax"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"fax": "colour"}, "fax: &#x27;colour&#x27; is no field of the template."),
        ({"fax": "profile_name"}, "profile_name cannot be both companyName and fax"),
        ({"fax": "website", "contactTitle": "website"}, "website cannot be both contactTitle and fax"),
    ],
)
def test_a_wrong_field_changes_nothing_and_stays_to_be_mended(client, mapped, fields, said):
    before = targets(mapped)
    answer = put(client, mapped, **fields)
    assert said in answer.content.decode()
    assert fields["fax"] in filled_in(answer).values()
    assert targets(mapped) == before


def test_only_editors_change_the_columns_and_only_of_a_draft(client, viewer, mapped):
    FormatVersion.objects.update(status="testing")
    assert "only a draft may be edited" in put_anything(client, mapped)
    client.force_login(viewer)
    assert client.get(page(mapped, "mapping")).status_code == 403
    assert page(mapped, "mapping") not in client.get(page(mapped)).content.decode()


def put_anything(client, version):
    return client.post(page(version, "mapping"), {"column-1": "website"}, follow=True).content.decode()


# -- the sample that is kept


def test_the_sample_is_tried_as_the_draft_stands_and_nothing_stays(client, viewer, mapped):
    assert kept_bytes(mapped.format.sample_file) == NORTHWIND.read_bytes()
    assert f'href="{page(mapped, "trial")}"' in client.get(page(mapped)).content.decode()
    answer = client.get(page(mapped, "trial"))
    said = text_of(answer)
    assert "91 rows, 91 customers with 91 addresses" in said
    assert "Taken for what is still to decide: address_type = B." in said
    assert "Alfreds Futterkiste ALFKI" in said
    assert "USD US Wholesale" in said
    assert len(answer.context["cards"]) == 6
    assert not Run.objects.exists()
    assert not Connection.objects.exists()
    assert "What the lists" not in said
    PriceType.objects.filter(label="US Wholesale").delete()
    said = client.get(page(mapped, "trial")).content.decode()
    assert "currency=USD&amp;label=US+Wholesale" in said
    mapped.unknown_lookup = {"price_types": "create"}
    mapped.save()
    assert "What the lists" not in text_of(client.get(page(mapped, "trial")))
    mapped.columns.filter(target="address_country_1").update(source="city")
    said = text_of(client.get(page(mapped, "trial")))
    assert "What would be rejected address_country_1: " in said
    assert "'Berlin' is not a country" in said
    mapped.columns.filter(target="address_country_1").update(value_map={"Berlin": "Atlantis"})
    assert "'Atlantis' is not a country" in text_of(client.get(page(mapped, "trial")))
    client.force_login(viewer)
    assert client.get(page(mapped, "trial")).status_code == 403
    assert page(mapped, "trial") not in client.get(page(mapped)).content.decode()


def test_how_the_sample_is_read_is_looked_at_and_saved(client, viewer, mapped):
    url = page(mapped, "reading")
    assert f'href="{url}"' in client.get(page(mapped)).content.decode()
    first = client.get(url)
    assert first.context["records"][1][1][:2] == ["ALFKI", "Alfreds Futterkiste"]
    given = {"encoding": "cp1252", "delimiter": "semicolon", "quotechar": "", "header_line": "2"}
    looked = client.get(url, given)
    assert len(looked.context["records"][1][1]) == 1
    assert "is no encoding" in client.get(url, given | {"encoding": "klingon"}).content.decode()
    assert "seems to have one column" in client.post(url, given).content.decode()
    given |= {"delimiter": "comma"}
    assert "Line 900 is no header of this file" in client.post(url, given | {"header_line": "900"}).content.decode()
    mapped.refresh_from_db()
    assert (mapped.encoding, mapped.delimiter) == ("utf-8", ",")
    assert "Nothing changed." in client.post(url, first.context["form"].data, follow=True).content.decode()
    assert client.post(url, given).url == page(mapped)
    mapped.refresh_from_db()
    assert (mapped.encoding, mapped.delimiter, mapped.quotechar, mapped.skip_lines) == ("cp1252", ",", "", 1)
    assert mapped.header[0] == "ALFKI"
    client.force_login(viewer)
    assert client.get(url).status_code == 403


def test_what_cannot_be_tried_says_why(client, mapped):
    mapped.columns.filter(target="customer_code").delete()
    assert "erp@1 is not complete: No column goes to customer_code." in text_of(client.get(page(mapped, "trial")))
    kept_path(mapped.format.sample_file).unlink()
    assert "northwind_customers.csv cannot be read: it is gone" in text_of(client.get(page(mapped, "trial")))
    Format.objects.update(sample_file=None)
    assert "No copy of a sample of erp is kept" in text_of(client.get(page(mapped, "trial")))
    assert page(mapped, "trial") not in client.get(page(mapped)).content.decode()


def test_the_sample_goes_into_the_sandbox_with_a_click(client, account, viewer, mapped):
    sandbox = add_sandbox(account)
    answer(client, mapped, all="yes")
    answer(client, mapped, field="address_type", value="S")
    start_testing(mapped)
    send = f"{page(mapped, 'send')}?account={sandbox.pk}"
    assert f'href="{send}"' in client.get(page(mapped)).content.decode()
    assert "Connection" not in client.get(send).content.decode() or not Run.objects.exists()
    sent = client.post(send, follow=True)
    run = Run.objects.get()
    assert (run.account, run.status, run.created) == (sandbox, "succeeded", 91), run.message
    assert run.file_name == "northwind_customers.csv"
    assert "northwind_customers.csv" in sent.content.decode()
    assert client.post(f"{page(mapped, 'send')}?account={account.pk}").status_code == 404
    client.force_login(viewer)
    assert client.post(send).status_code == 403


def test_the_sample_goes_with_its_format_and_with_the_next_one(
    account, mapped, tmp_path, django_capture_on_commit_callbacks
):
    first = kept_path(mapped.format.sample_file)
    other = tmp_path / "other.csv"
    other.write_bytes(NORTHWIND.read_bytes() + b"\n")
    with django_capture_on_commit_callbacks(execute=True):
        call_command("onboard_format", str(other), "--account", account.code, "--name", "erp", "--save")
    second = kept_path(Format.objects.get().sample_file)
    assert not first.exists()
    assert second.exists()
    with django_capture_on_commit_callbacks(execute=True):
        Format.objects.get().delete()
    assert not second.exists()


def test_no_sample_is_kept_where_no_files_are(client, account, settings):
    settings.KEEP_FILES_DAYS = 0
    upload(client, account, sample=SimpleUploadedFile("erp.csv", ASKING.encode()))
    assert not has_sample(Format.objects.get())


def test_versions_are_compared_by_what_they_say_and_by_what_they_read(client, account, draft, file):
    sandbox = add_sandbox(account)
    start_testing(draft)
    import_path(sandbox, file, version=draft)
    document = DOCUMENT.replace("profile_name}", "profile_name, value_map: {Harbor Row: Harbour}}")
    changed = save_draft(account, "erp", read_format(document))
    shown = client.get(page(changed, "compare")).content.decode()
    assert "profile_name" in shown
    assert "erp@1" in shown
    before = Connection.objects.count()
    shown = client.post(page(changed, "compare")).content.decode()
    assert "customers.csv" in shown
    assert "Harbour" in shown
    assert Connection.objects.count() == before
    assert Run.objects.filter(dry_run=False).count() == 1


def test_the_first_version_has_nothing_to_be_compared_with(client, draft):
    response = client.get(page(draft, "compare"))
    assert response.status_code == 200
    assert response.context["problem"]


def test_a_version_is_downloaded_as_a_file(client, draft):
    response = client.get(page(draft, "download"))
    assert response.content.decode() == write_format(SPEC)
    assert response["Content-Disposition"] == 'attachment; filename="erp.yaml"'


def test_an_incomplete_draft_is_not_downloaded(client, draft):
    draft.columns.all().delete()
    response = client.get(page(draft, "download"))
    assert response.status_code == 302
    assert response.url == page(draft)


def test_viewers_look_and_take_no_step(client, viewer, draft):
    client.force_login(viewer)
    for name in ("test", "go_live", "next_draft"):
        assert client.get(page(draft, name)).status_code == 403
        assert client.post(page(draft, name)).status_code == 403
    assert client.post(page(draft, "compare")).status_code == 403
    for name in ("compare", "download"):
        assert client.get(page(draft, name)).status_code == 200
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_strangers_find_no_version(client, draft):
    stranger = make_user("stranger")
    add_member(make_account("atelier"), stranger, "editor")
    client.force_login(stranger)
    for name in ("test", "go_live", "next_draft", "compare", "download"):
        assert client.get(page(draft, name)).status_code == 404
        assert client.post(page(draft, name)).status_code == 404
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_format_lists_its_versions(client, draft):
    shown = client.get(reverse("admin:imports_format_change", args=[draft.format_id])).content.decode()
    assert page(draft) in shown
    assert "erp@1" in client.get(reverse("admin:imports_format_changelist")).content.decode()


def test_only_superusers_delete_a_format(client, draft):
    url = reverse("admin:imports_format_delete", args=[draft.format_id])
    assert client.post(url, {"post": "yes"}).status_code == 403
    client.force_login(make_user("root", is_superuser=True))
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Format.objects.exists()


def test_the_file_of_a_run_is_downloaded_as_it_came(client, account, file):
    run = import_path(account, file, SPEC)
    url = reverse("admin:imports_run_kept_file", args=[run.pk])
    assert url in client.get(reverse("admin:imports_run_change", args=[run.pk])).content.decode()
    response = client.get(url)
    assert b"".join(response.streaming_content) == file.read_bytes()
    assert response["Content-Disposition"] == 'attachment; filename="customers.csv"'
    stranger = make_user("stranger")
    add_member(make_account("atelier"), stranger, "editor")
    client.force_login(stranger)
    assert client.get(url).status_code == 404


def test_the_file_of_a_run_that_is_no_longer_kept_is_not_found(client, account, file):
    run = import_path(account, file, SPEC, keep=False)
    assert client.get(reverse("admin:imports_run_kept_file", args=[run.pk])).status_code == 404


def test_an_editor_makes_a_sandbox_with_the_lists(client, account, viewer):
    url = reverse("admin:accounts_account_make_sandbox", args=[account.pk])
    client.force_login(viewer)
    assert client.post(url).status_code == 403
    client.force_login(account.memberships.get(role="editor").user)
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 302
    sandbox = Account.objects.get(sandbox_of=account)
    assert sandbox.pricetypes.count() == account.pricetypes.count() > 0
    assert sandbox.memberships.count() == account.memberships.count()


# -- a draft that is saved while its test starts


@pytest.mark.parametrize("name", ["change", "delete"])
def test_what_is_posted_of_a_draft_after_its_test_began_changes_nothing(client, account, draft, name):
    add_sandbox(account)
    data = filled_in(client.get(page(draft))) | {"clear_token": "late", "post": "yes"}
    start_testing(draft)
    answer = client.post(page(draft, name), data, follow=True)
    assert "erp@1 is testing by now, and only a draft may be edited. Nothing was saved" in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.status, draft.clear_token) == ("testing", "")


@pytest.mark.django_db(transaction=True)
def test_a_test_that_starts_while_a_draft_is_saved_waits_for_it_and_tests_what_was_saved(
    client, account, draft, monkeypatch
):
    add_sandbox(account)
    save_related = FormatVersionAdmin.save_related
    statuses = []

    def start():
        statuses.append(start_testing(FormatVersion.objects.get(pk=draft.pk)).clear_token)
        connection.close()

    thread = threading.Thread(target=start)

    def save_slowly(*args):
        thread.start()
        wait_until(a_session_waits)
        save_related(*args)

    monkeypatch.setattr(FormatVersionAdmin, "save_related", save_slowly)
    data = filled_in(client.get(page(draft))) | {"clear_token": r"\N"}
    assert client.post(page(draft), data).status_code == 302
    thread.join(60)
    draft.refresh_from_db()
    assert (draft.status, draft.clear_token, statuses) == ("testing", r"\N", [r"\N"])


# -- deleting what is still needed


@pytest.mark.parametrize("status", ["held", "queued", "running", "succeeded"])
def test_a_format_that_runs_still_need_is_not_deleted(client, account, draft, status):
    client.force_login(make_user("root", is_superuser=True))
    Run.objects.create(account=account, file_name="a.txt", format_name="erp@1", format_version=draft, status=status)
    url = reverse("admin:imports_format_delete", args=[draft.format_id])
    client.post(url, {"post": "yes"})
    assert Format.objects.exists() == (status != "succeeded")


def test_a_constant_and_a_column_are_added_to_a_draft(client, draft):
    """As "Add another" leaves them: without a place of their own, which puts them last."""
    data = filled_in(client.get(page(draft)))
    new_row(
        data,
        "columns",
        order="",
        constant="10",
        target="discount",
        blank="keep",
        ownership="always",
        bad_value="reject",
    )
    new_row(
        data, "columns", order="", source="Web", target="website", blank="keep", ownership="always", bad_value="reject"
    )
    answer = client.post(page(draft), data)
    assert answer.status_code == 302, text_of(answer)
    assert list(draft.columns.order_by("order").values_list("target", flat=True))[-2:] == ["discount", "website"]
    assert len(set(draft.columns.values_list("order", flat=True))) == draft.columns.count()


def test_no_form_fails_without_saying_why(client, draft):
    """Also of a field that is not to be seen, of a row, and of the form as a whole."""
    data = filled_in(client.get(page(draft))) | {"columns-0-order": "first", "columns-1-id": "nothing"}
    new_row(
        data,
        "columns",
        source="Web",
        constant="both",
        target="website",
        blank="keep",
        ownership="always",
        bad_value="reject",
    )
    said = text_of(client.post(page(draft), data))
    assert "Format column 1, Order: Enter a whole number." in said
    assert "Give either a header, a position or a constant." in said
    data = filled_in(client.get(page(draft))) | {"columns-TOTAL_FORMS": "many"}
    assert "ManagementForm data is missing" in text_of(client.post(page(draft), data))


# -- formats are production's


def test_an_editor_of_the_sandbox_alone_changes_no_format(client, account, draft):
    """Also where the same person may look at production: rights on formats come from there, through every page."""
    sandbox = add_sandbox(account)
    add_member(account, tester := make_user("tess"), "viewer")
    add_member(sandbox, tester, "editor")
    data = filled_in(client.get(page(draft))) | {"clear_token": "mine"}
    client.force_login(tester)
    before = FormatVersion.objects.values().get(pk=draft.pk)
    assert client.post(page(draft), data).status_code == 403
    for name in ("test", "go_live", "next_draft", "compare", "delete"):
        assert client.post(page(draft, name), {"post": "yes", "reason": "now"}).status_code == 403, name
    assert client.post(reverse("admin:imports_format_change", args=[draft.format_id]), {}).status_code == 403
    answer = upload(client, account, document=SimpleUploadedFile("erp.yaml", DOCUMENT.encode()))
    assert "account" in answer.context["adminform"].form.errors
    answer = upload(client, sandbox, document=SimpleUploadedFile("erp.yaml", DOCUMENT.encode()))
    assert "account" in answer.context["adminform"].form.errors
    assert FormatVersion.objects.values().get() == before


def test_what_a_frozen_version_holds_is_said_in_words(client, account, draft):
    data = filled_in(client.get(page(draft)))
    data |= {
        "languages": ["de", "fr"],
        "ignore_lines": "---*\nPage *",
        "assignments__warehouses": "add",
        "unknown_lookup__warehouses": "create",
        "columns-1-value_map": "n/a =\nHarbor Row = Harbour",
    }
    client.post(page(draft), data)
    add_sandbox(account)
    start_testing(FormatVersion.objects.get())
    shown = text_of(client.get(page(draft)))
    for said in (
        "Harbor Row = Harbour n/a = (blank)",
        "---* Page *",
        "German, French",
        "Warehouses of a file: join the stored ones",
        "Unknown warehouses: create it",
    ):
        assert said in shown
    assert "{" not in shown.partition("Format columns")[2].partition("template-fields")[0]
