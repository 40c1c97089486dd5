"""Idempotency-Key, below HTTP: one request is done once, another under the same key is refused."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clinic.access import idempotency
from clinic.access.idempotency import InProgress, KeyReused, MalformedKey
from clinic.models import StoredAnswer
from tests.access.test_api_keys import stored
from tests.factories import make_clinic

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked():
    body = b'{"patientPhone": "+351912345678"}'
    return idempotency.Request(make_clinic(), "mivicall", "pms-create-1", "POST", "/v1/appointments", body)


def test_the_first_claims_and_everybody_else_reads_the_answer(asked):
    claimed = idempotency.claim(asked)
    assert isinstance(claimed, int)
    idempotency.keep(claimed, 201, '{"id": 1}')
    for _ in range(2):
        answer = idempotency.claim(asked)
        assert (answer.status, answer.body) == (201, '{"id": 1}')


def test_claiming_a_new_key_takes_one_statement(asked, django_assert_num_queries):
    with django_assert_num_queries(1):
        idempotency.claim(asked)


def test_an_answer_that_is_kept_takes_two_statements(asked, django_assert_num_queries):
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    with django_assert_num_queries(2):
        idempotency.claim(asked)


@pytest.mark.parametrize(
    "other", [{"method": "PATCH"}, {"path": "/v1/appointments?x=1"}, {"body": b"{}"}, {"body": b""}], ids=str
)
def test_another_request_under_the_same_key_is_refused(asked, other):
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    with pytest.raises(KeyReused):
        idempotency.claim(replace(asked, **other))


def test_a_key_is_of_one_clinic_and_one_api(asked):
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    for other in ({"clinic": make_clinic()}, {"credential": "imagemais"}, {"key": "pms-create-2"}):
        assert isinstance(idempotency.claim(replace(asked, **other)), int)


def test_rolled_back_claim_leaves_the_key_free(asked):
    with transaction.atomic():
        idempotency.claim(asked)
        transaction.set_rollback(True)
    assert isinstance(idempotency.claim(asked), int)


def test_nothing_of_the_request_is_stored_but_its_key(asked):
    idempotency.keep(idempotency.claim(asked), 201, '{"patientPhoneHash": "ab12"}')
    everything = stored("clinic_storedanswer")
    assert "912345678" not in everything and "patientPhone\\" not in everything
    assert StoredAnswer.objects.get().fingerprint == asked.fingerprints()[0]


@pytest.mark.parametrize("beside", [False, True], ids=["derived from SECRET_KEY", "set beside it"])
def test_an_answer_from_before_a_change_of_secrets_is_found_again(asked, settings, beside):
    def change(new, old):
        if beside:
            settings.CREDENTIAL_KEYS = [new, *old]
        else:
            settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, old

    change("first", [])
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    change("second", ["first"])
    assert idempotency.claim(asked).status == 201
    with pytest.raises(KeyReused):
        idempotency.claim(replace(asked, body=b"[]"))


@pytest.mark.parametrize("key", ["a", "pms-create-1", "x" * 255, "olá mundo", "~"])
def test_printable_keys_are_taken_as_they_are(key):
    assert idempotency.checked_key(key) == key


@pytest.mark.parametrize("key", ["", "x" * 256, "a\n", "a\tb", "\0", "a\x7f"])
def test_a_key_that_cannot_be_printed_is_malformed(key):
    with pytest.raises(MalformedKey):
        idempotency.checked_key(key)


@hypothesis_settings(max_examples=50)
@given(first=st.binary(max_size=64), second=st.binary(max_size=64))
def test_two_bodies_have_one_fingerprint_only_when_they_are_one(first, second):
    asked = idempotency.Request(None, "mivicall", "k", "POST", "/v1", first)
    assert (asked.fingerprints() == replace(asked, body=second).fingerprints()) == (first == second)


# Twins ----------------------------------------------------------------------------------------------------------------


@contextmanager
def in_another_connection(work):
    """Runs in a transaction of its own that stays open while the body runs."""
    begun, end, results = threading.Event(), threading.Event(), []

    def run():
        try:
            with transaction.atomic():
                results.append(work())
                begun.set()
                end.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(10)
    try:
        yield end
    finally:
        end.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_twin_waits_for_the_first_and_gets_its_answer(asked):
    def first():
        idempotency.keep(idempotency.claim(asked), 201, '{"id": 7}')

    with in_another_connection(first) as end:
        threading.Timer(0.5, end.set).start()
        with transaction.atomic():
            answer = idempotency.claim(asked)
    assert (answer.status, answer.body) == (201, '{"id": 7}')


@pytest.mark.django_db(transaction=True)
def test_a_twin_gives_up_after_the_lock_timeout(asked):
    with in_another_connection(lambda: idempotency.claim(asked)), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
        with pytest.raises(InProgress):
            idempotency.claim(asked)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_kept_is_not_waited_for(asked):
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    with in_another_connection(lambda: idempotency.claim(asked)) as end, transaction.atomic():
        assert idempotency.claim(asked).status == 201
        assert not end.is_set()


def test_answer_deleted_during_lookup_leaves_key_free_to_claim(asked, monkeypatch):
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    look = StoredAnswer.objects.of

    def forgotten_first(clinic):
        look(clinic).delete()
        return look(clinic)

    monkeypatch.setattr(type(StoredAnswer.objects), "of", lambda _, clinic: forgotten_first(clinic))
    assert isinstance(idempotency.claim(asked), int)
