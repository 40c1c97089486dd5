"""The keys that tokens are signed and credentials are hashed with: one for each purpose, none is SECRET_KEY itself.

Each is derived from SECRET_KEY, and from each of SECRET_KEY_FALLBACKS for what was made before SECRET_KEY changed; or
it is set beside it (`clinic/server/README.md`), so that either can change without the other.
"""

from functools import cache

from django.conf import settings
from django.utils.crypto import salted_hmac


def access_token_keys() -> list[bytes]:
    """HS256 keys of the ImageMais access tokens, the one to sign with first."""
    return _keys("clinic.access.token", tuple(settings.ACCESS_TOKEN_KEYS))


def credential_keys() -> list[bytes]:
    """HMAC keys of stored API keys and of the fingerprints of requests, the one to write with first."""
    return _keys("clinic.access.credential", tuple(settings.CREDENTIAL_KEYS))


def known_browser_keys() -> list[bytes]:
    """HMAC keys of the marks in browsers (clinic.access.known_browser) and of counted user names, the present first."""
    return _keys("clinic.access.known_browser", ())


def check_values() -> list[str]:
    """What SECRET_KEY and its fallbacks are recognised by (clinic.access.key_check), the present one first."""
    return [key.hex() for key in _keys("clinic.access.key_check", ())]


def _keys(purpose, beside):
    return _derived(purpose, beside or (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@cache
def _derived(purpose, secrets):
    return [salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest() for secret in secrets]
