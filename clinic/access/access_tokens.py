"""ImageMais access tokens: JWTs of one hour (imagemais.md, "Who is calling")."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from clinic.access import rate_limit, secret_keys
from clinic.models import AccessToken, Clinic, CredentialEvent, StaffUser
from clinic.models.locks import get_locked
from clinic.models.raw_sql import load

LIFE = timedelta(hours=1)
CLOCKS_APART = timedelta(seconds=10)  # by how much the host that released a token may be ahead of the one it asks
ALGORITHM = "HS256"
WHO = "'access token ' || clinic_accesstoken.id"
RELEASED = f"""
    clinic_accesstoken JOIN clinic_clinic ON clinic_clinic.id = clinic_accesstoken.clinic_id
    JOIN clinic_staffuser ON clinic_staffuser.id = clinic_accesstoken.user_id
    {rate_limit.COUNTED.format(who=WHO)}
    WHERE clinic_accesstoken.clinic_id = %s AND jti = %s AND user_id = %s AND revoked_at IS NULL
"""
CLAIMS = ["sub", "accountId", "iat", "exp", "aud", "iss", "jti"]


class InvalidToken(Exception):
    """Missing, malformed, forged, for another audience, revoked, or of somebody who may no longer."""


class ExpiredToken(InvalidToken):
    """Well made, but its hour is over."""


def release(clinic: Clinic, user: StaffUser, *, door: str) -> tuple[AccessToken, str]:
    """(the row, the token itself, which is shown once and stored nowhere). `user`, a master, answers for it."""
    issued = datetime.fromtimestamp(int(timezone.now().timestamp()), tz=timezone.get_default_timezone())
    with transaction.atomic():
        token = AccessToken.objects.create(
            clinic=clinic, user=user, jti=uuid4(), released_at=issued, expires_at=issued + LIFE
        )
        CredentialEvent.objects.create(
            clinic=clinic, kind=CredentialEvent.Kind.TOKEN_RELEASED, door=door, user=user, access_token=token
        )
    claims = {
        "sub": user.pk,
        "accountId": clinic.pk,
        "iat": int(issued.timestamp()),
        "exp": int(token.expires_at.timestamp()),
        "aud": settings.PUBLIC_URL,
        "iss": settings.PUBLIC_URL,
        "jti": str(token.jti),
    }
    return token, jwt.encode(claims, secret_keys.access_token_keys()[0], ALGORITHM)


def revoke(pk: int, *, clinic: Clinic, by: StaffUser | None, door: str) -> AccessToken:
    """Works with the next request; once more does nothing. Locks the row. Raises AccessToken.DoesNotExist."""
    with transaction.atomic():
        token = get_locked(AccessToken.objects.of(clinic).filter(pk=pk))
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            CredentialEvent.objects.create(
                clinic=clinic, kind=CredentialEvent.Kind.TOKEN_REVOKED, door=door, user=by, access_token=token
            )
    return token


def authenticate(text: str) -> AccessToken:
    """The released token with its clinic, its user and, for this request of it, the `admission`. One query.

    Raises InvalidToken or ExpiredToken.
    """
    claims = _claims(text)
    jti = _uuid(claims["jti"])
    if not all(type(claims[name]) is int for name in ("sub", "accountId")):
        raise InvalidToken
    limits = rate_limit.limits()
    parameters = [*limits, claims["accountId"], jti, claims["sub"]]
    found = load((AccessToken, Clinic, StaffUser), RELEASED, parameters, also=rate_limit.COLUMNS)
    if found is None:
        raise InvalidToken
    token, token.clinic, token.user, *counted = found
    token.admission = rate_limit.admission(counted, limits[0])
    if not (token.clinic.active and may_release(token.user, token.clinic)):
        raise InvalidToken
    return token


def may_release(user: StaffUser, clinic: Clinic) -> bool:
    """Whoever may not any more has no tokens that let in, either."""
    return user.is_active and user.is_master and (user.is_superuser or user.clinic_id == clinic.pk)


def _claims(text):
    """Raises InvalidToken or ExpiredToken."""
    claims = _signed_claims(text)
    if int(claims["exp"]) <= timezone.now().timestamp():  # PyJWT gives the end the leeway of the beginning
        raise ExpiredToken
    return claims


def _signed_claims(text):
    for key in secret_keys.access_token_keys():
        try:
            return jwt.decode(
                text,
                key,
                leeway=CLOCKS_APART,
                algorithms=[ALGORITHM],
                audience=settings.PUBLIC_URL,
                issuer=settings.PUBLIC_URL,
                options={"require": CLAIMS, "verify_sub": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise ExpiredToken from error
        except jwt.InvalidSignatureError:
            continue  # signed, perhaps, before the key changed
        except jwt.InvalidTokenError as error:
            raise InvalidToken from error
    raise InvalidToken


def _uuid(text):
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidToken from error
