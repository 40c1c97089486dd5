"""ImageMais tokens: what is in them, what is kept of them, and who is let in."""

import base64
import json
from datetime import datetime, timedelta

import jwt
import pytest
from django.core.exceptions import PermissionDenied

from clinic.access import access_tokens, secret_keys
from clinic.access.access_tokens import ExpiredToken, InvalidToken
from clinic.models import AccessToken, CredentialEvent, StaffUser
from tests.access.test_api_keys import stored
from tests.factories import make_clinic, make_manager, make_master, make_superuser, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def master():
    return make_master()


def release(user, clinic=None):
    return access_tokens.release(clinic or user.clinic, user, channel="command")


def claims_of(text):
    return jwt.decode(text, options={"verify_signature": False})


def signed(claims, key=None, algorithm="HS256"):
    return jwt.encode(claims, secret_keys.access_token_keys()[0] if key is None else key, algorithm)


def refused(text):
    with pytest.raises(InvalidToken) as error:
        access_tokens.authenticate(text)
    return error.type


def test_a_token_says_what_the_vendors_says_and_can_be_revoked(master, settings, time_machine):
    time_machine.move_to("2026-11-23T12:00:00.700Z", tick=False)
    settings.PUBLIC_URL = "https://agenda.example"
    row, text = release(master)

    at = int(datetime.fromisoformat("2026-11-23T12:00:00+00:00").timestamp())
    assert jwt.get_unverified_header(text) == {"alg": "HS256", "typ": "JWT"}
    assert claims_of(text) == {
        "sub": master.pk,
        "accountId": master.clinic_id,
        "iat": at,
        "exp": at + 3600,
        "aud": "https://agenda.example",
        "iss": "https://agenda.example",
        "jti": str(row.jti),
    }
    token, _ = access_tokens.authenticate(text)
    assert (token, token.user, token.clinic) == (row, master, master.clinic)
    event = CredentialEvent.objects.of(master.clinic).get()
    assert (event.kind, event.user, event.access_token) == ("token_released", master, row)


def test_nothing_that_is_stored_is_the_token_or_its_signature(master):
    _, text = release(master)
    everything = "".join(stored(table) for table in ("clinic_accesstoken", "clinic_credentialevent"))
    assert not any(part in everything for part in [text, *text.split(".")])


def test_letting_in_takes_one_query(master, django_assert_num_queries):
    _, text = release(master)
    with django_assert_num_queries(1):
        token, _ = access_tokens.authenticate(text)
        assert token.user.name and token.clinic.name


def test_it_ends_with_its_hour_to_the_second(master, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    _, text = release(master)
    time_machine.move_to("2026-11-23T12:59:59Z", tick=False)
    access_tokens.authenticate(text)
    time_machine.move_to("2026-11-23T13:00:00Z", tick=False)
    assert refused(text) is ExpiredToken


@pytest.mark.parametrize("ahead", [0.2, 1, 5, 9, 10])
def test_a_token_of_a_host_whose_clock_is_ahead_lets_in(master, time_machine, ahead):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    _, text = release(master)
    time_machine.move_to(datetime.fromisoformat("2026-11-23T12:00:00Z") - timedelta(seconds=ahead), tick=False)
    assert access_tokens.authenticate(text)[0].user == master


@pytest.mark.parametrize("ahead", [11, 60, 3600, 10**9, 10**15])
def test_a_token_from_further_ahead_is_refused(master, ahead):
    _, text = release(master)
    claims = claims_of(text)
    assert refused(signed(claims | {"iat": claims["iat"] + ahead})) is InvalidToken


@pytest.mark.parametrize("late", [0, 0.2, 1, 5, 9.9, 10, 11])
def test_an_ended_token_has_no_leeway(master, time_machine, late):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    _, text = release(master)
    time_machine.move_to(datetime.fromisoformat("2026-11-23T13:00:00Z") + timedelta(seconds=late), tick=False)
    assert refused(text) is ExpiredToken


def test_revoked_token_is_refused_and_second_revoke_does_nothing(master):
    row, text = release(master)
    first = access_tokens.revoke(row.pk, clinic=master.clinic, by=master, channel="browser").revoked_at
    assert refused(text) is InvalidToken
    assert access_tokens.revoke(row.pk, clinic=master.clinic, by=master, channel="browser").revoked_at == first
    assert CredentialEvent.objects.filter(kind="token_revoked").count() == 1
    with pytest.raises(AccessToken.DoesNotExist):
        access_tokens.revoke(row.pk, clinic=make_clinic(), by=None, channel="browser")


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"role": StaffUser.Role.MANAGER},
        {"role": StaffUser.Role.RECEPTIONIST},
    ],
    ids=str,
)
def test_former_master_has_no_valid_token(master, change):
    _, text = release(master)
    StaffUser.objects.filter(pk=master.pk).update(**change)
    assert refused(text) is InvalidToken


def test_token_of_inactive_clinic_or_of_moved_user_is_refused(master):
    clinic = master.clinic
    _, text = release(master)
    clinic.active = False
    clinic.save()
    assert refused(text) is InvalidToken
    clinic.active = True
    clinic.save()
    access_tokens.authenticate(text)
    StaffUser.objects.filter(pk=master.pk).update(clinic=make_clinic())
    assert refused(text) is InvalidToken


def test_a_superusers_token_is_of_the_clinic_it_was_released_for():
    clinic, root = make_clinic(), make_superuser()
    _, text = release(root, clinic)
    assert access_tokens.authenticate(text)[0].clinic == clinic


def without(name):
    return lambda claims: {key: value for key, value in claims.items() if key != name}


FORGED = {
    **{f"without {name}": without(name) for name in access_tokens.CLAIMS},
    "another audience": lambda claims: claims | {"aud": "https://elsewhere.example"},
    "another issuer": lambda claims: claims | {"iss": "https://elsewhere.example"},
    "another clinic": lambda claims: claims | {"accountId": claims["accountId"] + 1},
    "another user": lambda claims: claims | {"sub": claims["sub"] + 1},
    "a user in words": lambda claims: claims | {"sub": str(claims["sub"])},
    "true for a user": lambda claims: claims | {"sub": True},
    "a list for a user": lambda claims: claims | {"sub": [claims["sub"]]},
    "no user": lambda claims: claims | {"sub": None},
    "a user beyond bigint": lambda claims: claims | {"sub": 10**30},
    "a fraction of a clinic": lambda claims: claims | {"accountId": claims["accountId"] + 0.0},
    "an unknown jti": lambda claims: claims | {"jti": "3c90c3cc-0d44-4b50-8888-8dd25736052a"},
    "a jti that is none": lambda claims: claims | {"jti": "x"},
    "a number for a jti": lambda claims: claims | {"jti": 1},
    "not yet": lambda claims: claims | {"iat": claims["iat"] + 600},
    "an end in words": lambda claims: claims | {"exp": "amanhã"},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_claims_that_are_not_those_that_were_released_are_refused(master, forge):
    """Even under our own signature: nobody but us can write it, and it must still be what the database knows."""
    _, text = release(master)
    access_tokens.authenticate(signed(claims_of(text)))
    assert refused(signed(forge(claims_of(text)))) is InvalidToken


def unsigned(text):
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{header}.{text.split('.')[1]}."


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: "",
        lambda text: "x",
        lambda text: "a.b.c",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.upper(),
        unsigned,
        lambda text: unsigned(text) + text.split(".")[2],
        lambda text: signed(claims_of(text), "a key that we do not have, of enough bytes"),
        lambda text: signed(claims_of(text), b"x" * 64, "HS512"),
        lambda text: signed(claims_of(text), secret_keys.access_token_keys()[0] * 2, "HS384"),
    ],
)
def test_whatever_we_did_not_sign_with_our_algorithm_is_refused(master, forge):
    _, text = release(master)
    assert refused(forge(text)) is InvalidToken


def test_forged_expired_token_is_invalid_not_expired(master, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    _, text = release(master)
    forged = signed(claims_of(text), "a key that we do not have, of enough bytes")
    time_machine.move_to("2026-11-23T14:00:00Z", tick=False)
    assert refused(forged) is InvalidToken
    assert refused(text) is ExpiredToken


# Changing keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [False, True], ids=["derived from SECRET_KEY", "set beside it"])
def test_tokens_released_before_a_change_of_secrets_go_on(master, settings, beside):
    def change(new, old):
        if beside:
            settings.ACCESS_TOKEN_KEYS = [new, *old]
        else:
            settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, old

    change("first", [])
    row, text = release(master)
    change("second", ["first"])
    assert access_tokens.authenticate(text)[0] == row
    _, after = release(master)
    change("second", [])
    assert refused(text) is InvalidToken
    access_tokens.authenticate(after)


def test_each_purpose_has_a_key_of_its_own_and_none_is_the_secret(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "s" * 50, ["t" * 50]
    keys = [*secret_keys.access_token_keys(), *secret_keys.credential_keys()]
    assert len(keys) == len(set(keys)) == 4
    assert not {b"s" * 50, b"t" * 50} & set(keys)
    assert all(len(key) == 32 for key in keys)


@pytest.mark.parametrize("make", [make_user, make_manager], ids=["receptionist", "manager"])
def test_only_a_master_of_the_clinic_releases_a_token(make):
    with pytest.raises(PermissionDenied):
        release(make(make_clinic()))
    with pytest.raises(PermissionDenied):
        release(make_master(make_clinic()), make_clinic())
    assert not AccessToken.objects.exists()
