"""The context of Integrações: tokens and keys with their present state, and their history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from clinic.access import access_tokens, api_keys, form_replay
from clinic.access.requests import ClinicRequest
from clinic.models import AccessToken, ApiKey, Clinic, CredentialEvent
from clinic.web.integration.forms import ApiKeyForm

MAX_TOKENS, MAX_KEYS, MAX_EVENTS = 10, 100, 30


@dataclass(frozen=True)
class CredentialRow[Credential: (AccessToken, ApiKey)]:
    """A token or key of the page, which is valid for `seconds` more.

    `state` is valid, blocked, rotated, expired or revoked; the first three may be revoked.
    """

    row: Credential
    state: str
    seconds: int

    @property
    def id(self) -> str:
        """The primary key as a text, for the template's `add`."""
        return str(self.row.pk)

    @property
    def may_revoke(self) -> bool:
        return self.state in {"valid", "blocked", "rotated"}


class KeyRow(CredentialRow[ApiKey]):
    @property
    def scopes(self) -> list[str]:
        return [str(ApiKey.Scope(scope).label) for scope in self.row.scopes]


@dataclass(frozen=True)
class Secret:
    """The `text` of a new token or key, shown once; after a rotation `old` is the key that stays valid for a while."""

    row: AccessToken | ApiKey
    text: str
    old: ApiKey | None = None


def page_context(request: ClinicRequest, *, form: ApiKeyForm | None, **result: object) -> dict[str, Any]:
    """Return the context of the page; `result` are the variables that show the result of an act."""
    clinic, user, now = request.clinic, request.user, timezone.now()
    tokens = AccessToken.objects.of(clinic).select_related("user")[:MAX_TOKENS]
    keys = ApiKey.objects.of(clinic).select_related("created_by")[:MAX_KEYS]
    events = CredentialEvent.objects.of(clinic).select_related("user", "access_token", "api_key")[:MAX_EVENTS]
    key_rows = [KeyRow(key, _key_state(key, now), _seconds_left(key, now)) for key in keys]
    return {
        "form": form or ApiKeyForm(),
        "last_event_id": form_replay.last_event_id(clinic, user),
        "tokens": [
            CredentialRow(token, _token_state(token, clinic, now), _seconds_left(token, now)) for token in tokens
        ],
        "keys": [key for key in key_rows if key.may_revoke],
        "ended_keys": [key for key in key_rows if not key.may_revoke],
        "events": events,
        "old_key_until": now + api_keys.ROTATION_OVERLAP,
        **result,
    }


def _token_state(token: AccessToken, clinic: Clinic, now: datetime) -> str:
    if token.revoked_at or token.expires_at <= now:
        return _ended_state(token)
    return "valid" if access_tokens.may_release(token.user, clinic) else "blocked"


def _key_state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at or key.expires_at <= now:
        return _ended_state(key)
    return "valid" if key.expires_at - key.created_at >= api_keys.LIFE else "rotated"


def _ended_state(row: AccessToken | ApiKey) -> str:
    return "revoked" if row.revoked_at else "expired"


def _seconds_left(row: AccessToken | ApiKey, now: datetime) -> int:
    return max(int((row.expires_at - now).total_seconds()), 0)
