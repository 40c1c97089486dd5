"""A database and the SECRET_KEY it was made with."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from clinic.access import api_keys, key_check
from clinic.models import KeyCheck, Patient
from clinic.models.patient import phone_hash
from tests.factories import make_clinic, make_patient

pytestmark = pytest.mark.django_db

OLD, NEW, THIRD = "old-" + "o" * 50, "new-" + "n" * 50, "third-" + "t" * 50


@pytest.fixture(autouse=True)
def made_with_the_old_key(settings):
    use(settings, OLD)
    key_check.adopt()


def use(settings, key, *fallbacks):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, settings.PHONE_HASH_KEY = key, list(fallbacks), key


def errors():
    return [error.id for error in run_checks(databases=["default"], tags=["database"]) if error.id == "clinic.E001"]


@pytest.mark.parametrize(
    ("key", "fallbacks", "belongs"),
    [
        (OLD, [], True),
        (NEW, [OLD], True),
        (NEW, [THIRD, OLD], True),
        (NEW, [], False),
        (NEW, [THIRD], False),
        (OLD + " ", [], False),
        (OLD[:-1], [], False),
    ],
)
def test_only_the_key_of_the_database_or_its_successor_is_taken(settings, key, fallbacks, belongs):
    use(settings, key, *fallbacks)

    assert errors() == ([] if belongs else ["clinic.E001"])
    if belongs:
        key_check.require_own_key()
    else:
        with pytest.raises(key_check.WrongSecretKey):
            key_check.require_own_key()


def test_a_successor_stays_when_the_old_key_is_taken_out(settings):
    use(settings, NEW, OLD)
    key_check.require_own_key()

    use(settings, NEW)
    key_check.require_own_key()
    use(settings, OLD)
    with pytest.raises(key_check.WrongSecretKey):
        key_check.require_own_key()


def test_a_database_without_a_record_takes_the_present_key(settings):
    KeyCheck.objects.all().delete()
    assert errors() == []
    key_check.require_own_key()

    use(settings, NEW)
    assert errors() == ["clinic.E001"]


def test_a_leaked_key_is_replaced_by_one_command(settings):
    clinic = make_clinic()
    patient = make_patient(clinic)
    before = patient.phone_hash
    use(settings, NEW)

    call_command("adopt_secret_key", verbosity=0)

    key_check.require_own_key()
    patient = Patient.objects.of(clinic).get()
    assert patient.phone_hash == phone_hash(patient.phone.as_e164, clinic.pk) != before


def test_a_refused_key_changes_nothing(settings):
    clinic = make_clinic()
    asked = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "is_live": True, "by": None}
    _, secret = api_keys.create(clinic, **asked, channel="command")
    use(settings, NEW)
    with pytest.raises(key_check.WrongSecretKey):
        key_check.require_own_key()

    use(settings, OLD)
    key_check.require_own_key()
    assert api_keys.authenticate(secret)[0].clinic == clinic


def test_the_record_gives_no_key_away(settings):
    digest = KeyCheck.objects.get().digest
    assert len(digest) == 64 and OLD not in digest
