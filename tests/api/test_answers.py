"""What all answers have in common: problems, ETags, repeated requests, limits, gzip, and the schema."""

import gzip
import io
import json
import re
import threading
from datetime import timedelta
from errno import ENOSPC

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.api import idempotency
from accounts.models import AuthToken, IdempotencyKey
from accounts.tokens import make_token
from imports.describing import write_receipt
from imports.messages.telling import tell_of_run
from imports.models import Feed, Message, Pull, Run, Webhook
from imports.template import FIELDS
from lookups.models import PaymentTerm
from tests.builders import make_user
from tests.imports.customer_files import NEW, as_text, import_path
from tests.processes import ROOT

pytestmark = pytest.mark.django_db


# -- tokens


def test_the_database_holds_no_token(world):
    row = AuthToken.objects.get(user=world.rosa.user)
    assert world.rosa.token.startswith("csync_")
    assert world.rosa.token not in json.dumps(list(AuthToken.objects.values()), default=str)
    assert row.name == "tests"
    assert row.expiry > timezone.now() + timedelta(days=360)


def test_expired_tokens_and_those_of_former_users_are_worth_nothing(world):
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert world.rosa("get", "accounts/").status_code == 401
    world.luc.user.is_active = False
    world.luc.user.save()
    assert world.luc("get", "accounts/").status_code == 401


def test_commands_make_and_revoke_tokens(world, capsys):
    call_command("create_token", "rosa", "--name", "shop", "--days", "30")
    token = capsys.readouterr().out.strip()
    client = type(world.rosa.client)()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get("/api/v1/accounts/").status_code == 200
    call_command("revoke_token", "rosa", "shop")
    assert client.get("/api/v1/accounts/").status_code == 401
    assert world.rosa("get", "accounts/").status_code == 200
    with pytest.raises(CommandError, match="no token 'shop'; there are tests"):
        call_command("revoke_token", "rosa", "shop")
    with pytest.raises(CommandError, match="no active user"):
        call_command("create_token", "nobody", "--name", "x")
    with pytest.raises(CommandError, match="1 to 3650"):
        call_command("create_token", "rosa", "--name", "x", "--days", "0")
    for name in (" ", "x" * 101):
        with pytest.raises(
            CommandError, match=r"--name: (This field cannot be blank|Ensure this value has at most 100)"
        ):
            call_command("create_token", "rosa", "--name", name)


def test_a_user_has_several_tokens(world):
    _, second = make_token(world.rosa.user, "second")
    client = type(world.rosa.client)()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {second}")
    assert client.get("/api/v1/accounts/").status_code == 200
    assert world.rosa("get", "accounts/").status_code == 200


def test_the_browsers_session_counts_and_needs_its_csrf_token(world, client):
    client.force_login(world.rosa.user)
    assert client.get("/api/v1/accounts/").status_code == 200
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(world.rosa.user)
    answer = strict.post("/api/v1/accounts/maison/lookups/payment_terms/", {}, content_type="application/json")
    assert answer.status_code == 403


# -- throttling


def test_a_token_has_so_many_requests_a_minute_and_is_told_how_many_are_left(world, settings, monkeypatch):
    settings.API_REQUESTS_PER_MINUTE = 3
    now = timezone.now().replace(second=20)
    monkeypatch.setattr("accounts.api.throttling.timezone.now", lambda: now)
    left = [world.rosa("get", "accounts/")["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    answer = world.rosa("get", "accounts/")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "throttled", "40")
    assert answer["RateLimit-Limit"] == "3"
    assert world.vera("get", "accounts/").status_code == 200
    now += timedelta(minutes=1)
    assert world.rosa("get", "accounts/").status_code == 200


# -- problems


def test_a_problem_says_what_is_wrong_where(world):
    answer = world.rosa("post", "accounts/maison/lookups/sales_reps/", {"code": "", "email": "nobody"})
    problem = answer.json()
    assert (answer.status_code, problem["title"], problem["code"]) == (400, "Bad Request", "invalid")
    assert {(error["field"], error["code"]) for error in problem["errors"]} == {("code", "blank"), ("email", "invalid")}
    assert all(error["message"] in problem["detail"] for error in problem["errors"])


@pytest.mark.parametrize("body", ["{", "[1, 2", '{"code": "a\\u0000b"}', "[]", "3", "null"])
def test_a_body_that_is_none_is_a_problem(world, body):
    answer = world.rosa.client.generic(
        "POST", "/api/v1/accounts/maison/lookups/payment_terms/", body, "application/json"
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_another_content_type_is_a_problem(world):
    answer = world.rosa.client.generic("POST", "/api/v1/accounts/maison/lookups/payment_terms/", "a=b", "text/plain")
    assert answer.status_code == 415


def test_a_body_that_is_too_long_is_refused_before_it_is_read(world):
    answer = world.rosa.client.post(
        "/api/v1/accounts/maison/lookups/payment_terms/", {}, format="json", CONTENT_LENGTH="6000000"
    )
    assert answer.status_code == 413
    assert "at most 5,000,000" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=cD0lMDA=", "page_size=x", "page_size=-1", "page_size=0", "page_size=1001"]
)
def test_pages_that_are_none(world, query):
    answer = world.rosa("get", f"accounts/maison/connections/?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("query", ["status=x", "updated_since=yesterday", "customer_code=a%00b"])
def test_filters_that_are_none(world, query):
    answer = world.rosa("get", f"accounts/maison/connections/?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_at_once_get_no_server_error(world, monkeypatch):
    ready, answers = threading.Barrier(2), []
    check = PaymentTerm.full_clean

    def check_together(self, *arguments, **options):
        check(self, *arguments, **options)
        ready.wait(60)

    monkeypatch.setattr(PaymentTerm, "full_clean", check_together)

    def send():
        answers.append(world.rosa("post", "accounts/maison/lookups/payment_terms/", {"code": "NEW"}).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [201, 409]


def test_a_database_that_gives_up_is_a_problem_too(world, monkeypatch):
    def fail(*_):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("lookups.api.LookupView.perform_create", fail)
    answer = world.rosa("post", "accounts/maison/lookups/payment_terms/", {"code": "NEW"})
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again_later")


def test_a_request_and_the_note_that_it_was_made_go_in_together(world, monkeypatch):
    path, body = "accounts/maison/lookups/payment_terms/", {"code": "NEW"}
    save = IdempotencyKey.save

    def fail(self, *arguments, **options):
        if self.status is not None:
            raise OperationalError("gone")
        save(self, *arguments, **options)

    monkeypatch.setattr(IdempotencyKey, "save", fail)
    assert world.rosa("post", path, body, idempotency_key="abc").status_code == 503
    assert not PaymentTerm.objects.filter(code="NEW").exists()
    monkeypatch.undo()
    assert world.rosa("post", path, body, idempotency_key="abc").status_code == 201


def test_who_uploads_to_a_full_disk_is_told_so(world, monkeypatch):
    def write(*_):
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", write)
    answer = world.rosa.upload("accounts/maison/runs/upload/", file=SimpleUploadedFile("a.txt", b"x"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "A disk is full here" in answer.json()["detail"]


def test_who_uploads_where_no_copy_can_be_kept_may_try_again_and_the_log_says_why(world, settings, tmp_path, caplog):
    (taken := tmp_path / "taken").touch()
    settings.MEDIA_ROOT = taken
    answer = world.rosa.upload("accounts/maison/runs/upload/", file=SimpleUploadedFile("a.txt", b"x"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "No copy of a.txt can be kept" in answer.json()["detail"]
    assert "No copy of a.txt can be kept" in caplog.text


# -- ETags


@pytest.fixture
def term(world):
    entry = PaymentTerm.objects.filter(account=world.maison)[0]
    return f"accounts/maison/lookups/payment_terms/{entry.pk}/"


def test_what_is_known_is_not_sent_again(world, term):
    first = world.rosa("get", term)
    again = world.rosa("get", term, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    world.rosa("patch", term, {"name": "New"})
    assert world.rosa("get", term, if_none_match=first["ETag"]).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_overwrites_nothing_that_was_not_seen(world, term, method):
    seen = world.rosa("get", term)
    body = None if method == "delete" else {**seen.json(), "name": "Mine"}
    world.rosa("patch", term, {"name": "Theirs"})
    refused = world.rosa(method, term, body, if_match=seen["ETag"])
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert world.rosa("get", term).json()["name"] == "Theirs"
    current = world.rosa("get", term)["ETag"]
    assert world.rosa(method, term, body, if_match=f'"other", {current}').status_code in (200, 204)


def test_the_etag_of_a_write_is_that_of_the_next_read(world, term):
    written = world.rosa("patch", term, {"name": "New"})
    assert world.rosa("get", term)["ETag"] == written["ETag"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_saw_the_same_one_is_told(world, term):
    seen, answers, ready = world.rosa("get", term)["ETag"], [], threading.Barrier(2)

    def send(name):
        ready.wait(60)
        answers.append(world.rosa("patch", term, {"name": name}, if_match=seen).status_code)
        connection.close()

    threads = [threading.Thread(target=send, args=[name]) for name in ("Mine", "Yours")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [200, 412]


# -- requests that are sent again


def test_a_repeated_request_is_done_once(world):
    path, body = "accounts/maison/lookups/payment_terms/", {"code": "NEW", "name": "New"}
    first = world.rosa("post", path, body, idempotency_key="abc")
    again = world.rosa("post", path, body, idempotency_key="abc")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["ETag"] == first["ETag"]
    assert again["Idempotency-Replayed"] == "true"
    assert PaymentTerm.objects.filter(account=world.maison, code="NEW").count() == 1


def test_a_key_names_one_request(world):
    path = "accounts/maison/lookups/payment_terms/"
    world.rosa("post", path, {"code": "NEW"}, idempotency_key="abc")
    other = world.rosa("post", path, {"code": "OTHER"}, idempotency_key="abc")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (
        world.luc("post", "accounts/atelier/lookups/payment_terms/", {"code": "X"}, idempotency_key="abc").status_code
        == 201
    )


def test_a_request_that_failed_may_be_repeated(world):
    path = "accounts/maison/lookups/payment_terms/"
    assert world.rosa("post", path, {"code": ""}, idempotency_key="abc").status_code == 400
    assert world.rosa("post", path, {"code": "NEW"}, idempotency_key="abc").status_code == 201


def test_keys_are_forgotten_after_a_day(world):
    path, body = "accounts/maison/lookups/payment_terms/", {"code": "NEW"}
    world.rosa("post", path, body, idempotency_key="abc")
    IdempotencyKey.objects.update(made_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1))
    assert world.rosa("post", path, body, idempotency_key="abc").status_code == 409


def test_a_key_has_a_sensible_length(world):
    path = "accounts/maison/lookups/payment_terms/"
    for key in ("", "x" * 201):
        assert world.rosa("post", path, {"code": "NEW"}, idempotency_key=key).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_of_two_equal_requests_at_once_one_is_done(world):
    path, body, answers, ready = "accounts/maison/lookups/payment_terms/", {"code": "NEW"}, [], threading.Barrier(2)

    def send():
        ready.wait(60)
        answers.append(world.rosa("post", path, body, idempotency_key="abc").status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) in ([201, 201], [201, 409])
    assert PaymentTerm.objects.filter(code="NEW").count() == 1


# -- the rest


def test_answers_are_compressed_where_that_is_understood(world):
    PaymentTerm.objects.bulk_create(PaymentTerm(account=world.maison, code=f"T{number}") for number in range(50))
    plain = world.rosa("get", "accounts/maison/lookups/payment_terms/")
    packed = world.rosa("get", "accounts/maison/lookups/payment_terms/", accept_encoding="gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content


def test_answers_are_nobody_elses(world):
    assert world.rosa("get", "accounts/")["Cache-Control"] == "private, no-cache"


def test_the_documentation_is_served_from_here(client):
    page = client.get("/api/v1/docs/").content.decode()
    assert '<html lang="en">' in page
    assert "/static/drf_spectacular_sidecar/" in page
    assert "://" not in page.replace("http://www.w3.org", "")


def test_the_schema_is_valid_and_describes_every_operation(client, tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
    schema = yaml.load((tmp_path / "schema.yaml").read_text(), yaml.CSafeLoader)
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert "429" in operation["responses"], (path, method)
            assert operation["security"], (path, method)
            for status, answer in operation["responses"].items():
                if reference := answer.get("$ref"):
                    answer = schema["components"]["responses"][reference.removeprefix("#/components/responses/")]
                wanted = {"X-Request-ID"} | ({"Location"} if status in ("201", "202") else set())
                wanted |= {"RateLimit-Remaining"} if status != "401" else set()
                wanted |= {"ETag"} if status == "200" and (method == "put" or path.endswith("}/")) else set()
                wanted |= {"Retry-After"} if status == "429" else set()
                assert wanted <= set(answer["headers"]), (path, method, status)
            if "requestBody" in operation:
                assert "411" in operation["responses"], (path, method)
    described = schema["components"]["schemas"]["Connection"]["properties"]["customer_alias"]["description"]
    assert described == FIELDS["customer_alias"].description
    assert schema["components"]["schemas"]["FeedRequest"]["additionalProperties"] is False
    feed = schema["components"]["schemas"]["Feed"]["properties"]
    assert not {"password", "private_key", "options"} & set(feed)


def test_the_schema_that_is_published_is_the_one_that_is_served(client):
    published = (ROOT / "docs" / "openapi.yaml").read_text()
    assert client.get("/api/v1/schema/").content.decode() == published, "run bin/generate-docs"


def test_the_admin_shows_a_token_once_and_nobody_elses(world, client):
    make_user("admin", is_superuser=True)
    client.force_login(world.rosa.user)
    answer = client.post("/admin/accounts/authtoken/add/", {"name": "shop", "days": "30"})
    row = AuthToken.objects.get(name="shop")
    token = answer.context["secret"]
    assert token in answer.content.decode()
    assert row.user == world.rosa.user
    page = client.get("/admin/accounts/authtoken/").content.decode()
    assert "shop" in page
    assert token not in page
    assert AuthToken.objects.get(user=world.luc.user).digest not in page
    assert client.post(f"/admin/accounts/authtoken/{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AuthToken.objects.filter(name="shop").exists()
    luc = AuthToken.objects.get(user=world.luc.user)
    client.post(f"/admin/accounts/authtoken/{luc.pk}/delete/", {"post": "yes"})
    assert AuthToken.objects.filter(pk=luc.pk).exists()


# -- times


@pytest.mark.django_db(transaction=True)
def test_times_are_utc_whatever_the_zone_of_the_site_is(world, settings, tmp_path):
    settings.TIME_ZONE = "Europe/Paris"
    Webhook.objects.create(account=world.maison, url="https://example.com", secret="whsec_c2VjcmV0")
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW]))
    run = import_path(world.maison, path)
    out = io.StringIO()
    call_command("import_customers", str(path), "--account", "maison", "--json", stdout=out)
    tell_of_run(run)
    feed = Feed.objects.create(account=world.maison, name="erp", protocol="ftp", host="127.0.0.1", port=1)
    Pull.objects.create(feed=feed)
    texts = [world.rosa("get", f"accounts/maison/{one}/").content.decode() for one in ("runs", "feeds", "pulls")]
    texts += [world.rosa("get", f"accounts/maison/{one}/").content.decode() for one in ("connections", "changes")]
    texts += [write_receipt(run).decode(), out.getvalue(), json.dumps(Message.objects.get(run=run).payload)]
    for text in texts:
        times = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', text)
        assert times, text
        assert all(time.endswith("Z") for time in times), times


def test_a_time_without_a_zone_is_utc(world, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    moment = timezone.now() - timedelta(minutes=1)
    Run.objects.create(account=world.maison, file_name="a", format_name="standard template", status="succeeded")
    for text, found in ((f"{moment:%Y-%m-%dT%H:%M:%S}", 1), (f"{moment + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}", 0)):
        assert len(world.rosa("get", f"accounts/maison/runs/?since={text}").json()["results"]) == found
