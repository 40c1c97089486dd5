"""Issue, revoke and check ImageMais access tokens: JWTs (HS256), valid for one hour, released by a master.

The vendor documents `sub` (the user's id) and `accountId` (the clinic's id) as numbers, `aud` and `iss`. `jti` is ours,
so that a token can be listed and revoked before it expires. The vendor's two messages, "invalid token" and "jwt
expired", are separate exceptions: InvalidToken and ExpiredToken.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access import rate_limit, secret_keys
from clinic.models import AccessToken, Clinic, CredentialEvent, StaffUser
from clinic.models.locks import get_locked
from clinic.models.raw_sql import fetch_joined

LIFE = timedelta(hours=1)
CLOCK_SKEW = timedelta(seconds=10)  # how far the host that issued a token may be ahead; its expiry is exact
ALGORITHM = "HS256"
MAX_TOKENS = 1024  # of which a process remembers that it has verified them
LIMIT_SUBJECT_SQL = "'access token ' || clinic_accesstoken.id"
VALID_TOKEN_SQL = f"""
    clinic_accesstoken JOIN clinic_clinic ON clinic_clinic.id = clinic_accesstoken.clinic_id
    JOIN clinic_staffuser ON clinic_staffuser.id = clinic_accesstoken.user_id
    {rate_limit.JOIN_SQL.format(subject=LIMIT_SUBJECT_SQL)}
    WHERE clinic_accesstoken.clinic_id = %s AND jti = %s AND user_id = %s AND revoked_at IS NULL
"""
CLAIMS = ["sub", "accountId", "iat", "exp", "aud", "iss", "jti"]


class InvalidToken(Exception):
    """The token is missing, malformed, forged, revoked, for another audience, or its user has lost the right to it."""


class ExpiredToken(InvalidToken):
    """The token is well formed, but its hour is over."""


def release(clinic: Clinic, user: StaffUser, *, channel: str) -> tuple[AccessToken, str]:
    """Issue a token in the name of `user`. Raises PermissionDenied unless `may_release`.

    Return the row and the token itself, which is shown once and never stored.
    """
    if not may_release(user, clinic):
        raise PermissionDenied(_("Esta página é só do usuário master da clínica."))
    issued = datetime.fromtimestamp(int(timezone.now().timestamp()), tz=timezone.get_default_timezone())
    with transaction.atomic():
        token = AccessToken.objects.create(
            clinic=clinic, user=user, jti=uuid4(), released_at=issued, expires_at=issued + LIFE
        )
        CredentialEvent.objects.create(
            clinic=clinic, kind=CredentialEvent.Kind.TOKEN_RELEASED, channel=channel, user=user, access_token=token
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


def revoke(pk: int, *, clinic: Clinic, by: StaffUser | None, channel: str) -> AccessToken:
    """Revoke a token from the next request on; revoking it again changes nothing.

    Locks the row. Raises AccessToken.DoesNotExist.
    """
    with transaction.atomic():
        token = get_locked(AccessToken.objects.of(clinic).filter(pk=pk))
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            CredentialEvent.objects.create(
                clinic=clinic, kind=CredentialEvent.Kind.TOKEN_REVOKED, channel=channel, user=by, access_token=token
            )
    return token


def authenticate(text: str) -> tuple[AccessToken, rate_limit.RateLimitStatus]:
    """Return the valid token with its clinic and its user, and its rate limit after this request.

    One query. Raises InvalidToken or ExpiredToken.
    """
    claims = _claims(text)
    jti = _uuid(claims["jti"])
    if not all(type(claims[name]) is int for name in ("sub", "accountId")):
        raise InvalidToken
    limits = rate_limit.limits()
    parameters = [*limits, claims["accountId"], jti, claims["sub"]]
    models = (AccessToken, Clinic, StaffUser)
    row = fetch_joined(models, VALID_TOKEN_SQL, parameters, extra_columns=rate_limit.COLUMNS)
    if row is None:
        raise InvalidToken
    (token, clinic, user), counts = row
    token.clinic, token.user = clinic, user
    if not (clinic.active and may_release(user, clinic)):
        raise InvalidToken
    return token, rate_limit.status_of(counts, limits[0])


def may_release(user: StaffUser, clinic: Clinic) -> bool:
    """Return whether the user may release and use tokens of this clinic: the one place that decides.

    It is asked at the release and at each use: a user who loses this right loses the tokens too.
    """
    return user.is_active and user.is_master and (user.is_superuser or user.clinic_id == clinic.pk)


def _claims(text: str) -> Mapping[str, Any]:
    """Return the claims of a token that is signed by us and not expired. Raises InvalidToken or ExpiredToken."""
    claims = _signed_claims(text)
    if int(claims["exp"]) <= timezone.now().timestamp():  # PyJWT applies `leeway` to the expiry as well
        raise ExpiredToken
    return claims


def _signed_claims(text: str) -> Mapping[str, Any]:
    for key in secret_keys.access_token_keys():
        try:
            return _decode(text, key, settings.PUBLIC_URL)
        except jwt.ExpiredSignatureError as error:
            raise ExpiredToken from error
        except jwt.InvalidSignatureError:
            continue  # may be signed with an older key
        except jwt.InvalidTokenError as error:
            raise InvalidToken from error
    raise InvalidToken


@lru_cache(MAX_TOKENS)
def _decode(text: str, key: bytes, url: str) -> Mapping[str, Any]:
    """Return the claims of a token that this key signs, for this installation. Raises jwt.InvalidTokenError.

    A program sends one token for an hour; its signature is checked once in a process, its expiry by the caller, and
    PostgreSQL is asked each time whether it is revoked. What is refused is not kept."""
    claims = jwt.decode(
        text,
        key,
        leeway=CLOCK_SKEW,
        algorithms=[ALGORITHM],
        audience=url,
        issuer=url,
        options={"require": CLAIMS, "verify_sub": False},
    )
    return MappingProxyType(claims)  # one for all requests with this token


def _uuid(text: Any) -> UUID:
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidToken from error
