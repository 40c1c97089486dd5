"""MiviCall keys: what is generated, what is kept of it, and who is let in."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clinic.access import api_keys
from clinic.access.api_keys import ExpiredKey, InvalidKey
from clinic.access.secret_keys import credential_digests
from clinic.models import ApiKey, CredentialEvent
from tests.factories import make_clinic, make_master

pytestmark = pytest.mark.django_db

LETTERS = string.digits + string.ascii_letters
GIVEN_TO = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "by": None, "channel": "command"}


@pytest.fixture
def clinic():
    return make_clinic()


def make_key(clinic, **fields):
    return api_keys.create(clinic, **{"is_live": True} | GIVEN_TO | fields)


def stored(table):
    """Every value of every row, as text."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row_to_json(each)::text FROM {table} each")  # noqa: S608 - a table of ours
        return "\n".join(row for (row,) in cursor.fetchall())


def kinds(clinic):
    return list(CredentialEvent.objects.of(clinic).order_by("pk").values_list("kind", "user", "channel", "api_key"))


@pytest.mark.parametrize(("is_live", "prefix"), [(True, "miv_live_"), (False, "miv_test_")])
def test_a_key_lets_its_clinic_in_and_says_whether_it_is_for_tests(clinic, is_live, prefix):
    master = make_master(clinic)
    row, secret = make_key(clinic, is_live=is_live, by=master, channel="browser")

    assert secret.startswith(prefix) and len(secret) == len(prefix) + 36
    assert row.prefix == secret[: len(row.prefix)] and len(row.prefix) == len(prefix) + 6
    assert row.expires_at - row.created_at == timedelta(days=365)
    key, _ = api_keys.authenticate(secret)
    assert (key, key.clinic, key.is_live, key.created_by) == (row, clinic, is_live, master)
    assert kinds(clinic) == [("key_created", master.pk, "browser", row.pk)]


def test_no_two_keys_are_alike_and_all_letters_occur(clinic):
    bodies = {make_key(clinic)[1][9:39] for _ in range(60)}
    assert len(bodies) == 60
    assert set("".join(bodies)) == set(LETTERS)


def test_nothing_that_is_stored_is_the_key_or_holds_it(clinic):
    row, secret = make_key(clinic)
    _, after = api_keys.rotate(row.pk, clinic=clinic, by=None, channel="command")
    everything = "".join(stored(table) for table in ("clinic_apikey", "clinic_credentialevent"))
    for text in (secret, after):
        assert text not in everything
        # No more of the body than the prefix shows.
        assert text[: len(row.prefix)] in everything and text[: len(row.prefix) + 1] not in everything
        assert text[len(row.prefix) :] not in everything


@pytest.fixture
def secret():
    """One for all the examples of a test: they must mean the same when they are drawn again."""
    return api_keys._generate("miv_live_")


@hypothesis_settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_mistyped_letter_is_detected_without_a_query(secret, django_assert_num_queries, data):
    at = data.draw(st.integers(0, len(secret) - 1))
    letter = data.draw(st.sampled_from(LETTERS + "_-ç é").filter(lambda letter: letter != secret[at]))
    with django_assert_num_queries(0), pytest.raises(InvalidKey):
        api_keys.authenticate(secret[:at] + letter + secret[at + 1 :])


@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), st.from_regex(r"miv_(live|test)_[0-9A-Za-z]{36}", fullmatch=True)))
def test_no_other_text_asks_the_database_anything(django_assert_num_queries, text):
    with django_assert_num_queries(0), pytest.raises(InvalidKey):
        api_keys.authenticate(text)


@pytest.mark.parametrize("changed", [str.swapcase, lambda key: key + "\n", lambda key: f" {key}", lambda key: key[:-1]])
def test_nothing_like_a_key_is_the_key(clinic, changed):
    _, secret = make_key(clinic)
    with pytest.raises(InvalidKey):
        api_keys.authenticate(changed(secret))


def test_a_well_formed_key_that_nobody_made_is_unknown():
    with pytest.raises(InvalidKey):
        api_keys.authenticate(api_keys._generate("miv_live_"))


def test_a_key_made_live_by_hand_is_another_key(clinic):
    _, secret = make_key(clinic, is_live=False)
    with pytest.raises(InvalidKey):
        api_keys.authenticate(secret.replace("test", "live"))


def test_revoked_key_is_refused_and_second_revoke_does_nothing(clinic):
    row, secret = make_key(clinic)
    first = api_keys.revoke(row.pk, clinic=clinic, by=None, channel="command").revoked_at
    with pytest.raises(InvalidKey) as refused:
        api_keys.authenticate(secret)
    assert not isinstance(refused.value, ExpiredKey)
    assert api_keys.revoke(row.pk, clinic=clinic, by=None, channel="command").revoked_at == first
    assert [kind for kind, *_ in kinds(clinic)] == ["key_created", "key_revoked"]


def test_a_key_ends_after_its_year(clinic, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    _, secret = make_key(clinic)
    time_machine.move_to("2027-11-23T11:59:59Z", tick=False)
    api_keys.authenticate(secret)
    time_machine.move_to("2027-11-23T12:00:00Z", tick=False)
    with pytest.raises(ExpiredKey):
        api_keys.authenticate(secret)


def test_after_a_rotation_both_keys_work_for_a_day(clinic, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    old, before = make_key(clinic, source="self_service", is_live=False)
    new, after = api_keys.rotate(old.pk, clinic=clinic, by=None, channel="command")

    for name in ("name", "scopes", "source", "is_live"):
        assert getattr(new, name) == getattr(old, name)
    assert api_keys.authenticate(before)[0] == old and api_keys.authenticate(after)[0] == new
    time_machine.move_to("2026-11-24T12:00:00Z", tick=False)
    with pytest.raises(ExpiredKey):
        api_keys.authenticate(before)
    assert api_keys.authenticate(after)[0] == new
    assert [kind for kind, *_ in kinds(clinic)] == ["key_created", "key_rotated", "key_created"]


def test_a_rotation_does_not_prolong_a_key_that_ends_sooner(clinic, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    old, _ = make_key(clinic)
    time_machine.move_to("2027-11-23T11:00:00Z", tick=False)
    api_keys.rotate(old.pk, clinic=clinic, by=None, channel="command")
    assert ApiKey.objects.get(pk=old.pk).expires_at == old.expires_at


def test_ended_key_and_key_of_other_clinic_cannot_be_rotated(clinic, time_machine):
    row, _ = make_key(clinic)
    other = make_clinic()
    for act in (api_keys.rotate, api_keys.revoke):
        with pytest.raises(ApiKey.DoesNotExist):
            act(row.pk, clinic=other, by=None, channel="command")
    ended, _ = make_key(clinic)
    api_keys.revoke(ended.pk, clinic=clinic, by=None, channel="command")
    time_machine.move_to(row.expires_at)
    for pk in (row.pk, ended.pk):
        with pytest.raises(ApiKey.DoesNotExist):
            api_keys.rotate(pk, clinic=clinic, by=None, channel="command")
    assert ApiKey.objects.count() == 2


def test_the_last_use_is_noted_once_a_minute(clinic, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    row, secret = make_key(clinic)
    for second, noted in ((0, 0), (59, 0), (60, 60), (61, 60)):
        now = datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(seconds=second)
        time_machine.move_to(now, tick=False)
        with CaptureQueriesContext(connection) as asked:
            api_keys.authenticate(secret)
        row.refresh_from_db()
        assert row.last_used_at.timestamp() == now.timestamp() - second + noted
        assert len(asked) == (2 if second == noted else 1)


# Changing keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [False, True], ids=["derived from SECRET_KEY", "set beside it"])
def test_key_of_older_secret_works_and_use_renews_its_digest(clinic, settings, beside):
    def change(new, old):
        if beside:
            settings.CREDENTIAL_KEYS = [new, *old]
        else:
            settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, old

    change("first", [])
    row, secret = make_key(clinic)
    _, unused = make_key(clinic)
    api_keys.authenticate(secret)  # a moment ago: noting this use can wait, renewing the digest cannot
    change("second", ["first"])
    assert api_keys.authenticate(secret)[0] == row
    assert ApiKey.objects.get(pk=row.pk).digest != row.digest

    # Used since the change, it no longer needs the secret from before; one that was not used does.
    change("second", [])
    assert api_keys.authenticate(secret)[0] == row
    with pytest.raises(InvalidKey):
        api_keys.authenticate(unused)


def test_setting_a_key_beside_the_secret_lets_the_secret_change_alone(clinic, settings):
    settings.CREDENTIAL_KEYS = ["of credentials"]
    row, secret = make_key(clinic)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    assert api_keys.authenticate(secret)[0] == row


def test_secret_at_end_of_new_key_list_keeps_existing_keys_valid(clinic, settings):
    row, secret = make_key(clinic)
    settings.CREDENTIAL_KEYS = ["of credentials", settings.SECRET_KEY]
    assert api_keys.authenticate(secret)[0] == row


def test_the_stored_digest_is_no_plain_hash_of_the_key(clinic, settings):
    row, secret = make_key(clinic)
    settings.CREDENTIAL_KEYS = ["another"]
    assert row.digest not in credential_digests(secret.encode())
