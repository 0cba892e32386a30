"""Secrets: encrypted in the database, decrypted only when used, never shown."""

import re
from contextlib import contextmanager
from typing import Any

import asyncssh
import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.writer import MigrationWriter
from hypothesis import given
from hypothesis import strategies as st

from accounts.fields import SecretField, SecretsForm
from imports.models import Feed, Webhook
from tests.builders import make_account

pytestmark = pytest.mark.django_db

SECRET = "s3cret & <b>"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n"


class FeedForm(SecretsForm):
    class Meta:
        model = Feed
        fields = ["name", "host", "protocol", "password", "private_key"]


@pytest.fixture
def feed():
    return Feed.objects.create(
        account=make_account(), name="erp", protocol="ftp", host="example.com", password=SECRET, private_key=KEY
    )


def column(feed, name="password"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM imports_feed WHERE id = %s", [feed.pk])
        return cursor.fetchone()[0]


@contextmanager
def other_keys(settings, *keys):
    before = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = list(keys)
    yield before
    settings.ENCRYPTION_KEYS = before


def submit(feed, **data):
    values = {"name": feed.name, "host": feed.host, "protocol": feed.protocol}
    return FeedForm({**values, **{f"{name}_0": value for name, value in data.items()}}, instance=feed)


# -- in the database


def test_the_database_holds_ciphertext_alone(feed):
    assert SECRET not in column(feed)
    assert column(feed).startswith("gAAAA")
    assert Feed.objects.get().password == SECRET
    assert Feed.objects.get().private_key == KEY


def test_the_same_secret_is_encrypted_differently_every_time(feed):
    before = column(feed)
    feed.save()
    assert column(feed) != before


def test_no_secret_is_nothing(feed):
    assert feed.options == ""
    assert column(feed, "options") == ""
    assert Feed.objects.get().options == ""


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=200))
def test_any_text_comes_back(text):
    field: Any = Feed._meta.get_field("password")
    stored = field.get_prep_value(text)
    assert bool(stored) == bool(text)
    assert Feed(password=field.from_db_value(stored)).password == text


def test_what_nobody_asked_for_is_written_back_as_it_is(feed):
    before = column(feed)
    loaded = Feed.objects.get()
    loaded.host = "elsewhere.example.com"
    loaded.save()
    assert column(feed) == before


def test_nothing_is_found_by_a_secret(feed):
    for lookup in ("password", "password__contains", "password__in"):
        with pytest.raises(FieldError, match="encrypted"):
            Feed.objects.filter(**{lookup: SECRET}).exists()
    assert Feed.objects.filter(password__isnull=False).exists()


def test_values_are_no_texts_that_could_be_taken_for_the_secret(feed):
    value: Any = Feed.objects.values_list("password", flat=True)[0]
    assert not isinstance(value, str)
    assert repr(value) == str(value) == "<encrypted>"


def test_a_migration_holds_no_key(settings):
    text, _ = MigrationWriter.serialize(SecretField(blank=True))
    assert not any(key in text for key in settings.ENCRYPTION_KEYS)


def test_the_text_of_a_model_and_of_its_settings_tells_no_secret(feed):
    loaded = Feed.objects.get()
    texts = [repr(loaded), str(loaded), repr(loaded.__dict__), repr(loaded.server)]
    for secret in (SECRET, "b3BlbnNzaC1rZXk", "gAAAA"):
        assert not any(secret in text for text in texts)


def test_a_dump_is_refused_instead_of_losing_the_secrets(feed, capsys):
    with pytest.raises(CommandError, match="use pg_dump"):
        call_command("dumpdata", "imports.feed")
    assert SECRET not in capsys.readouterr().out
    Feed.objects.update(password="", private_key="")
    call_command("dumpdata", "imports.feed")
    assert '"name": "erp"' in capsys.readouterr().out


def test_a_secret_that_is_fetched_later_is_decrypted_too(feed):
    assert Feed.objects.only("name").get().password == SECRET
    assert Feed.objects.defer("password").get().server.password == SECRET


def test_updates_in_bulk_encrypt_too(feed):
    Feed.objects.update(password="in bulk")
    assert column(feed).startswith("gAAAA")
    loaded = Feed.objects.get()
    assert loaded.password == "in bulk"
    loaded.password = "again"
    Feed.objects.bulk_update([loaded], ["password"])
    assert column(feed).startswith("gAAAA")
    assert Feed.objects.get().password == "again"


# -- keys


def test_a_wrong_key_fails_closed_and_says_what_to_do(feed, settings):
    with other_keys(settings, Fernet.generate_key().decode()):
        loaded = Feed.objects.get()
        assert loaded.host == "example.com"
        with pytest.raises(ImproperlyConfigured, match="Put the key back") as failure:
            _ = loaded.password
        assert "gAAAA" not in str(failure.value)
        with pytest.raises(ImproperlyConfigured):
            _ = loaded.server
        loaded.host = "elsewhere.example.com"
        loaded.save()
    assert Feed.objects.get().password == SECRET


def test_a_key_that_is_none_is_told(feed, settings):
    with other_keys(settings, "not a key"), pytest.raises(ImproperlyConfigured, match="Fernet keys"):
        feed.save()


@pytest.mark.parametrize("keys", [[], ["c2hvcnQ="], ["schlüssel"], ["A" * 43 + "=", "not a key"]])
def test_keys_that_are_none_are_told_without_repeating_them(feed, settings, keys):
    with other_keys(settings, *keys), pytest.raises(ImproperlyConfigured, match="Fernet keys") as failure:
        _ = Feed.objects.get().password
    assert not any(key in str(failure.value) for key in keys)


def test_the_first_key_encrypts_and_all_decrypt(feed, settings):
    new = Fernet.generate_key().decode()
    with other_keys(settings, new, *settings.ENCRYPTION_KEYS):
        assert Feed.objects.get().password == SECRET
        feed.save()
    with other_keys(settings, new):
        assert Feed.objects.get().password == SECRET


def test_rotation_lets_the_old_key_go(feed, settings, capsys):
    Webhook.objects.create(account=feed.account, url="https://example.com", secret="whsec_x")
    new = Fernet.generate_key().decode()
    with other_keys(settings, new, *settings.ENCRYPTION_KEYS):
        call_command("rotate_secrets")
    assert "3 secrets" in capsys.readouterr().out
    with other_keys(settings, new):
        assert Feed.objects.get().password == SECRET
        assert Feed.objects.get().private_key == KEY
        assert Webhook.objects.get().secret == "whsec_x"


def test_a_rotation_that_cannot_read_a_secret_changes_nothing(feed, settings):
    new = Fernet.generate_key().decode()
    with other_keys(settings, new):
        unreadable = Feed.objects.create(account=feed.account, name="other", host="example.com", password="x")
    before = column(feed)
    later = Fernet.generate_key().decode()
    with (
        other_keys(settings, later, *settings.ENCRYPTION_KEYS),
        pytest.raises(CommandError, match=r"Feed \d+ \(other\): No key .* password.* Nothing was changed") as failure,
    ):
        call_command("rotate_secrets")
    assert failure.value.returncode == 2
    assert f"Feed {unreadable.pk} " in str(failure.value)
    assert column(feed) == before
    assert column(unreadable).startswith("gAAAA")


# -- forms


def test_a_form_keeps_replaces_and_removes(feed):
    submit(feed).save()
    assert Feed.objects.get().password == SECRET
    submit(Feed.objects.get(), password="new").save()
    assert Feed.objects.get().password == "new"
    assert Feed.objects.get().private_key == KEY
    submit(Feed.objects.get(), password="-").save()
    assert Feed.objects.get().password == ""


def test_spaces_of_a_secret_are_its_own(feed):
    submit(feed, password="  two  ").save()
    assert Feed.objects.get().password == "  two  "


def test_a_key_from_a_browser_has_the_line_ends_of_a_key(feed):
    form = submit(feed, private_key=KEY.replace("\n", "\r\n"))
    assert form.is_valid()
    form.save()
    assert Feed.objects.get().private_key == KEY


def test_a_key_with_the_line_ends_of_a_browser_logs_in(feed):
    pem = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_private_key("pkcs8-pem").decode()
    submit(feed, private_key=pem.replace("\n", "\r\n")).save()
    stored = Feed.objects.get().private_key
    assert stored == pem
    assert stored.endswith("-----END PRIVATE KEY-----\n")
    assert asyncssh.import_private_key(stored).get_algorithm() == "ecdsa-sha2-nistp256"


def test_a_secret_with_nul_is_refused(feed):
    form = submit(feed, password="a\0b")
    assert not form.is_valid()
    assert list(form.errors) == ["password"]
    assert "a\0b" not in form.as_p()


def test_a_form_shows_that_there_is_a_secret_and_never_which(feed):
    html = FeedForm(instance=Feed.objects.get()).as_p()
    assert "set; type a new one" in html
    assert "not set" in FeedForm(instance=Feed()).as_p()
    for secret in ("s3cret", "b3BlbnNzaC1rZXk", "gAAAA", "encrypted&gt;"):
        assert secret not in html


def test_a_form_that_comes_back_does_not_repeat_what_was_typed(feed):
    form = FeedForm({"name": "", "password_0": "typed-secret", "private_key_0": "typed-key"}, instance=feed)
    assert not form.is_valid()
    html = form.as_p()
    assert html.count("type it again: nothing was saved") == 2
    assert "typed-secret" not in html
    assert "typed-key" not in html
    assert "set; type a new one" in FeedForm({"name": ""}, instance=feed).as_p()
    assert not re.search(r's3cret|value="set', html)


def test_a_password_is_typed_unseen(feed):
    assert 'type="password"' in str(FeedForm(instance=feed)["password"])


def test_a_form_saves_beside_a_secret_that_no_key_decrypts_and_replaces_it(feed, settings):
    with other_keys(settings, Fernet.generate_key().decode()):
        loaded = Feed.objects.get()
        form = FeedForm({"name": "renamed", "host": "h", "protocol": "ftp"}, instance=loaded)
        assert "set; type" in FeedForm(instance=loaded).as_p()
        assert form.is_valid(), form.errors
        form.save()
        submit(Feed.objects.get(), password="new").save()
        assert Feed.objects.get().password == "new"
    assert Feed.objects.get().name == "renamed"
    assert Feed.objects.get().private_key == KEY
