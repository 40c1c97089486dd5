"""The keys that sign tokens and hash credentials: one for each purpose, and none of them SECRET_KEY itself.

Each key is derived from SECRET_KEY, and from each of SECRET_KEY_FALLBACKS for data made before SECRET_KEY changed; or
it is set in the environment (`clinic/server/README.md`), so that the two can change independently.
"""

import hmac
from functools import cache

from django.conf import settings
from django.utils.crypto import salted_hmac


def access_token_keys() -> list[bytes]:
    """Return the HS256 keys of the ImageMais access tokens, the one that signs first."""
    return _keys("clinic.access.token", tuple(settings.ACCESS_TOKEN_KEYS))


def credential_keys() -> list[bytes]:
    """Return the HMAC keys of what `credential_digests` is asked for: API keys, links, fingerprints of requests."""
    return _keys("clinic.access.credential", tuple(settings.CREDENTIAL_KEYS))


def credential_digests(secret: bytes) -> list[str]:
    """Return the digests that a secret may be stored as, by each of the credential keys, the one for new rows first."""
    return [hmac.digest(key, secret, "sha256").hex() for key in credential_keys()]


def known_browser_keys() -> list[bytes]:
    """Return the HMAC keys of the marks in browsers (clinic.access.known_browser) and of counted user names, the
    current one first."""
    return _keys("clinic.access.known_browser", ())


def check_values() -> list[str]:
    """Return the values that identify SECRET_KEY and its fallbacks (clinic.access.key_check), the current one first."""
    return [key.hex() for key in _keys("clinic.access.key_check", ())]


def _keys(purpose: str, beside: tuple[str, ...]) -> list[bytes]:
    return _derived(purpose, beside or (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@cache
def _derived(purpose: str, secrets: tuple[str, ...]) -> list[bytes]:
    return [salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest() for secret in secrets]
